"""Checks that the pieces of an assignment in the percent format fit together.

Contract: questions, solve cells, checks, hidden checks and solutions are matched by id; each
has its partners, stands in order, and the points add up. A misfit is an AuthorError at the
line of the piece that is there, naming the one that isn't.
"""

from __future__ import annotations

from collections.abc import Iterable

from course.assignment import Authored, Question
from course.document import Table
from course.percent import Cell, Kind, Script
from course.place import nearest

TOTAL = 100


def read_questions(table: Table) -> tuple[Question, ...]:
    """The [questions] table: ``id = { points = 8, title = "…" }`` in notebook order."""
    questions = []
    for name in table.values:
        row = table.table(name)
        row.only("points", "title")
        questions.append(Question(name, row.text("title"), row.number("points")))
    if not questions:
        raise table.place().error("[questions] is empty; list every question with points and title")
    return tuple(questions)


def pair(script: Script, solution: Script, hidden: Script, table: Table) -> Authored:
    """The content of an assignment; ``table`` is its [questions]."""
    solves, checks = script.of(Kind.SOLVE), script.of(Kind.CHECK)
    _match_questions(solves, table)
    owners = {check.id: _owner(check, solves) for check in checks.values()}
    _add_up(checks.values(), owners, table)
    _partners(solves, solution.of(Kind.SOLVE), "solve", solution)
    _partners(checks, hidden.of(Kind.CHECK), "check", hidden)
    return Authored(script, solution, hidden, owners)


def _match_questions(solves: dict[str, Cell], table: Table) -> None:
    for cell in solves.values():
        if cell.id not in table:
            hint = nearest(cell.id, table.values)
            raise cell.place.error(f'solve="{cell.id}" isn\'t in [questions] of {table.file.name}; {hint}')
    for name in table.values:
        if name not in solves:
            raise table.place(name).error(f"question {name!r} has no solve cell; {nearest(name, solves)}")
    for name, cell in zip(table.values, solves.values(), strict=True):
        if name != cell.id:
            raise table.place(name).error(
                f"question {name!r} out of order: in the notebook {cell.id!r} stands here ({cell.place})"
            )


def _owner(check: Cell, solves: dict[str, Cell]) -> str:
    owners = [name for name in solves if check.id == name or check.id.startswith(f"{name}-")]
    if not owners:
        raise check.place.error(
            f'check="{check.id}" belongs to no question: begin it with a question\'s id; '
            f"{nearest(check.id, solves)}"
        )
    owner = max(owners, key=len)
    if solves[owner].place.line > check.place.line:
        raise check.place.error(f'check="{check.id}" stands before its solve="{owner}"; move it behind')
    return owner


def _add_up(checks: Iterable[Cell], owners: dict[str, str], table: Table) -> None:
    sums: dict[str, float] = {}
    for check in checks:
        sums[owners[check.id]] = sums.get(owners[check.id], 0) + check.points
    for question in read_questions(table):
        if question.id not in sums:
            raise table.place(question.id).error(f"question {question.id!r} has no check; add one")
        if abs(sums[question.id] - question.points) > 1e-9:
            raise table.place(question.id).error(
                f"question {question.id!r} has {question.points:g} points, its checks {sums[question.id]:g}"
            )
    total = sum(sums.values())
    if abs(total - TOTAL) > 1e-9:
        raise table.place().error(f"the points add up to {total:g}, not to {TOTAL}")


def _partners(cells: dict[str, Cell], others: dict[str, Cell], kind: str, other: Script) -> None:
    for cell in cells.values():
        if cell.id not in others:
            hint = nearest(cell.id, others.keys() - cells.keys())
            raise cell.place.error(f'{kind}="{cell.id}" has no partner in {other.file}; {hint}')
    for cell in others.values():
        if cell.id not in cells:
            hint = nearest(cell.id, cells)
            raise cell.place.error(f'{kind}="{cell.id}" has no partner in the assignment; {hint}')
