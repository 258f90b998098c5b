"""The mlsys command: one verb a stage, in the order in which work flows through a course.

A verb's module is imported when that verb is meant: all of them, with what they import, take a second.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

import autograder.unneeded  # noqa: F401
from autograder.sandbox.collecting import uncollected

# Verb -> where in this package its function is, or its own verbs.
VERBS = {
    "build": "author.build_command",
    "verify": "author.verify_command",
    "release": "author.release_command",
    "check": "check.check_command",
    "hand-out": "exchange.hand_out_command",
    "extend": "exchange.extend_command",
    "excuse": "excuse.excuse_command",
    "submit": "grade.submit_command",
    "collect": "exchange.collect_command",
    "autograde": "grade.autograde_command",
    "serve-grades": "serve.serve_grades_command",
    "regrade": "regrade.regrade_command",
    "cluster": "cluster.app",
    "feedback": "report.feedback_command",
    "return": "exchange.return_command",
    "receipt": "exchange.receipt_command",
    "export": "report.export_command",
    "lti": "lti.app",
    "demo": "demo.demo_command",
    "up": "hub.up_command",
    "down": "hub.down_command",
    "status": "hub.status_command",
    "enrol": "enrol.enrol_command",
    "roster": "roster.app",
    "backup": "backup.backup_command",
    "restore": "backup.restore_command",
    "doctor": "host.doctor_command",
}


class Verbs(TyperGroup):
    """The verbs above, each loaded when it is asked for."""

    # Any: Typer brings its own copy of Click, whose types it doesn't export.
    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # All of them where none is meant: Typer looks here for one that is alike.
        for verb in (cmd_name,) if cmd_name in VERBS else VERBS:
            if verb not in self.commands:
                self.commands[verb] = load(verb)
        return self.commands.get(cmd_name)


def load(verb: str) -> Any:
    """Typer's command for a verb."""
    module, _, name = VERBS[verb].partition(".")
    # What is loaded stays: collections would walk it a tenth of the time, and find nothing.
    with uncollected():
        found: typer.Typer | Callable[..., None] = getattr(import_module(f"hub.cli.{module}"), name)
    gc.freeze()
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
    alone.command(verb)(found)
    return get_command(alone)


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Courses in machine-learning systems: build, prove, release, judge in sandboxes, grade, export.",
)


@app.callback()
def verbs() -> None:
    """Here so that Typer makes a group of what it knows no command of."""


def main() -> None:
    """The entry point; a second Ctrl-C ends at once."""
    try:
        app()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
