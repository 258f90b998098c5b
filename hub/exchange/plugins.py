"""nbgrader's exchange without a shared file system: its plug-ins speak to the course service.

In ``nbgrader_config.py``::

    from hub.exchange.plugins import configure_exchange
    configure_exchange(c)

Then ``nbgrader list``, ``fetch_assignment``, ``submit`` and ``fetch_feedback`` work for students,
``release_assignment``, ``collect`` and ``release_feedback`` for instructors, and so do JupyterLab's
Assignment List and the formgrader, which call the same classes.

Contract: who one is comes from the server's token, the time from the service; ``--student`` lets staff
choose, nobody else. The course is the hub's: its id needn't be configured, and a wrong one is an
error. Nothing is ever deleted: removing a released assignment withdraws it, and submissions stay.
nbgrader calls ``start``, which calls ``init_src``, ``init_dest`` and ``copy_files`` in this order.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc

from autograder.gradebook.intake import read_folder
from hub.exchange.client import Offer
from hub.exchange.listing import HubList, feedback_on
from hub.exchange.packages import read_package, write_package
from hub.exchange.plugin import STAMP, HubExchange, feedback_folder

RECEIPTS = "receipts"


class HubFetchAssignment(HubExchange, abc.ExchangeFetchAssignment):  # type: ignore[misc]  # no types
    """Student: gets the released files. What is there already is never overwritten."""

    def init_dest(self) -> None:
        self.target = self.folder(self.assignment)
        if self.target.is_dir() and not self.replace_missing_files:
            self.fail(f"You have a copy of the assignment in {self.target}; add --replace for missing files.")

    def copy_files(self) -> None:
        files = self.client.fetch(self.assignment)
        for name in write_package(self.target, files, replace=False):
            self.log.info(f"Fetched {self.target / name}")
        self.log.info(f"Fetched as: {self.course.id} {self.assignment}")


class HubSubmit(HubExchange, abc.ExchangeSubmit):  # type: ignore[misc]  # nbgrader has no types
    """Student: hands the notebooks in, and the other files that the assignment takes.

    The signed receipt is kept in ``receipts/`` beside the notebooks.
    """

    def init_src(self) -> None:
        # nbgrader allows a path to the assignment's folder.
        self.coursedir.assignment_id = Path(str(self.coursedir.assignment_id)).name
        self.source = self.folder(self.assignment)
        if not self.source.is_dir():
            self.fail(f"There is no folder {self.source}; run this where the assignment's folder is.")

    def init_dest(self) -> None:
        if self.student not in (None, self.course.member.name):
            self.fail(f"You are {self.course.member.name}; nobody submits for somebody else.")

    def copy_files(self) -> None:
        offer = next((each for each in self.client.assignments() if each.assignment == self.assignment), None)
        accepts = offer.accepts if offer is not None else ()
        files = read_folder(self.source, lambda name: name.lower().endswith(".ipynb") or name in accepts)
        self.compare(offer, files)
        receipt = self.client.submit(self.assignment, files)
        taken = receipt.submission
        kept = {f"{taken.received:%Y%m%dT%H%M%S}-{taken.number}.json": receipt.text().encode()}
        write_package(self.source / RECEIPTS, kept, replace=True)
        self.log.info(f"Submitted as: {self.course.id} {self.assignment} {taken.received.strftime(STAMP)}")
        self.log.info(f"Submission {taken.number}, receipt in {self.source / RECEIPTS / next(iter(kept))}")

    def compare(self, offer: Offer | None, files: Iterable[str]) -> None:
        """Says which notebooks are missing or strange; with --strict a missing one ends it."""
        released = {each.name for each in offer.files if each.name.endswith(".ipynb")} if offer else set()
        missing = sorted(released - set(files))
        if missing and self.strict:
            self.fail(f"{self.assignment} not submitted: {', '.join(missing)} is missing.")
        if missing:
            self.log.warning(f"Missing in this submission of {self.assignment}: {', '.join(missing)}")


class HubFetchFeedback(HubExchange, abc.ExchangeFetchFeedback):  # type: ignore[misc]  # no types
    """Student: gets the feedback on each submission, in ``feedback/<time of submission>/``."""

    def copy_files(self) -> None:
        wanted = None if self.coursedir.assignment_id in ("", "*") else self.assignment
        student = self.student or self.course.member.name
        returned = self.client.returned(student, wanted)
        count = 0
        for submission in self.client.submissions(student, wanted):
            found = feedback_on(submission, returned)
            if found is not None:
                folder = feedback_folder(self.folder(submission.assignment), submission)
                write_package(folder, self.client.read_returned(found), replace=True)
                self.log.info(f"Fetched feedback: {folder}")
                count += 1
        if not count:
            self.log.warning("There is no feedback to fetch yet.")


class HubReleaseAssignment(HubExchange, abc.ExchangeReleaseAssignment):  # type: ignore[misc]  # no types
    """Instructor: puts the release version of an assignment out."""

    def init_src(self) -> None:
        paths = self.coursedir
        self.source = Path(paths.format_path(paths.release_directory, ".", self.assignment))
        if not self.source.is_dir():
            self.fail(f"There is no {self.source}; run `mlsys release {self.assignment}` first.")

    def copy_files(self) -> None:
        files = read_package(self.source)
        is_out = any(
            each.assignment == self.assignment and each.released for each in self.client.assignments()
        )
        if is_out and not self.force:
            self.fail(f"{self.assignment} is released; add --force to replace it.")
        self.client.release(self.assignment, files)
        self.log.info(f"Released as: {self.course.id} {self.assignment}")


class HubCollect(HubExchange, abc.ExchangeCollect):  # type: ignore[misc]  # nbgrader has no types
    """Instructor: lays all submissions into the course directory, as `mlsys collect` does.

    The newest is the one to grade, whatever --update says: no submission is ever lost by that.
    """

    def init_dest(self) -> None:
        if self.before_duedate:
            self.fail("--before-duedate is not known here: lateness costs what course.toml says.")

    def copy_files(self) -> None:
        from hub.exchange.collecting import collect  # only where there is a course directory to write in

        course_dir = Path(self.coursedir.root).resolve()
        found = self.client.submissions(self.student, self.assignment)
        for receipt in collect(course_dir, found, self.client.read_submission):
            self.log.info(f"Collecting submission: {receipt.student} {receipt.assignment}")
        if not found:
            self.log.warning(f"No submissions of '{self.assignment}' to collect")


class HubReleaseFeedback(HubExchange, abc.ExchangeReleaseFeedback):  # type: ignore[misc]  # no types
    """Instructor: gives the feedback pages in the course directory back."""

    def copy_files(self) -> None:
        from hub.coursework import open_gradebook
        from hub.exchange.returning import feedback_of, students_with_feedback

        course_dir = Path(self.coursedir.root).resolve()
        left_out = set(str(self.coursedir.student_id_exclude).split(","))
        students = (
            [self.student] if self.student else list(students_with_feedback(course_dir, self.assignment))
        )
        with open_gradebook(course_dir) as gradebook:
            for student in students:
                found = feedback_of(course_dir, gradebook, student, self.assignment)
                if found is None or student in left_out:
                    continue
                self.client.give_back(
                    student, self.assignment, found.files, sha256=found.sha256, attempt=found.attempt
                )
                self.log.info(f"Feedback released to: {student} {self.assignment}")


def configure_exchange(c: Any) -> None:
    """Sets nbgrader's exchange classes in an ``nbgrader_config.py``."""
    for name, plugin in PLUGINS.items():
        setattr(c.ExchangeFactory, name, plugin)


PLUGINS: dict[str, type[HubExchange]] = {
    "exchange": HubExchange,
    "fetch_assignment": HubFetchAssignment,
    "fetch_feedback": HubFetchFeedback,
    "release_assignment": HubReleaseAssignment,
    "release_feedback": HubReleaseFeedback,
    "list": HubList,
    "submit": HubSubmit,
    "collect": HubCollect,
}
