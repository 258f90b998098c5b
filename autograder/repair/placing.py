"""Puts the course's cells back where the source has them, around the student's cells.

Contract: pure. The student's own cells keep their order. A check comes after every answer and
every check that the source has before it, and after the student's own cells in that gap; a given
cell comes right after the cell that the source has before it. Cells that the student left in
order stay where they are.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from autograder.repair.matching import Matches
from autograder.repair.source import Role, SourceCell


@dataclass(frozen=True)
class Place:
    """One cell of the repaired notebook: from the source, from the submission, or one for the other."""

    source: int | None
    submitted: int | None


def place(source: tuple[SourceCell, ...], matches: Matches, kept: list[int]) -> tuple[list[Place], set[int]]:
    """Orders the repaired notebook; also returns the source indices whose cell had been moved.

    ``kept``: submitted cells to keep, in order, with the course's cells among them.
    """
    origin = {n: index for index, n in matches.found.items()}
    in_order = _in_order([origin[n] for n in kept if n in origin])
    places = [
        Place(origin.get(n), n)
        for n in kept
        if n not in origin or origin[n] in in_order or not source[origin[n]].role.is_the_courses
    ]
    moved: set[int] = set()
    placed = set(in_order)
    for index, each in enumerate(source):
        here = any(at.source == index for at in places)
        if here or (each.role is Role.TEXT and index not in matches.found):
            continue
        places.insert(_gap(index, each.role, places, placed), Place(index, matches.found.get(index)))
        placed.add(index)
        moved.update([index] if index in matches.found else [])
    return places, moved | _check_after_answers(source, places)


def _in_order(sequence: list[int]) -> set[int]:
    """The longest rising subsequence: the cells that nobody moved."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for n, value in enumerate(sequence):
        at = bisect_left(tails, value)
        tails[at : at + 1] = [value]
        before.append(ends[at - 1] if at else None)
        ends[at : at + 1] = [n]
    chosen: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        chosen.add(sequence[last])
        last = before[last]
    return chosen


def _gap(index: int, role: Role, places: list[Place], placed: set[int]) -> int:
    """Where to insert a source cell: after its nearest predecessor; a check at the gap's end."""
    at = 0
    for n, each in enumerate(places):
        if each.source in placed and each.source is not None and each.source < index:
            at = n + 1
    if role is Role.CHECK:
        while at < len(places) and (places[at].source is None or places[at].source not in placed):
            at += 1
    return at


def _check_after_answers(source: tuple[SourceCell, ...], places: list[Place]) -> set[int]:
    """Moves each check behind all answers and checks that the source has before it."""
    moved: set[int] = set()
    ordered = (Role.ANSWER, Role.CHECK)
    for index, each in enumerate(source):
        if each.role is not Role.CHECK:
            continue
        at = next(n for n, spot in enumerate(places) if spot.source == index)
        earlier = [
            n
            for n, spot in enumerate(places)
            if spot.source is not None and spot.source < index and source[spot.source].role in ordered
        ]
        last = max(earlier, default=-1)
        if at < last:
            places.insert(last, places.pop(at))
            moved.update([index] if places[last].submitted is not None else [])
    return moved
