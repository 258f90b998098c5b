"""The mlsys command: one verb a stage, in the order in which work flows through a course."""

from __future__ import annotations

import sys

import typer

# For one of the formats of jsonschema, which no notebook has; compiling its grammar takes 1.8 s.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from hub.cli import (  # noqa: E402 -- after that
    author,
    backup,
    check,
    cluster,
    demo,
    enrol,
    exchange,
    excuse,
    grade,
    host,
    hub,
    lti,
    regrade,
    report,
    roster,
    serve,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Courses in machine-learning systems: build, prove, release, judge in sandboxes, grade, export.",
)
app.command("build")(author.build_command)
app.command("verify")(author.verify_command)
app.command("release")(author.release_command)
app.command("check")(check.check_command)
app.command("hand-out")(exchange.hand_out_command)
app.command("extend")(exchange.extend_command)
app.command("excuse")(excuse.excuse_command)
app.command("submit")(grade.submit_command)
app.command("collect")(exchange.collect_command)
app.command("autograde")(grade.autograde_command)
app.command("serve-grades")(serve.serve_grades_command)
app.command("regrade")(regrade.regrade_command)
app.add_typer(cluster.app, name="cluster")
app.command("feedback")(report.feedback_command)
app.command("return")(exchange.return_command)
app.command("receipt")(exchange.receipt_command)
app.command("export")(report.export_command)
app.add_typer(lti.app, name="lti")
app.command("demo")(demo.demo_command)
app.command("up")(hub.up_command)
app.command("down")(hub.down_command)
app.command("status")(hub.status_command)
app.command("enrol")(enrol.enrol_command)
app.add_typer(roster.app, name="roster")
app.command("backup")(backup.backup_command)
app.command("restore")(backup.restore_command)
app.command("doctor")(host.doctor_command)


def main() -> None:
    """The entry point; a second Ctrl-C ends at once."""
    try:
        app()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; run the same command again to go on\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
