"""What comes in over HTTP: bodies are capped in bytes and in time while they arrive.

Contract: nothing of a body that is too long, too slow or cut short reaches a handler. What the
client says of its length is believed only where it is too much already. Files above ``SPOOL`` bytes wait
on the disk.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autograder.errors import SubmissionError
from hub.exchange.refusals import Oversize

MAX_PAGE = 4 * 2**20
MAX_JSON = 2**20
SECONDS = 300.0
OVERHEAD = 2**20  # for names and boundaries of a multipart body
SPOOL = 2**20
HANG_UP = {"Connection": "close"}


class BodyLimits:
    """Middleware: no body is longer than ``most`` bytes or takes longer than ``SECONDS``.

    Below ``exempt``, whose handlers have caps of their own, only the time is limited.
    """

    def __init__(self, app: ASGIApp, *, exempt: str, most: int = MAX_PAGE, seconds: float = SECONDS) -> None:
        self.app = app
        self.exempt = exempt
        self.most = most
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = None if scope["path"].startswith(self.exempt) else self.most
        await self.app(scope, _limited(receive, most, self.seconds), send)


def _limited(receive: Receive, most: int | None, seconds: float) -> Receive:
    end = asyncio.get_running_loop().time() + seconds
    got, is_over = 0, False

    async def limited() -> Message:
        nonlocal got, is_over
        if is_over:
            return await receive()
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request took too long to arrive; try again.", HANG_UP) from None
        is_over = not message.get("more_body", False)
        got += len(message.get("body", b""))
        if most is not None and got > most:
            raise HTTPException(413, "The request is too long.", HANG_UP)
        return message

    return limited


class _Parser(MultiPartParser):
    """Knows whether the last boundary came: a body that was cut short has none."""

    spool_max_size = SPOOL
    is_whole = False

    def on_end(self) -> None:
        self.is_whole = True


async def read_files(request: Request, most_files: int, most_bytes: int) -> dict[str, bytes]:
    """The files of a multipart body: name -> bytes. Raises Oversize, SubmissionError."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise SubmissionError("files come as multipart/form-data; use `nbgrader submit`")
    stream = _capped(request, most_bytes + OVERHEAD)
    parser = _Parser(request.headers, stream, max_files=most_files, max_fields=0)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise SubmissionError(f"the upload can't be read: {error.message}") from error
    try:
        if not parser.is_whole:
            raise SubmissionError("the upload was cut short; send it again")
        files: dict[str, bytes] = {}
        for _, upload in form.multi_items():
            name = cast(Any, upload).filename
            if name in files:
                raise SubmissionError(f"{name[:80]!r} is there twice; send one of the two")
            files[name] = await cast(Any, upload).read()
        return files
    finally:
        await form.close()


async def read_json(request: Request) -> Any:
    """A JSON body. Raises SubmissionError."""
    data = b"".join([chunk async for chunk in _capped(request, MAX_JSON)])
    try:
        return json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"the body is no JSON: {error}; write an object") from error


async def _capped(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    words = f"the upload has more than {most // 2**20} MB; remove large files and outputs"
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise Oversize(words)
    got = 0
    async for chunk in request.stream():
        got += len(chunk)
        if got > most:
            raise Oversize(words)
        yield chunk
