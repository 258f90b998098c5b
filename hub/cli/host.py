"""doctor: what this host can enforce and measure, and the refusal to run untrusted code where it can't."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from autograder.judge import Court
from autograder.judge.calibration import calibrate
from autograder.sandbox.host import Check, HostReport, Status, inspect_host
from autograder.sandbox.warmth import inspect_warm_boxes
from autograder.speed.timing import Fact, Fitness, TimingReport, inspect_timing
from hub.cli.console import PLATFORM, AsJson, emit, results, told, words

COLOUR = {
    Status.OK: "green",
    Status.DEGRADED: "yellow",
    Status.MISSING: "bold red",
    Fitness.OK: "green",
    Fitness.DEGRADED: "yellow",
    Fitness.BAD: "bold red",
}

FAIR = "can measure speed fairly"
UNFAIR = "can't measure speed fairly: speed is not graded on it"


def doctor_command(
    timing: Annotated[
        bool, typer.Option("--timing", help="Say whether speed can be graded fairly here; some seconds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what this host can enforce, what it can't, what that means and what to do."""
    if timing:
        doctor_of_timing(as_json)
    report = inspect_host()
    if report.can_isolate:
        report = HostReport((*report.checks, inspect_warm_boxes()))
    if as_json:
        emit(report.as_dict())
    else:
        show(report)
    raise typer.Exit(0 if report.can_isolate else PLATFORM)


def doctor_of_timing(as_json: bool) -> NoReturn:
    """What the kernel says of time here, and a race of the reference against itself."""
    require_isolation()
    with told():
        with words.status("looking at this host"):
            facts = inspect_timing()
        with words.status(f"racing the reference against itself; {escape(lane_of(facts))}"), Court() as court:
            calibration = calibrate(court)
    report = TimingReport((*facts.checks, calibration.fact()))
    if as_json:
        emit({**report.as_dict(), "race": calibration.as_dict()["race"]})
    else:
        results.print(table_of(report.checks))
        words.print(f"This host {FAIR if report.fair else UNFAIR}.")
    raise typer.Exit(0 if report.fair else PLATFORM)


def lane_of(report: TimingReport) -> str:
    """Who has the lane, for whom waits for it."""
    return "".join(f"{fact.name}: {fact.found}" for fact in report.checks if fact.name == "lane")


def show(report: HostReport) -> None:
    results.print(table_of(report.checks))
    verdict = (
        "can isolate submissions" if report.can_isolate else "can't isolate submissions: it refuses to grade"
    )
    words.print(f"This host {verdict}.")


def table_of(checks: Iterable[Check | Fact]) -> Table:
    table = Table(show_header=True, header_style="bold")
    for column in ("check", "status", "found"):
        table.add_column(column, overflow="fold")
    for check in checks:
        table.add_row(check.name, f"[{COLOUR[check.status]}]{check.status}[/]", escape(advice(check)))
    return table


def advice(check: Check | Fact) -> str:
    means = f"\n→ {check.means}" if check.means else ""
    remedy = f"\n→ do: {check.remedy}" if check.remedy else ""
    return f"{check.found}{means}{remedy}"


def require_isolation() -> None:
    """Ends the command where untrusted code can't be boxed."""
    report = inspect_host()
    if report.can_isolate:
        return
    for check in report.checks:
        if check.status is Status.MISSING:
            words.print(f"[bold red]{check.name}:[/] {advice(check)}")
    words.print("This host can't isolate submissions, so nothing is run here. `mlsys doctor` says more.")
    raise typer.Exit(PLATFORM)
