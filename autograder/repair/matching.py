"""Finds, for each cell of the source, the cell of the submission that it became.

Contract: pure. A submitted cell stands for at most one source cell. Ids are tried first, then
content: the released text, the names that a cell defines, and at last the only cell left in the
gap where an answer was. A wrong match can only misplace a student's own cell: the text of the
course's cells never comes from here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from autograder.repair.reading import SubmittedCell
from autograder.repair.source import Role, SourceCell, defined_names, normal

MAX_LOOK = 100_000  # characters of a cell in which names are looked for


@dataclass
class Matches:
    """``found``: source index -> submitted index; ``copies``: source index -> further cells with its id."""

    found: dict[int, int] = field(default_factory=dict)
    copies: dict[int, tuple[int, ...]] = field(default_factory=dict)
    by_content: set[int] = field(default_factory=set)

    def claim(self, source: int, submitted: int) -> None:
        """Says that a source cell became this submitted cell."""
        self.found[source] = submitted

    @property
    def claimed(self) -> set[int]:
        """Submitted cells that stand for a source cell."""
        return set(self.found.values())


def match(source: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...]) -> Matches:
    """Matches a submission's cells to the source's."""
    texts = [normal(cell.text) for cell in cells]
    matches = Matches()
    _by_id(source, cells, texts, matches)
    known = {each.grade_id for each in source if each.grade_id}
    free = [n for n, cell in enumerate(cells) if cell.grade_id not in known and n not in matches.claimed]
    _by_text(source, texts, free, matches)
    _by_names(source, cells, free, matches)
    _by_gap(source, cells, matches)
    _copies(source, texts, free, matches)
    return matches


def _by_id(
    source: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...], texts: list[str], matches: Matches
) -> None:
    holders: dict[str, list[int]] = defaultdict(list)
    for n, cell in enumerate(cells):
        if cell.grade_id is not None:
            holders[cell.grade_id].append(n)
    for index, each in enumerate(source):
        held = holders.get(each.grade_id or "", [])
        if held:
            best = _original(each, held, texts) if each.role.is_the_courses else _answer(each, held, texts)
            matches.claim(index, best)
            matches.copies[index] = tuple(n for n in held if n != best)


def _original(each: SourceCell, held: list[int], texts: list[str]) -> int:
    """Of the cells with a course cell's id, the one that still has its text, else the first."""
    return next((n for n in held if texts[n] == each.released), held[0])


def _answer(each: SourceCell, held: list[int], texts: list[str]) -> int:
    """Of the cells with an answer's id, the last that the student wrote in; it is the last to run."""
    return next((n for n in reversed(held) if texts[n] and texts[n] != each.released), held[-1])


def _by_text(source: tuple[SourceCell, ...], texts: list[str], free: list[int], matches: Matches) -> None:
    """Cells without a known id whose text is what the student received."""
    places: dict[str, list[int]] = defaultdict(list)
    for n in reversed(free):
        places[texts[n]].append(n)
    for index, each in enumerate(source):
        if index not in matches.found and each.released and places[each.released]:
            matches.claim(index, places[each.released].pop())
            matches.by_content.add(index)


def _by_names(
    source: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...], free: list[int], matches: Matches
) -> None:
    """Answers by the functions and classes that the source's answer defines too."""
    lost = [n for n, s in enumerate(source) if n not in matches.found and s.role is Role.ANSWER and s.defines]
    names = {n: defined_names(cells[n].text[:MAX_LOOK]) for n in free} if lost else {}
    for index in lost:
        each = source[index]
        left = [n for n in free if n not in matches.claimed]
        score = {n: len(each.defines & names[n]) for n in left}
        best = max(left, key=lambda n: (score[n], n), default=None)
        if best is not None and score[best] > 0:
            matches.claim(index, best)
            matches.by_content.add(index)


def _by_gap(source: tuple[SourceCell, ...], cells: tuple[SubmittedCell, ...], matches: Matches) -> None:
    """An answer that is the only one missing between two cells that are there, if one cell is too."""
    for index, each in enumerate(source):
        if index in matches.found or each.role is not Role.ANSWER:
            continue
        before = max((i for i in matches.found if i < index), default=None)
        after = min((i for i in matches.found if i > index), default=None)
        low, high = (before if before is not None else -1), (after if after is not None else len(source))
        if sum(s.role is Role.ANSWER for s in source[low + 1 : high]) != 1:
            continue
        start = matches.found[before] + 1 if before is not None else 0
        end = matches.found[after] if after is not None else len(cells)
        left = [n for n in range(start, end) if n not in matches.claimed and cells[n].grade_id is None]
        alike = [n for n in left if cells[n].cell_type == each.cell.cell_type]
        if len(alike) == 1:
            matches.claim(index, alike[0])
            matches.by_content.add(index)


def _copies(source: tuple[SourceCell, ...], texts: list[str], free: list[int], matches: Matches) -> None:
    """Further copies of a check, without its id."""
    claimed = matches.claimed
    for index, each in enumerate(source):
        if each.role is Role.CHECK and each.released and index in matches.found:
            same = tuple(n for n in free if n not in claimed and texts[n] == each.released)
            matches.copies[index] = (*matches.copies.get(index, ()), *same)
