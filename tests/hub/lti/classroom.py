"""A graded class in a course directory, for the command as people run it, and a platform that knows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from typer.testing import CliRunner, Result

from autograder.gradebook import Gradebook
from autograder.judge import NotebookResult
from course.gradebook import gradebook_url
from course.reader import read_course
from hub.cli.lti import app
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from hub.lti.launches import Launches
from hub.lti.records import Launch, Person
from tests.autograder.gradebook.gradings import grading, result
from tests.autograder.notebooks import cell_of, right, two_questions
from tests.hub.command import ROOT
from tests.hub.exchange.serving import COURSE
from tests.hub.lti.platform import CONTEXT, DEPLOYMENT, LINK, SCOPES, Platform
from tests.hub.lti.room import Room

LAYERS = "layers"
MAXIMUM = 15.0  # twelve by checks, three by a person, of whose text there is none


@dataclass(frozen=True)
class Classroom:
    """``course_dir`` beside its ``course.toml``."""

    course_dir: Path
    platform: Platform

    @property
    def course_file(self) -> Path:
        return self.course_dir.parent / "course.toml"

    def exchange(self) -> Exchange:
        return Exchange(read_course(self.course_file), self.course_dir)

    def set_up(self) -> None:
        """The teacher and the students of the platform are here, and have launched."""
        self.course_file.write_text(COURSE.replace("01-layers", LAYERS))
        with self.exchange() as exchange:
            for person in self.platform.people:
                role = Role.STUDENT if person.graded else Role.INSTRUCTOR
                exchange.enrol([Member(person.login, role)])
            launches = Launches(exchange.database)
            launches.note(self.launch(exchange), None)
            people = self.platform.people
            launches.note_people(Person(self.platform.url, each.user_id, each.login) for each in people)

    def launch(self, exchange: Exchange) -> Launch:
        return Launch(
            Room(exchange, self.platform).registration,
            DEPLOYMENT,
            CONTEXT,
            LINK,
            datetime.now(UTC),
            lineitems=self.platform.lineitems,
            memberships=self.platform.memberships,
            scopes=SCOPES[:4],
            title="Systems",
        )

    def grade(self, student: str, judged: NotebookResult | None = None, minutes: float = 0) -> None:
        with Gradebook(gradebook_url(self.course_dir), self.course_dir) as book:
            given = judged or result()
            book.record_attempt(grading(given, submitted=without_essay(), student=student, minutes=minutes))

    def grade_all(self) -> dict[str, float]:
        """Everybody gets 12 of 15; user id -> score on the platform's column."""
        learners = [each for each in self.platform.people if each.graded]
        for each in learners:
            self.grade(each.login)
        return {each.user_id: 12.0 for each in learners}

    def run(self, *arguments: str) -> Result:
        """The command, in this process: starting one takes seconds."""
        return CliRunner().invoke(app, arguments, env={"COLUMNS": "160", **self.environment})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command, running; its stderr goes to the caller's."""
        return subprocess.Popen(
            [sys.executable, "-m", "hub.cli.app", "lti", *arguments],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "160", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {"MLSYS_COURSE": str(self.course_file), "MLSYS_COURSE_DIR": str(self.course_dir)}

    def shown(self) -> dict[str, float]:
        return self.platform.grades(self.platform.column(LAYERS))


def without_essay() -> NotebookNode:
    """Nothing of it waits for a person."""
    notebook = right(two_questions())
    notebook.cells.remove(cell_of(notebook, "why"))
    return notebook


def events(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def named(found: Sequence[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [each for each in found if each.get("event") == event]
