"""What was repaired in a submission, in words for the student."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from autograder.repair.source import Role

NOUNS = {
    Role.CHECK: "test cell",
    Role.GIVEN: "given cell",
    Role.TASK: "task cell",
    Role.ANSWER: "answer cell",
    Role.TEXT: "text cell",
    Role.EXTRA: "cell",
}


class RepairKind(StrEnum):
    """What was wrong with a cell or with the notebook."""

    RESTORED = "restored"
    MISSING = "missing"
    EDITED = "edited"
    RETYPED = "retyped"
    MOVED = "moved"
    DUPLICATED = "duplicated"
    UNMARKED = "unmarked"
    FORGED = "forged"
    UNKNOWN = "unknown"
    DROPPED = "dropped"
    FORMAT = "format"
    RENAMED = "renamed"


@dataclass(frozen=True)
class Repair:
    """One repair. ``cell`` is a grade_id, or empty where the whole notebook is meant."""

    kind: RepairKind
    cell: str
    sentence: str


def restored(cell: str, role: Role) -> Repair:
    """A cell of the course's that the student had deleted."""
    return Repair(RepairKind.RESTORED, cell, f"The {NOUNS[role]} {cell!r} was missing; it was put back.")


def missing(cell: str) -> Repair:
    """An answer that isn't in the submission."""
    return Repair(
        RepairKind.MISSING,
        cell,
        f"Your answer cell {cell!r} was not found; its tests ran with what your other cells define.",
    )


def edited(cell: str, role: Role) -> Repair:
    """A cell of the course's that the student had changed."""
    return Repair(
        RepairKind.EDITED, cell, f"The {NOUNS[role]} {cell!r} had been changed; the original was used."
    )


def retyped(cell: str, role: Role, found: str, wanted: str) -> Repair:
    """A cell whose type had been changed."""
    return Repair(
        RepairKind.RETYPED,
        cell,
        f"The {NOUNS[role]} {cell!r} had become a {found} cell; it was used as a {wanted} cell.",
    )


def moved(cell: str, role: Role) -> Repair:
    """A cell of the course's that stood where it doesn't belong."""
    return Repair(
        RepairKind.MOVED, cell, f"The {NOUNS[role]} {cell!r} had been moved; it was put back in its place."
    )


def duplicated(cell: str, role: Role, copies: int) -> Repair:
    """A cell that was there more than once."""
    end = (
        "all were run and one counts as your answer" if role is Role.ANSWER else "the original was used, once"
    )
    return Repair(RepairKind.DUPLICATED, cell, f"The {NOUNS[role]} {cell!r} was there {copies} times; {end}.")


def unmarked(cell: str, role: Role) -> Repair:
    """A cell that had lost its metadata."""
    return Repair(
        RepairKind.UNMARKED,
        cell,
        f"The {NOUNS[role]} {cell!r} had lost its id; it was recognised by its content.",
    )


def forged(cell: str, role: Role) -> Repair:
    """A cell whose points or kind had been changed in its metadata."""
    return Repair(
        RepairKind.FORGED,
        cell,
        f"The settings of the {NOUNS[role]} {cell!r} had been changed; the original ones were used.",
    )


def unknown(cell: str) -> Repair:
    """A cell with an id that this notebook doesn't have."""
    shown = cell if len(cell) <= 40 else cell[:39] + "…"
    return Repair(
        RepairKind.UNKNOWN, "", f"A cell had the unknown id {shown!r}; it was kept as a cell of yours."
    )


def dropped(count: int) -> Repair:
    """Entries in the cell list that were no cells."""
    return Repair(
        RepairKind.DROPPED, "", f"{count} damaged {'cell was' if count == 1 else 'cells were'} left out."
    )


def converted(nbformat: int) -> Repair:
    """A notebook in an older format."""
    return Repair(
        RepairKind.FORMAT, "", f"The notebook was in the older format {nbformat}; it was converted."
    )


def renamed(found: str, wanted: str) -> Repair:
    """A notebook under another file name."""
    return Repair(RepairKind.RENAMED, "", f"The notebook {wanted!r} was found under the name {found!r}.")
