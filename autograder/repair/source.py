"""What a source notebook says of its cells: whose each is, and the text that students received.

Contract: pure functions on the instructor's source notebook (nbgrader schema v3), which is
trusted. A source in which two cells share an id is an ``AuthorError``.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum

from nbformat.notebooknode import NotebookNode

from autograder.errors import AuthorError

HIDDEN = re.compile(r"(?ms)^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n.*?END HIDDEN TESTS[^\n]*(?:\n|\Z)")
MARK_SCHEME = re.compile(r"(?ms)^[^\n]*BEGIN MARK SCHEME[^\n]*\n.*?END MARK SCHEME[^\n]*(?:\n|\Z)")
SOLUTION = re.compile(r"(?ms)^[^\n]*BEGIN SOLUTION[^\n]*\n.*?END SOLUTION[^\n]*(?:\n|\Z)")
DEFINES = re.compile(r"(?m)^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]+)?=(?!=)")


class Role(StrEnum):
    """Whose a cell is. CHECK, GIVEN and TASK are the course's; the source's text is used."""

    CHECK = "check"
    GIVEN = "given"
    TASK = "task"
    ANSWER = "answer"
    TEXT = "text"
    EXTRA = "extra"

    @property
    def is_the_courses(self) -> bool:
        """Whether the cell's text always comes from the source."""
        return self in (Role.CHECK, Role.GIVEN, Role.TASK)


@dataclass(frozen=True)
class SourceCell:
    """One cell of the source: ``released`` is its text as students received it, normalised."""

    cell: NotebookNode
    role: Role
    grade_id: str | None
    released: str
    defines: frozenset[str]


def read_source(source: NotebookNode) -> tuple[SourceCell, ...]:
    """The source's cells in order. Raises AuthorError for a repeated or missing grade_id."""
    cells = tuple(_source_cell(cell) for cell in source.cells)
    seen: set[str] = set()
    for each in cells:
        if each.role is not Role.TEXT and not each.grade_id:
            raise AuthorError(
                f"a {each.role} cell of the source notebook has no grade_id: {each.cell.source[:60]!r}"
            )
        if each.grade_id in seen:
            raise AuthorError(
                f"two cells of the source notebook have the grade_id {each.grade_id!r}; rename one"
            )
        seen.update([each.grade_id] if each.grade_id else [])
    return cells


def role_of(cell: NotebookNode) -> Role:
    """The role that a source cell's nbgrader metadata gives it; TEXT for a cell without any."""
    marks = cell.metadata.get("nbgrader", {})
    if marks.get("task"):
        return Role.TASK
    if marks.get("solution"):
        return Role.ANSWER
    if marks.get("grade"):
        return Role.CHECK
    return Role.GIVEN if marks.get("locked") else Role.TEXT


def released_text(text: str) -> str:
    """A source cell's text without hidden tests and marking scheme."""
    return MARK_SCHEME.sub("", HIDDEN.sub("", text))


def normal(text: str) -> str:
    """Text for comparisons: no trailing blanks, no blank lines."""
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())


def defined_names(text: str) -> frozenset[str]:
    """Names that a cell defines at its top level, by a cheap look; nothing is parsed or run."""
    return frozenset(found.group(1) or found.group(2) for found in DEFINES.finditer(text))


def _source_cell(cell: NotebookNode) -> SourceCell:
    role = role_of(cell)
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id") if role is not Role.TEXT else None
    return SourceCell(cell, role, grade_id, *_released_and_defined(cell.source, role))


@functools.lru_cache(maxsize=256)  # asked again for each submission
def _released_and_defined(text: str, role: Role) -> tuple[str, frozenset[str]]:
    """As in ``SourceCell``."""
    released = released_text(text)
    if role is Role.ANSWER:
        released = SOLUTION.sub("", released) if SOLUTION.search(released) else ""
    return normal(released), defined_names(text)
