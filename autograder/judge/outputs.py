"""Outputs that came out of a box, made safe to store: exact shapes, plain strings, a size cap."""

from __future__ import annotations

import re
from typing import Any

MIME = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,80}")
STREAMS = ("stdout", "stderr")
SLACK = 1 << 8  # for the line that says that an output was cut: every cell may have it
PIECE = 32


def clean_outputs(sent: list[Any], cap: int) -> tuple[dict[str, Any], ...]:
    """nbformat v4 outputs from what a box sent; whatever isn't one is dropped.

    ``cap`` is in bytes. Every piece costs ``PIECE`` of them, for a million empty lines are no nothing.
    """
    kept: list[dict[str, Any]] = []
    left = cap + SLACK
    for each in sent[:10_000]:
        output = clean_output(each)
        size = size_of(output) if output else 0
        if output is not None and size <= left:
            kept.append(output)
            left -= size
    return tuple(kept)


def clean_output(sent: Any) -> dict[str, Any] | None:
    if type(sent) is not dict:
        return None
    kind = sent.get("output_type")
    if kind == "stream" and sent.get("name") in STREAMS and type(sent.get("text")) is str:
        return {"output_type": "stream", "name": sent["name"], "text": sent["text"]}
    if kind == "error":
        trace = sent.get("traceback")
        lines = [line for line in trace if type(line) is str] if type(trace) is list else []
        return {
            "output_type": "error",
            "ename": text_of(sent.get("ename")),
            "evalue": text_of(sent.get("evalue")),
            "traceback": lines,
        }
    if kind in ("display_data", "execute_result"):
        return clean_bundle(sent, kind)
    return None


def clean_bundle(sent: dict[str, Any], kind: str) -> dict[str, Any] | None:
    data = sent.get("data")
    if type(data) is not dict:
        return None
    shown = {
        mime: body
        for mime, body in data.items()
        if type(mime) is str and MIME.fullmatch(mime) and type(body) is str
    }
    if not shown:
        return None
    bundle: dict[str, Any] = {"output_type": kind, "data": shown, "metadata": {}}
    if kind == "execute_result":
        count = sent.get("execution_count")
        bundle["execution_count"] = count if type(count) is int and 0 < count < 1 << 31 else None
    return bundle


def text_of(sent: Any) -> str:
    return sent if type(sent) is str else ""


def size_of(output: dict[str, Any]) -> int:
    parts: list[str] = []
    for part in output.values():
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, list):
            parts.extend(part)
        elif isinstance(part, dict):
            parts.extend([*part.keys(), *part.values()])
    return sum(PIECE + len(part.encode("utf-8", "replace")) for part in parts)
