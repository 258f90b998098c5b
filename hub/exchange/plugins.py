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

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.exchange import ExchangeFactory, abc
from traitlets import Bool

from autograder.errors import GraderError
from autograder.gradebook.intake import ASSIGNMENT, read_folder
from hub.exchange.client import CourseClient, CourseSeen, Offer
from hub.exchange.packages import read_package, write_package
from hub.exchange.records import Returned, Submission

STAMP = "%Y-%m-%d %H:%M:%S.%f %Z"
RECEIPTS = "receipts"

Entry = dict[str, Any]


class HubExchange(abc.Exchange):  # type: ignore[misc]  # nbgrader has no types
    """What all of the plug-ins do alike."""

    path_includes_course = Bool(
        False, help="Whether the folder of an assignment is in one of the course."
    ).tag(config=True)

    @cached_property
    def client(self) -> CourseClient:
        """This server's user's way to the exchange."""
        return CourseClient.of_environment()

    @cached_property
    def course(self) -> CourseSeen:
        """The hub's course. Fails for the id of another one."""
        seen = self.client.course()
        wanted = self.coursedir.course_id if self.coursedir is not None else ""
        if wanted not in ("", "*", seen.id):
            self.fail(f"This hub's course is {seen.id}, not {wanted}; leave --course out.")
        return seen

    @property
    def assignment(self) -> str:
        """The assignment that is meant. Fails for what is no name."""
        name = str(self.coursedir.assignment_id)
        if not ASSIGNMENT.fullmatch(name):
            self.fail(f"{name[:80]!r} is no assignment; name one that `nbgrader list` shows.")
        return name

    @property
    def student(self) -> str | None:
        """Whom --student names, if anybody."""
        name = str(self.coursedir.student_id)
        return None if name in ("", "*") else name

    def folder(self, assignment: str) -> Path:
        """Where somebody works on an assignment."""
        parts = (self.course.id, assignment) if self.path_includes_course else (assignment,)
        return Path(self.assignment_dir, *parts).absolute()

    def start(self) -> Any:
        try:
            return super().start()
        except GraderError as error:
            self.tell(error)
        finally:
            if "client" in self.__dict__:
                self.client.close()
                del self.__dict__["client"]

    def tell(self, error: GraderError) -> NoReturn:
        """Ends with the error's words. JupyterLab shows those of any error but ExchangeError."""
        if isinstance(self.parent, ExchangeFactory):
            self.log.error(str(error))
            raise error
        self.fail(str(error))
        raise AssertionError("fail() raises")

    def init_src(self) -> None:
        pass

    def init_dest(self) -> None:
        pass

    def copy_files(self) -> None:
        pass


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


class HubList(HubExchange, abc.ExchangeList):  # type: ignore[misc]  # nbgrader has no types
    """Everybody: what is released (and fetched), or with --cached and --inbound what was submitted."""

    def start(self) -> list[Entry]:
        found: list[Entry] = super().start()
        return found

    def list_files(self) -> list[Entry]:
        """Called by ``start``."""
        if self.inbound or self.cached:
            return self.list_submitted()
        entries = [self.released_entry(each) for each in self.offers()]
        self.log.info("Released assignments:")
        for entry in entries:
            note = " (already downloaded)" if entry["status"] == "fetched" else ""
            self.log.info(f"{entry['course_id']} {entry['assignment_id']}{note}")
        return entries

    def remove_files(self) -> list[Entry]:
        """Called by ``start`` for --remove: withdraws what is released."""
        if self.inbound or self.cached:
            self.fail("Submissions are never removed.")
        entries = []
        for offer in self.offers():
            self.client.withdraw(offer.assignment)
            self.log.info(f"Withdrawn: {self.course.id} {offer.assignment}")
            entries.append({**self.released_entry(offer), "status": "removed"})
        return entries

    def list_submitted(self) -> list[Entry]:
        """One entry for a student and an assignment, with all submissions in it, oldest first."""
        whose = self.student or (None if self.inbound else self.course.member.name)
        returned = self.client.returned(whose, self.wanted)
        groups: dict[tuple[str, str], list[Entry]] = {}
        self.log.info("Submitted assignments:")
        for submission in self.client.submissions(whose, self.wanted):
            entry = self.submitted_entry(submission, feedback_on(submission, returned))
            groups.setdefault((submission.student, submission.assignment), []).append(entry)
            self.log.info(
                f"{self.course.id} {submission.student} {submission.assignment} {entry['timestamp']} "
                f"({words_of(entry)})"
            )
        return [
            {
                "course_id": self.course.id,
                "student_id": student,
                "assignment_id": assignment,
                "status": "submitted",
                "submissions": entries,
            }
            for (student, assignment), entries in sorted(groups.items())
        ]

    @property
    def wanted(self) -> str | None:
        name = self.coursedir.assignment_id if self.coursedir is not None else ""
        return None if name in ("", "*") else self.assignment

    def offers(self) -> list[Offer]:
        return [
            each
            for each in self.client.assignments()
            if each.released and self.wanted in (None, each.assignment)
        ]

    def released_entry(self, offer: Offer) -> Entry:
        folder = self.folder(offer.assignment)
        is_there = folder.is_dir()
        paths = sorted(folder.glob("*.ipynb")) if is_there else [Path(each.name) for each in offer.files]
        return {
            "course_id": self.course.id,
            "assignment_id": offer.assignment,
            "status": "fetched" if is_there else "released",
            "path": str(folder) if is_there else "",
            "notebooks": [
                {"notebook_id": path.stem, "path": str(path) if is_there else ""}
                for path in paths
                if path.suffix == ".ipynb"
            ],
        }

    def submitted_entry(self, submission: Submission, returned: Returned | None) -> Entry:
        folder = feedback_folder(self.folder(submission.assignment), submission)
        ready = {each.name: each.sha256 for each in returned.files} if returned is not None else {}
        here = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        is_new = any(name not in here or digest(folder / name) != ready[name] for name in ready)
        state = {
            "has_local_feedback": bool(here),
            "has_exchange_feedback": bool(ready),
            "feedback_updated": bool(here) and is_new,
        }
        notebooks = [each.name for each in submission.files if each.name.lower().endswith(".ipynb")]
        return {
            **state,
            "course_id": self.course.id,
            "student_id": submission.student,
            "assignment_id": submission.assignment,
            "timestamp": submission.received.strftime(STAMP),
            "status": "submitted",
            "path": "",
            "local_feedback_path": str(folder) if here else None,
            "notebooks": [
                {
                    **state,
                    "notebook_id": Path(name).stem,
                    "path": "",
                    "local_feedback_path": str(folder / f"{Path(name).stem}.html") if here else None,
                }
                for name in notebooks
            ],
        }


def feedback_on(submission: Submission, returned: Iterable[Returned]) -> Returned | None:
    """The newest feedback on these bytes."""
    return next((each for each in returned if _key(each) == _key(submission)), None)


def _key(record: Submission | Returned) -> tuple[str, str, str]:
    return (record.student, record.assignment, record.sha256)


def feedback_folder(folder: Path, submission: Submission) -> Path:
    return folder / "feedback" / submission.received.strftime(STAMP)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def words_of(entry: Entry) -> str:
    if entry["has_local_feedback"] and not entry["feedback_updated"]:
        return "feedback already fetched"
    return "feedback ready to be fetched" if entry["has_exchange_feedback"] else "no feedback available"


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
