"""The formgrader in an instructor's server: its Autograde button lets the course service grade.

Theory of operation. nbgrader would judge in this process, and its other requests would wait. An
instructor's server is itself in a box, where no further box can be opened. So the button's address is
answered here: the service starts the job that `mlsys autograde` is, and the button hears how it
ended in the words that nbgrader would use. Job and formgrader share the gradebook's database, so
nbgrader's connections are made to wait for each other's locks as long as ours do.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from nbgrader.server_extensions.formgrader.apihandlers import AutogradeHandler as StockHandler
from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
from nbgrader.server_extensions.formgrader.handlers import SubmissionFilesHandler
from sqlalchemy import Engine, event
from tornado import web

from autograder.gradebook.database import BUSY_SECONDS
from hub.lab.course import CourseLink, Refusal, Unreachable

ADDRESS = r"formgrader/api/submission/([^/]+)/([^/]+)/autograde"


class AutogradeHandler(StockHandler):  # type: ignore[misc]  # nbgrader has no types
    """Answers as nbgrader's handler of this address does: ``success``, ``log`` and ``error``."""

    @web.authenticated
    @check_xsrf  # type: ignore[untyped-decorator]  # nbgrader has no types
    @check_notebook_dir  # type: ignore[untyped-decorator]
    async def post(self, assignment: str, student: str) -> None:
        self.finish(json.dumps(await graded(self.settings["mlsys_course"], assignment, student)))


async def graded(link: CourseLink | None, assignment: str, student: str) -> dict[str, Any]:
    """Has one submission graded and returns how that ended."""
    if link is None:
        return failed("This server belongs to no course; use `mlsys autograde`.")
    last: dict[str, Any] = {}
    try:
        async for news in link.autograde(assignment, student):
            last = news
    except (Refusal, Unreachable) as error:
        return failed(str(error))
    if last.get("state") != "done":
        return failed(str(last.get("message", "The course service ended without an answer.")))
    log = str(last["log"])
    return {"success": True, "log": log} if last["exit"] == 0 else failed("Not graded; see the log.", log)


def failed(words: str, log: str = "") -> dict[str, Any]:
    return {"success": False, "error": words, "log": log}


def confine_files() -> None:
    """Files that a student handed in beside the notebook are shown as Jupyter shows files: HTML and SVG
    among them run no script with the instructor's rights."""

    def policy(handler: Any) -> str:
        return f"{super(SubmissionFilesHandler, handler).content_security_policy}; sandbox"

    SubmissionFilesHandler.content_security_policy = property(policy)


def wait_for_locks(engines: Any = Engine) -> None:
    """Makes SQLite connections wait for locks as the grader's own do: of all engines, or of one."""

    @event.listens_for(engines, "connect")
    def patient(connection: object, record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
