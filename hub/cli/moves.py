"""What a regrading changes, on a terminal: who moves, by how much, in which checks; and who regraded when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from autograder.gradebook.regrading import Plan, Regrading, counts_of
from hub.cli.console import number, results, words
from hub.regrading import CheckMoves, Mover, check_moves, movers, question_changes

NAMED = 8
SHORT = 10


def show_plan(plan: Plan) -> None:
    """Tables of students and checks on stdout, and a summary in words."""
    if moved := movers(plan):
        results.print(students_table(moved))
    if checks := check_moves(plan):
        results.print(checks_table(checks))
    words.print(summary_words(plan))


def plan_records(plan: Plan) -> Iterator[dict[str, Any]]:
    """The same as records for scripts."""
    for change in question_changes(plan):
        yield {"event": "changed", **asdict(change)}
    for mover in movers(plan):
        yield {"event": "moved", **asdict(mover), "difference": mover.difference}
    for check in check_moves(plan):
        yield {"event": "check", **asdict(check)}
    most = {"max_before": sum(plan.max_before.values()), "max_after": sum(plan.max_after.values())}
    yield {"event": "summary", **counts_of(plan.moves), "attempts": len(plan.added), **most}


def summary_words(plan: Plan) -> str:
    counts = counts_of(plan.moves)
    said = [f"{counts['up']} up, {counts['down']} down, {counts['unchanged']} unchanged"]
    if counts["first"]:
        said.append(f"{counts['first']} graded for the first time")
    if counts["kept"]:
        said.append(f"{counts['kept']} keep an earlier attempt that is worth more")
    before, after = sum(plan.max_before.values()), sum(plan.max_after.values())
    if before != after:
        said.append(f"the assignment is out of {number(after)}, not {number(before)}, points")
    return "; ".join(said)


def students_table(moved: Sequence[Mover]) -> Table:
    table = Table(header_style="bold")
    table.add_column("student")
    for column in ("before", "after", "difference"):
        table.add_column(column, justify="right")
    table.add_column("")
    for each in moved:
        table.add_row(
            each.student, points(each.before), points(each.after), signed(each.difference), note_of(each)
        )
    return table


def note_of(mover: Mover) -> str:
    said = ["the earlier attempt counts"] if mover.kept else []
    said += ["first grade"] if mover.direction == "first" else []
    said += ["waits for a person"] if mover.waits else []
    return ", ".join(said)


def checks_table(checks: Sequence[CheckMoves]) -> Table:
    table = Table(header_style="bold")
    table.add_column("check")
    for column in ("points", "better", "worse"):
        table.add_column(column, justify="right")
    table.add_column("who")
    several = len({each.notebook for each in checks}) > 1
    for each in checks:
        table.add_row(
            f"{each.notebook}/{each.check}" if several else each.check,
            offered(each),
            str(len(each.better) or ""),
            str(len(each.worse) or ""),
            names([*(f"+{one}" for one in each.better), *(f"-{one}" for one in each.worse)]),
        )
    return table


def offered(check: CheckMoves) -> str:
    """The points that a check offers, and offered."""
    if check.is_new:
        return f"{points(check.max_after)} (new)"
    if check.is_gone:
        return f"{points(check.max_before)} (gone)"
    if check.max_before == check.max_after:
        return points(check.max_after)
    return f"{points(check.max_before)} → {points(check.max_after)}"


def names(all_of_them: Sequence[str]) -> str:
    more = f" and {len(all_of_them) - NAMED} more" if len(all_of_them) > NAMED else ""
    return ", ".join(all_of_them[:NAMED]) + more


def points(value: float | None) -> str:
    return "–" if value is None else number(value)


def signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{number(abs(value))}"


def show_log(lines: Sequence[Regrading]) -> None:
    """The record of regradings."""
    table = Table(header_style="bold")
    for column in ("", "assignment", "when (UTC)", "who", "what", "up", "down", "tests", "code", "why"):
        table.add_column(column, justify="right" if column in ("", "up", "down") else "left")
    for each in lines:
        table.add_row(
            str(each.id),
            each.assignment,
            f"{each.at:%Y-%m-%d %H:%M}",
            escape(each.by),
            what_of(each),
            str(each.counts.get("up", "")) if each.undoes is None else "",
            str(each.counts.get("down", "")) if each.undoes is None else "",
            f"{versions(each.source_before)} → {versions(each.source_after)}",
            each.code_version,
            escape(each.reason),
        )
    if lines:
        results.print(table)
    else:
        words.print("nothing was regraded yet")


def what_of(line: Regrading) -> str:
    if line.undoes is not None:
        return f"took {line.undoes} back"
    return f"published, {line.policy}{', taken back' if line.undone else ''}"


def versions(found: Sequence[str]) -> str:
    return ", ".join(each[:SHORT] for each in found) or "–"


def audit_record(line: Regrading) -> dict[str, Any]:
    """A line of the record for scripts."""
    return {**asdict(line), "at": line.at.isoformat()}
