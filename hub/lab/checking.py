"""Sends a user's notebook to be checked and passes on what is said of it.

Contract: the notebook is read through Jupyter's own contents manager, so a path means what it means
in JupyterLab. Outputs are left out of what is sent: nobody looks at them, and they may be large.
"""

from __future__ import annotations

import asyncio
import html
import json
from pathlib import PurePosixPath
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from hub.lab.course import CourseLink, Refusal, Unreachable, slim

MAX_BYTES = 20 * 2**20
NO_COURSE = "This server belongs to no course, so nothing can be checked here."


class Told(Exception):
    """An end before the check began: a status and words for the user."""

    def __init__(self, status: int, words: str, do: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.said = {"error": words, "do": do}


class CourseHandler(APIHandler):
    """What the handlers share: the link to the course, and reading a notebook."""

    auth_resource = "contents"

    @property
    def link(self) -> CourseLink:
        link: CourseLink | None = self.settings["mlsys_course"]
        if link is None:
            raise Told(404, NO_COURSE)
        return link

    async def notebook(self, path: object) -> tuple[str, str, bytes]:
        """(assignment, file name, bytes without outputs) of a notebook. Raises Told."""
        if not isinstance(path, str) or not path.lower().endswith(".ipynb"):
            raise Told(422, "Only notebooks can be checked.")
        manager: Any = self.contents_manager
        about = await ensure_async(manager.get(path, content=False))
        if (about.get("size") or 0) > MAX_BYTES:
            raise Told(
                413, f"The notebook has more than {MAX_BYTES // 2**20} MB.", "Clear its outputs, save it."
            )
        found = await ensure_async(manager.get(path, content=True, type="file", format="text"))
        place = PurePosixPath(path)
        assignment, data = await asyncio.to_thread(slim, found["content"], place.parent.name)
        return assignment, place.name, data

    def tell(self, error: Exception) -> None:
        """Ends the answer with an error that has words."""
        if isinstance(error, Unreachable):
            status, said = 502, {"error": str(error), "do": ""}
        else:
            assert isinstance(error, Told | Refusal)  # noqa: S101 - the callers catch these three
            # 401 and 403 of the service are about the token, not about this page's login.
            status, said = (424 if error.status == 401 else error.status), error.said
        self.set_status(status)
        self.finish(json.dumps(said))


class CheckHandler(CourseHandler):
    """JupyterLab's "Check my work"."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        try:
            asked = self.get_json_body() or {}
            assignment, name, data = await self.notebook(asked.get("path"))
            self.set_header("Content-Type", "application/x-ndjson")
            self.set_header("Cache-Control", "no-store")
            async for news in self.link.check(assignment, name, data):
                self.write(json.dumps(news) + "\n")
                await self.flush()
            self.finish()
        except StreamClosedError:
            return  # the page went away, and leaving the loop tells the service
        except (Told, Refusal, Unreachable) as error:
            if self._headers_written:
                self.finish(json.dumps({"state": "failed", "message": str(error)}) + "\n")
            else:
                self.tell(error)


class ValidateHandler(CourseHandler):
    """nbgrader's "Validate", in the shape that its page knows."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        path = self.get_argument("path", None) or (self.get_json_body() or {}).get("path")
        try:
            assignment, name, data = await self.notebook(path)
            last: dict[str, Any] = {}
            async for news in self.link.check(assignment, name, data):
                last = news
            self.finish(json.dumps(validation(last)))
        except (Told, Refusal, Unreachable) as error:
            self.finish(json.dumps({"success": False, "value": str(error)}))


def validation(last: dict[str, Any]) -> dict[str, Any]:
    """The last news of a check as nbgrader's validator would say it; ``error`` is HTML there."""
    if last.get("state") != "done":
        return {"success": False, "value": str(last.get("message", "The check ended without an answer."))}
    report = last["report"]
    if report["problem"] or report["fault"]:
        return {"success": False, "value": report["summary"]}
    failed = [
        {"source": f"# {check['title']}", "error": html.escape(words), "raw_error": words}
        for question in report["questions"]
        for check in question["checks"]
        if check["verdict"] not in (None, "OK")
        for words in [check["message"] or check["words"]]
    ]
    return {"success": True, "value": {"failed": failed} if failed else {}}
