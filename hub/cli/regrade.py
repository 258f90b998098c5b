"""regrade: judges graded submissions again, shows whose points would change, and publishes that.

With ``--json`` it writes ``found`` and an ``attempt`` for each submission that it judges, then ``changed``
for each student and question, ``moved`` for each student and ``check`` for each check that change, a
``summary``, ``published`` or ``undone`` with the line of the record, ``done`` at the end. ``--log`` writes
a ``regrading`` a line.
"""

from __future__ import annotations

import os
import pwd
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from autograder.batch import Finished
from autograder.errors import AuthorError
from autograder.gradebook import Gradebook
from autograder.gradebook.regrading import Keep, Plan, Regrading, Revision, regradings
from autograder.judge import Verdict, worst
from course.reader import read_course
from hub.benches import Opener, bench_of
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    PLATFORM,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    progress_bar,
    told,
    words,
)
from hub.cli.host import require_isolation
from hub.cli.interrupts import INTERRUPTED, first_interrupt
from hub.cli.moves import audit_record, plan_records, show_log, show_plan
from hub.coursework import open_gradebook
from hub.revising import Found, Reviser, open_reviser, require_all_judged, take_back, wanted_layout, warrant


class Act(StrEnum):
    """What is asked of the command. ASK shows what would change and, at a terminal, asks what then."""

    ASK = "ask"
    DRY_RUN = "--dry-run"
    PUBLISH = "--publish"
    UNDO = "--undo"
    LOG = "--log"


def regrade_command(
    assignment: Annotated[
        str, typer.Argument(metavar="[ASSIGNMENT]", help="Such as 07-autograd; --log alone needs none.")
    ] = "",
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge again and show who moves; change nothing, ask nothing.")
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Make it the grades, in one transaction; needs --reason.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last published regrading back; needs --reason.")
    ] = False,
    log: Annotated[
        bool, typer.Option("--log", help="Who published or took back what, when and why.")
    ] = False,
    policy: Annotated[
        Keep, typer.Option(help="never-lower: who would lose points keeps the earlier attempt.")
    ] = Keep.REPLACE,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the record.")] = "",
    by: Annotated[str, typer.Option(help="Who publishes.", show_default="your user name")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Judge all anew, also what an earlier run has judged.")
    ] = False,
    leave_faults: Annotated[
        bool, typer.Option("--leave-faults", help="Publish without those that couldn't be judged.")
    ] = False,
    student: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Submissions at the same time; 0: cores + 1.")] = 0,
    scheduler: Annotated[
        str, typer.Option(help="A Dask scheduler whose workers judge, as for autograde.")
    ] = "",
    certificates: Annotated[
        Path | None, typer.Option(help="The folder with ca.pem, client.pem and client.key for it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge graded submissions again, after a check was changed; show whose points change, and publish it."""
    asked = {Act.DRY_RUN: dry_run, Act.PUBLISH: publish, Act.UNDO: undo, Act.LOG: log}
    act = chosen_act([each for each, given in asked.items() if given])
    require_words(act, assignment, reason)
    with told(), open_gradebook(course_dir) as gradebook:
        if act is Act.LOG:
            tell_log(gradebook, assignment, as_json=as_json)
            return
        by = by or pwd.getpwuid(os.getuid()).pw_name
        if act is Act.UNDO:
            outline = read_course(course)
            line = take_back(outline, course_dir, assignment, gradebook, warrant(by, reason))
            other = wanted_layout(outline, course_dir, assignment, gradebook) is not None
            tell_undone(line, other_tests=other, as_json=as_json)
            return
        if not scheduler:
            require_isolation()
        with open_reviser(read_course(course), course_dir, assignment, gradebook) as reviser:
            command = Command(reviser, act, policy, by, reason, tuple(student or ()), leave_faults, as_json)
            reviser.begin(look=act is not Act.PUBLISH, again=again)
            command.run(bench_of(scheduler, certificates), workers)


def chosen_act(given: list[Act]) -> Act:
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} can't be had at once")
    return given[0] if given else Act.ASK


def require_words(act: Act, assignment: str, reason: str) -> None:
    if not assignment and act is not Act.LOG:
        raise typer.BadParameter("name the assignment, such as 07-autograd")
    if act in (Act.PUBLISH, Act.UNDO) and not reason.strip():
        raise typer.BadParameter(f"{act} needs --reason, in a few words: it is kept in the record")


class Command:
    """One run of the command: judge, show, publish."""

    def __init__(
        self,
        reviser: Reviser,
        act: Act,
        keep: Keep,
        by: str,
        reason: str,
        students: tuple[str, ...],
        leave_faults: bool,
        as_json: bool,
    ) -> None:
        self.reviser, self.act, self.keep = reviser, act, keep
        self.by, self.reason, self.students = by, reason, students
        self.leave_faults, self.as_json = leave_faults, as_json
        self.judged: Counter[str] = Counter()

    @property
    def for_all(self) -> bool:
        """Where the questions are others, some students can't be graded by the earlier ones."""
        return not self.students or self.reviser.layout is None

    def run(self, benches: Opener, workers: int) -> None:
        if self.act is Act.PUBLISH and not self.for_all:
            raise AuthorError(
                f"the questions of {self.reviser.assignment} are others now: publish for all students at once"
            )
        found = self.reviser.find(self.students)
        with first_interrupt() as stop:
            self.judge(found, benches, workers, stop)
            if stop.is_set():
                self.end(stop=True)
                words.print("stopped; what was judged is kept, run the same command again to go on")
                raise typer.Exit(INTERRUPTED)
            revision, lacking = self.reviser.revision(found, self.keep)
        if self.act is Act.PUBLISH and not self.leave_faults:
            require_all_judged(lacking, found.damaged)
        plan = self.reviser.plan(revision)
        self.show(plan)
        if self.act is Act.PUBLISH:
            self.publish(found, revision, None if self.students else self.reviser.draft.seen())
        else:
            self.looked_at(plan)
            whole = self.for_all and not lacking and not found.damaged
            self.ask(found, revision, plan, whole=whole)
        self.end()
        if lacking or found.damaged:
            for problem in found.damaged:
                words.print(problem, markup=False, soft_wrap=True)
            count = len(lacking) + len(found.damaged)
            words.print(f"[bold red]{count} not judged: the platform failed.[/] They keep their marks.")
            raise typer.Exit(PLATFORM)

    # judging

    def judge(self, found: Found, benches: Opener, workers: int, stop: threading.Event) -> None:
        """Judges what the draft hasn't got, under a progress bar."""
        missing = self.reviser.missing(found)
        if self.as_json:
            emit({"event": "found", "assignment": self.reviser.assignment, "jobs": len(missing)})
        if have := len(found.jobs) - len(missing):
            words.print(f"{have} of {len(found.jobs)} are judged already (--again judges them anew)")
        with progress_bar() as bar:
            task = bar.add_task(f"judge {self.reviser.assignment}", total=len(missing))
            for finished in self.reviser.judge(missing, benches, workers, stop):
                record = judged_record(finished)
                self.judged[str(record["verdict"])] += 1
                bar.update(task, advance=1, told=", ".join(f"{n} {word}" for word, n in self.judged.items()))
                if self.as_json:
                    emit(record)
                elif finished.grading.fault:
                    words.print(f"{finished.job.student}: {finished.grading.fault}", markup=False)

    def looked_at(self, plan: Plan) -> None:
        """Remembers what was shown, so that nothing else is published later."""
        if not self.students:
            self.reviser.draft.see(plan.seen)

    def show(self, plan: Plan) -> None:
        if self.students:
            moves = tuple(each for each in plan.moves if each.student in self.students)
            plan = replace(plan, moves=moves)
        if self.as_json:
            for record in plan_records(plan):
                emit(record)
        else:
            show_plan(plan)

    # publishing

    def ask(self, found: Found, revision: Revision, plan: Plan, *, whole: bool) -> None:
        """Asks a person whether to publish what they see; says how, where nobody can be asked."""
        name = self.reviser.assignment
        if not plan.added and not plan.refitted:
            words.print("there is nothing to publish: this has been published already")
        elif self.act is Act.ASK and not self.as_json and sys.stdin.isatty() and whole:
            if typer.confirm("Publish this?", default=False, err=True):
                self.reason = self.reason or typer.prompt("Why (it is kept in the record)", err=True)
                self.publish(found, revision, plan.seen)
        else:
            keep = "" if self.keep is Keep.REPLACE else f" --policy {self.keep}"
            words.print(
                f"nothing was changed; `mlsys regrade {name} --publish{keep} --reason …` makes it the grades"
            )

    def publish(self, found: Found, revision: Revision, seen: Mapping[str, str] | None) -> None:
        why = warrant(self.by, self.reason)
        with progress_bar() as bar:
            task = bar.add_task("publish", total=None)
            line = self.reviser.publish(
                found,
                revision,
                why,
                seen=seen,
                told=lambda done, of: bar.update(task, completed=done, total=of),
            )
        if line is None:
            words.print("there is nothing to publish: this has been published already")
        elif self.as_json:
            emit({"event": "published", **audit_record(line)})
        else:
            self.tell_published(line)

    def tell_published(self, line: Regrading) -> None:
        name = self.reviser.assignment
        words.print(
            f"published as regrading {line.id}; `mlsys regrade {name} --undo --reason …` takes it back"
        )
        if self.reviser.layout is not None:
            words.print(f"`mlsys release {name}` gives the new questions to those who fetch from now on")
            words.print("start `mlsys serve-grades` anew, if it runs: it has the earlier tests")
        words.print(f"`mlsys feedback {name}` and `mlsys return {name}` show it to students")

    def end(self, *, stop: bool = False) -> None:
        if self.as_json:
            faults = self.judged[Verdict.FAULT.value]
            emit({"event": "done", "graded": self.judged.total(), "faults": faults, "stopped": stop})


def judged_record(finished: Finished) -> dict[str, object]:
    """A submission that was judged, as ``autograde --json`` tells it."""
    grading = finished.grading
    results = [each.result for each in grading.notebooks if each.result is not None]
    verdicts = [check.verdict for result in results for check in result.checks]
    problems = "\n".join(each.problem for each in grading.notebooks if each.problem)
    return {
        "event": "attempt",
        "student": grading.student,
        "assignment": grading.assignment,
        "state": grading.state,
        "verdict": Verdict.FAULT if grading.fault else worst(verdicts) if results else Verdict.ERROR,
        "points": sum(result.points for result in results),
        "max_points": sum(result.max_points for result in results),
        "message": grading.fault or problems,
        "wall_seconds": sum(result.usage.wall_seconds for result in results),
    }


def tell_log(gradebook: Gradebook, assignment: str, *, as_json: bool) -> None:
    lines = regradings(gradebook, assignment or None)
    if not as_json:
        show_log(lines)
    for each in lines if as_json else ():
        emit({"event": "regrading", **audit_record(each)})


def tell_undone(line: Regrading, *, other_tests: bool, as_json: bool) -> None:
    if as_json:
        emit({"event": "undone", **audit_record(line)})
    words.print(f"took regrading {line.undoes} of {line.assignment} back")
    if other_tests:
        words.print(
            f"source/{line.assignment} still holds the other tests, by which nothing can be graded now: take "
            f"the change back and run `mlsys build {line.assignment}`, or regrade again"
        )
    words.print(f"`mlsys feedback {line.assignment}` and `mlsys return …` show it to students")
