"""What all of nbgrader's exchange plug-ins do alike: see ``hub.exchange.plugins``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.exchange import ExchangeFactory, abc
from traitlets import Bool

from autograder.errors import GraderError
from autograder.gradebook.intake import ASSIGNMENT
from hub.exchange.client import CourseClient, CourseSeen
from hub.exchange.records import Submission

STAMP = "%Y-%m-%d %H:%M:%S.%f %Z"


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


def feedback_folder(folder: Path, submission: Submission) -> Path:
    """Where the feedback on a submission is kept, below the folder of its assignment."""
    return folder / "feedback" / submission.received.strftime(STAMP)
