"""A small course that is released, and the notebooks that its students could check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nbformat import NotebookNode
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autograder.judge import Court
from course.assignment import Assignment
from course.compose import fill, reference
from course.notebook import code_cell, notebook_bytes
from course.records import Course
from course.release import release
from hub.checks import CheckRoom, Report, check_notebook, check_room
from hub.exchange.records import Member
from tests.course.sample import Sample

ID = "01-relu"
Fill = Callable[..., bytes]


@dataclass
class Released:
    """The course, its directory and the assignment."""

    sample: Sample
    course_dir: Path

    @property
    def course(self) -> Course:
        return self.sample.course

    @property
    def assignment(self) -> Assignment:
        return self.sample.assignment

    def room(self) -> CheckRoom:
        return check_room(self.course, self.course_dir, ID)

    def notebook(self, *extra: str, **answers: str) -> NotebookNode:
        """A student's notebook: the reference's answers, these, and cells of their own in front."""
        made = fill(self.assignment, reference(self.assignment) | answers)
        made.cells[1:1] = [code_cell(f"own_{n}", source, {}) for n, source in enumerate(extra)]
        return made

    def written(self, *extra: str, **answers: str) -> bytes:
        return notebook_bytes(self.notebook(*extra, **answers))


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    root = tmp_path_factory.mktemp("checks")
    made = Released(Sample(root / "sample"), root / "course")
    made.course_dir.mkdir()
    release(made.course, made.course_dir)
    return made


@pytest.fixture
def check(released: Released, court: Court) -> Callable[[bytes], Report]:
    return lambda data: check_notebook(released.room(), court, "relu.ipynb", data)


@dataclass
class FakeIdentity:
    """Takes ``Authorization: token <name>`` for whoever the name says."""

    members: dict[str, Member] = field(default_factory=dict)
    routes: Sequence[Route] = ()

    async def of_request(self, request: Request) -> Member | None:
        name = request.headers.get("authorization", "").removeprefix("token ")
        return self.members.get(name, Member(name)) if name.isalpha() else None

    def login_redirect(self, request: Request) -> Response:
        return Response(status_code=401)
