"""doctor: what this host can enforce, and the refusal to run untrusted code where it can't."""

from __future__ import annotations

import typer
from rich.table import Table

from autograder.sandbox.host import Check, HostReport, Status, inspect_host
from hub.cli.console import PLATFORM, AsJson, emit, results, words

COLOUR = {Status.OK: "green", Status.DEGRADED: "yellow", Status.MISSING: "bold red"}


def doctor_command(as_json: AsJson = False) -> None:
    """Say what this host can enforce, what it can't, what that means and what to do."""
    report = inspect_host()
    if as_json:
        emit(report.as_dict())
    else:
        show(report)
    raise typer.Exit(0 if report.can_isolate else PLATFORM)


def show(report: HostReport) -> None:
    table = Table(show_header=True, header_style="bold")
    for column in ("check", "status", "found"):
        table.add_column(column, overflow="fold")
    for check in report.checks:
        table.add_row(check.name, f"[{COLOUR[check.status]}]{check.status}[/]", advice(check))
    results.print(table)
    verdict = (
        "can isolate submissions" if report.can_isolate else "can't isolate submissions: it refuses to grade"
    )
    words.print(f"This host {verdict}.")


def advice(check: Check) -> str:
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
