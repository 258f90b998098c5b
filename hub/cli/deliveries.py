"""A push in words: what would be sent, how far it is, what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.progress import Progress
from rich.table import Table

from autograder.errors import AuthorError
from hub.cli.console import FAILED, emit, fail, number, results, words
from hub.cli.interrupts import INTERRUPTED
from hub.lti.planning import Fate, Planned
from hub.lti.push import Delivery, Order, Preview, Report
from hub.lti.text import shown
from hub.lti.wire import Stopped

NAMED = 10
TROUBLE = (Fate.OVERWRITES, Fate.OVER, Fate.UNMATCHED, Fate.DROPPED)
ADVICE = {
    Fate.OVERWRITES: "one that isn't from here; --overwrite replaces it",
    Fate.OVER: "more than the maximum, which some platforms cut; --over-maximum sends it",
    Fate.UNMATCHED: "nobody there is certainly them: let them open the tool once, or import their ids",
    Fate.DROPPED: "is no active learner there",
}


def confirmed(preview: Preview, bar: Progress, *, yes: bool, as_json: bool) -> bool:
    """Shows what would be sent and asks, unless told not to."""
    bar.stop()
    show_preview(preview, as_json=as_json)
    if not yes:
        if not sys.stdin.isatty():
            raise AuthorError("nobody is there to ask: say --yes, or --dry-run to look")
        if not typer.confirm(f"Send {len(preview.sending)} scores?", err=True):
            return False
    if as_json:
        emit({"event": "found", "assignment": preview.order.assignment, "jobs": len(preview.sending)})
    bar.start()
    return True


def shown_on(bar: Progress, order: Order, *, as_json: bool) -> Callable[[int, int], None]:
    task = bar.add_task(f"push {order.assignment}", total=None)

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if as_json:
            emit({"event": "sent", "done": done, "total": total})

    return progress


def show_preview(preview: Preview, *, as_json: bool) -> None:
    """What would be done, on stdout; what to look at, on stderr."""
    counts = {fate: sum(each.fate is fate for each in preview.rows) for fate in Fate}
    if as_json:
        for each in preview.rows:
            emit({"event": "planned", **_as_planned(each)})
    else:
        table = Table("what", "students", header_style="bold")
        for fate, count in counts.items():
            if count:
                table.add_row(fate.value, str(count))
        results.print(table)
    for note in preview.notes:
        words.print("[yellow]note:[/] ", end="")
        words.print(note, markup=False, soft_wrap=True)
    for fate in TROUBLE:
        _print_trouble(fate, [each for each in preview.rows if each.fate is fate])
    print_strangers([each.user_id for each in preview.strangers])
    words.print(f"{len(preview.sending)} of {len(preview.rows)} would be sent")


def show_report(report: Report, *, as_json: bool) -> None:
    """What came of it; ends the command where something didn't arrive."""
    if report.declined:
        words.print("nothing was sent")
        return
    if not report.deliveries and report.broken is None:
        if not as_json:
            show_preview(report.preview, as_json=False)
        words.print("nothing to send")
        return
    if as_json:
        for each in report.deliveries:
            emit({"event": "delivered", **_as_delivery(each)})
    arrived = len(report.deliveries) - len(report.failed)
    words.print(f"{arrived} of {len(report.preview.sending)} scores arrived and are shown there")
    for delivery in report.failed[:NAMED]:
        words.print(_delivery_words(delivery), markup=False, soft_wrap=True)
    if len(report.failed) > NAMED:
        words.print(f"and {len(report.failed) - NAMED} more; `mlsys lti log` has all")
    if isinstance(report.broken, Stopped):
        words.print("stopped; run the same command again to go on")
        raise typer.Exit(INTERRUPTED)
    if report.broken is not None:
        fail(report.broken)
    if report.failed:
        raise typer.Exit(FAILED)


def _print_trouble(fate: Fate, rows: Sequence[Planned]) -> None:
    if not rows:
        return
    named = ", ".join(_planned_words(each) for each in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    words.print(f"[yellow]{fate.value}[/] ({ADVICE[fate]}): ", end="", soft_wrap=True)
    words.print(named + more, markup=False, soft_wrap=True)


def _planned_words(planned: Planned) -> str:
    if planned.fate is Fate.OVERWRITES and planned.there is not None and planned.score is not None:
        there = f"{number(planned.there.score or 0)}/{number(planned.there.maximum)}"
        return f"{planned.student} ({there} there, {number(planned.score)} here)"
    return f"{planned.student} ({planned.note})" if planned.note else planned.student


def print_strangers(ids: Sequence[str]) -> None:
    if ids:
        named = ", ".join(shown(each) for each in ids[:NAMED])
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        words.print(
            f"learners there who are nobody here: {len(ids)}, ids {named}{more}",
            markup=False,
            soft_wrap=True,
        )


def _delivery_words(delivery: Delivery) -> str:
    planned, there = delivery.planned, delivery.there
    shows = "" if there is None or there.score is None else f", it shows {there.score:g}/{there.maximum:g}"
    status = f" ({delivery.status})" if delivery.status else ""
    note = f": {delivery.note}" if delivery.note else ""
    return f"{planned.student}: {planned.score:g} {delivery.verdict.value}{status}{shows}{note}"


def _as_planned(planned: Planned) -> dict[str, Any]:
    return {
        "student": planned.student,
        "user_id": planned.user_id or None,
        "fate": planned.fate.value,
        "sends": planned.sends,
        "score": planned.score,
        "maximum": planned.grade.maximum,
        "there": None if planned.there is None else planned.there.score,
        "note": planned.note,
    }


def _as_delivery(delivery: Delivery) -> dict[str, Any]:
    there = delivery.there
    return {
        "student": delivery.planned.student,
        "score": delivery.planned.score,
        "verdict": delivery.verdict.value,
        "status": delivery.status,
        "there": None if there is None else there.score,
        "there_maximum": None if there is None else there.maximum,
        "note": delivery.note,
    }
