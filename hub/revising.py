"""Regrades an assignment: judges the stored submissions into a draft, plans with it, publishes the plan.

Contract: until ``publish`` the gradebook is only read. Judging may stop at any moment; what was judged is in
the draft. ``publish`` and ``take_back`` hold the assignment's grading lock; whoever makes a ``Reviser`` holds
its draft lock.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from autograder.batch import Finished, Job, Memory, find_jobs, read_sources, run_batch
from autograder.batch.drafts import Draft, DraftKey
from autograder.batch.grading import late_seconds
from autograder.environment import code_version, environment
from autograder.errors import AuthorError, PlatformError
from autograder.gradebook import Attempt, Gradebook, GradedNotebook, mend, source_version, submitters
from autograder.gradebook.database import Database
from autograder.gradebook.folders import attempt_folder, write_folder
from autograder.gradebook.gradebook import attempt_files
from autograder.gradebook.plain import plain
from autograder.gradebook.regrading import (
    Drafted,
    Keep,
    Ledger,
    Plan,
    Regrading,
    Revision,
    Stale,
    Warrant,
    is_fit,
    plan_revision,
    publish,
    read_ledger,
    released,
    require_seen,
    undo,
)
from autograder.judge import NotebookResult, Settings
from course.records import Course
from course.release import rehearse
from course.tree import STATE
from hub.benches import Opener
from hub.coursework import draft_lock, entry_of, grading_locks, grading_room, lateness, policy_of

DRAFTS = f"{STATE}/drafts"
LONGEST_NAME, LONGEST = 64, 2000


@dataclass(frozen=True)
class Found:
    """The submissions of a regrading. ``damaged``: snapshots that can't be read."""

    jobs: tuple[Job, ...]
    damaged: tuple[str, ...]


class Reviser:
    """One regrading of one assignment by the tests that ``source/`` holds now."""

    def __init__(
        self, course: Course, course_dir: Path, assignment: str, gradebook: Gradebook, layout: Ledger | None
    ) -> None:
        self.course, self.course_dir, self.assignment = course, course_dir.resolve(), assignment
        self.gradebook, self.layout = gradebook, layout
        self.entry = entry_of(course, assignment)
        self.sources = read_sources(self.course_dir, assignment)
        with gradebook.database.reading() as session:
            self.released = released(layout or read_ledger(session, assignment))
        self.key = DraftKey(assignment, source_version(self.sources), code_version(), environment())
        self.draft = Draft(self.course_dir / DRAFTS / assignment, self.key, self.sources)
        self.known: dict[tuple[str, str, datetime], Drafted] = {}

    def begin(self, *, look: bool, again: bool) -> None:
        """Opens the draft. ``look``: people will see it before it is published; ``again``: judge all anew.

        Raises Stale where they have seen one that was judged by other tests, code or packages.
        """
        if not look and not self.draft.is_ours and self.draft.seen() is not None:
            raise Stale(
                f"since you looked, the tests of {self.assignment}, this program or its packages changed. "
                "Nothing was published: look again with --dry-run, then publish"
            )
        if again:
            self.draft.clear()
        self.draft.begin()

    def find(self, students: tuple[str, ...]) -> Found:
        """All submissions that may count; of some students where they are named.

        Raises AuthorError for one who has submitted nothing.
        """
        found = find_jobs(
            self.course_dir,
            self.gradebook,
            self.assignment,
            self.sources,
            policy=policy_of(self.entry),
            students=students,
            again=True,
        )
        missing = set(students) - set(submitters(self.course_dir, self.assignment))
        if missing:
            raise AuthorError(f"nothing was submitted for {self.assignment} by {', '.join(sorted(missing))}")
        return Found(found.jobs, found.damaged)

    def missing(self, found: Found) -> tuple[Job, ...]:
        """Those that the draft hasn't got, or not in one piece."""
        read = {job.key: self.draft.read(job) for job in found.jobs}
        self.known = {key: one for key, one in read.items() if one is not None}
        return tuple(job for job in found.jobs if job.key not in self.known)

    def judge(
        self, jobs: tuple[Job, ...], benches: Opener, workers: int, stop: threading.Event
    ) -> Generator[Finished]:
        """Judges submissions and keeps them in the draft, but for faults; each as it is done."""
        if not jobs:
            return
        with benches() as opened:
            room = grading_room(self.course, self.course_dir, self.assignment, opened.bench)
            for source in room.sources.values():
                opened.prepare(Settings.of_source(source))
            opened.wait()
            batch = run_batch(
                jobs,
                room.grade,
                workers or opened.workers(racing=room.races),
                stop=stop,
                abandon=opened.abandon,
                memory=Memory.of_host(lambda job: room.memory_bytes) if opened.here else None,
            )
            with contextlib.closing(batch):
                for finished in batch:
                    if not finished.grading.fault:
                        self.draft.keep(finished.job, finished.grading, self.released)
                    yield finished

    def revision(self, found: Found, keep: Keep) -> tuple[Revision, tuple[Job, ...]]:
        """The regrading by what the draft has, and the submissions that it hasn't got."""
        drafted: list[Drafted] = []
        lacking: list[Job] = []
        for job in found.jobs:
            one = self.known.get(job.key) or self.draft.read(job)
            if one is None:
                lacking.append(job)
            else:
                drafted.append(one)
        due, penalty = lateness(self.course_dir, self.entry)
        revision = Revision(
            assignment=self.assignment,
            sources=self.sources,
            layout=self.layout,
            drafted=drafted,
            policy=policy_of(self.entry),
            keep=keep,
            late=lambda student, received: late_seconds(due(student), received),
            penalty=penalty,
        )
        return revision, tuple(lacking)

    def plan(self, revision: Revision) -> Plan:
        """What publishing would do."""
        return plan_revision(self.gradebook, revision)

    def publish(
        self,
        found: Found,
        revision: Revision,
        warrant: Warrant,
        *,
        seen: Mapping[str, str] | None,
        told: Callable[[int, int], None] = lambda done, of: None,
    ) -> Regrading | None:
        """Publishes the regrading; None where there is nothing to publish. ``seen``: what was looked at.

        ``told``: how many attempts' notebooks are laid down, of how many.
        """
        with grading_locks(self.course_dir, [self.assignment], by="a regrading"):
            mend(self.gradebook, self.assignment)
            plan = self.plan(revision)
            if not plan.added and not plan.refitted:
                return None
            if seen is not None:
                require_seen(plan.seen, seen)
            self.lay_down(found, plan, told)
            done = publish(self.gradebook, revision, plan, warrant, seen)
            mend(self.gradebook, self.assignment)
        self.draft.forget_seen()
        return done

    def lay_down(self, found: Found, plan: Plan, told: Callable[[int, int], None]) -> None:
        """Writes the judged notebooks of the attempts that shall be recorded."""
        jobs = {each.key: each for each in found.jobs}
        for place, attempt in enumerate(plan.added):
            job = jobs[attempt.student, attempt.sha256, attempt.submitted]
            notebooks, others = self.draft.notebooks(self.course_dir, job)
            if attempt.id in plan.carried:
                notebooks = carried_over(attempt, notebooks)
            files = attempt_files(notebooks, self.released, others, attempt.submitted)
            folder = attempt_folder(self.course_dir, attempt.student, attempt.assignment, attempt.number)
            write_folder(folder, files)
            told(place + 1, len(plan.added))


def carried_over(attempt: Attempt, notebooks: tuple[GradedNotebook, ...]) -> tuple[GradedNotebook, ...]:
    """Judged notebooks with the checks of an attempt that was carried over."""
    kept = {each.name: each for each in attempt.notebooks}
    return tuple(
        replace(
            each,
            problem="",
            result=replace(each.result or NotebookResult(()), checks=kept[each.name].checks),
        )
        for each in notebooks
    )


@contextmanager
def open_reviser(
    course: Course, course_dir: Path, assignment: str, gradebook: Gradebook
) -> Iterator[Reviser]:
    """A regrading that nobody else does at the same time. Raises Busy, AuthorError or PlatformError."""
    entry_of(course, assignment)
    with draft_lock(course_dir, assignment):
        layout = wanted_layout(course, course_dir, assignment, gradebook)
        yield Reviser(course, course_dir, assignment, gradebook, layout)


def wanted_layout(course: Course, course_dir: Path, assignment: str, gradebook: Gradebook) -> Ledger | None:
    """The cells that nbgrader makes of the present questions; None where the gradebook has them already."""
    if is_fit(gradebook, assignment, read_sources(course_dir.resolve(), assignment)):
        return None
    with (
        rehearse(course, course_dir, assignment) as url,
        contextlib.closing(Database(url)) as rehearsal,
        rehearsal.reading() as session,
    ):
        return read_ledger(session, assignment)


def take_back(
    course: Course, course_dir: Path, assignment: str, gradebook: Gradebook, why: Warrant
) -> Regrading:
    """Takes the last regrading back. Raises AuthorError where that can't be."""
    entry_of(course, assignment)
    with (
        draft_lock(course_dir, assignment),
        grading_locks(course_dir, [assignment], by="a regrading"),
    ):
        mend(gradebook, assignment)
        done = undo(gradebook, assignment, why)
        mend(gradebook, assignment)
    return done


def warrant(by: str, reason: str) -> Warrant:
    """Raises AuthorError without a name or a reason."""
    by, reason = (" ".join(plain(each, LONGEST).split()) for each in (by, reason))
    if not by or not reason:
        raise AuthorError("say who publishes (--by) and why (--reason): it is kept in the record")
    return Warrant(by[:LONGEST_NAME], datetime.now(UTC), reason, code_version(), environment())


def require_all_judged(lacking: tuple[Job, ...], damaged: tuple[str, ...]) -> None:
    """Raises PlatformError where some submissions couldn't be judged."""
    if not lacking and not damaged:
        return
    names = ", ".join(dict.fromkeys(job.student for job in lacking[:5]))
    said = "\n".join(damaged)
    raise PlatformError(
        f"{len(lacking) + len(damaged)} submissions couldn't be judged{': ' if names else ''}{names}. "
        "Nothing was published: run it again, or publish the others with --leave-faults; these keep their "
        "marks then" + (f"\n{said}" if said else "")
    )
