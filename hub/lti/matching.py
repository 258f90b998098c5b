"""Who of the course there is whom of the course here, by ids alone and never by name.

Contract: pure. A student is matched where every kind of id that finds somebody finds the same one person,
and nobody else is found to be that person; else they are doubtful, and get no grade by guess. Ids are
text: ``0003`` isn't ``3``. E-mail addresses, which people may change, count only where that is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from autograder.gradebook.gradetable import StudentKeys
from hub.lti.records import Participant


@dataclass(frozen=True)
class Matching:
    """``pairs``: hub name -> person there. ``doubtful``: hub name -> why. ``strangers``: active learners
    there whom nobody here is."""

    pairs: Mapping[str, Participant]
    doubtful: Mapping[str, str]
    strangers: tuple[Participant, ...]


def match(
    students: Iterable[StudentKeys],
    members: Collection[Participant],
    logins: Mapping[str, str],
    *,
    by_email: bool = False,
) -> Matching:
    """``logins``: user id there -> hub name, from launches."""
    by_name: dict[str, set[str]] = defaultdict(set)
    for user_id, name in logins.items():
        by_name[name].add(user_id)
    indexes = {
        "user id": _index((each.user_id, each) for each in members),
        "SIS id": _index((each.sis_id, each) for each in members),
        "login": _index((each.login.lower(), each) for each in members),
        "e-mail": _index((each.email.lower(), each) for each in members) if by_email else {},
    }
    chosen: dict[str, Participant] = {}
    doubtful: dict[str, str] = {}
    for student in students:
        ids = by_name.get(student.name, set()) | ({student.lms_id} - {""})
        keys = [("user id", each) for each in sorted(ids)]
        keys += [("SIS id", student.sis_id), ("login", (student.login or student.name).lower())]
        keys += [("e-mail", student.email.lower())]
        # A login beside no stronger id may be another person's: it counts as much as the others.
        found = {person.user_id: person for kind, key in keys for person in indexes[kind].get(key, ())}
        if len(found) == 1:
            chosen[student.name] = next(iter(found.values()))
        elif found:
            doubtful[student.name] = f"their ids are those of {len(found)} people there"
    return _unique(chosen, doubtful, members)


def _unique(
    chosen: dict[str, Participant], doubtful: dict[str, str], members: Collection[Participant]
) -> Matching:
    """Without those who share a person."""
    by_person: dict[str, list[str]] = defaultdict(list)
    for name, person in chosen.items():
        by_person[person.user_id].append(name)
    for names in by_person.values():
        if len(names) > 1:
            for name in names:
                others = ", ".join(sorted(set(names) - {name}))
                doubtful[name] = f"is the same person there as {others}"
                del chosen[name]
    taken = {person.user_id for person in chosen.values()}
    strangers = tuple(each for each in members if each.learns and each.user_id not in taken)
    return Matching(chosen, doubtful, strangers)


def _index(keyed: Iterable[tuple[str, Participant]]) -> dict[str, list[Participant]]:
    found: dict[str, list[Participant]] = defaultdict(list)
    for key, person in keyed:
        if key:
            found[key].append(person)
    return found
