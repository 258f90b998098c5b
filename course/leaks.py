"""Finds solutions and hidden tests in what students would receive.

Contract: a secret is a line of a solution or of a hidden test that says something (``telling``)
and that the author doesn't show anywhere in the student's notebook. ``scan`` reports every
secret, and every nbgrader marker, in any file of a release: in a notebook's sources, outputs,
metadata and attachments, in other files, and inside base64, zip and gzip. Trusts nothing that
nbgrader did.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import keyword
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from course.assignment import Assignment, Authored
from course.compose import compose_release, compose_source
from course.markers import PHRASES, Region, regions
from course.notebook import grade_id, grading
from course.percent import Kind

LONG = 20  # from this length on a line is also recognised inside a longer one
DEPTH = 3  # archives in archives, base64 in base64
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*")
WORD = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?")
EMPTY_WORDS = frozenset([*keyword.kwlist, "self"])
ARCHIVE_ERRORS = (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class Secret:
    """A line that no student may receive, and what it belongs to."""

    line: str
    origin: str


@dataclass(frozen=True)
class Leak:
    """A secret found in a file; ``where`` is the place in the file."""

    file: str
    where: str
    line: str
    origin: str

    def __str__(self) -> str:
        return f"{self.file}{f' ({self.where})' if self.where else ''}: {self.origin}: {self.line!r}"


def secrets_of(assignment: Assignment) -> tuple[Secret, ...]:
    """Every secret of an assignment, each line once."""
    visible = "\n".join(_normal(cell.source) for cell in compose_release(assignment).cells)
    found: dict[str, Secret] = {}
    for secret in _lines(assignment):
        if telling(secret.line) and secret.line not in visible:
            found.setdefault(secret.line, secret)
    return tuple(found.values())


def telling(line: str) -> bool:
    """Whether a line says enough to be recognised: not ``return x``, ``else:``, ``import math``."""
    if len(line) < 10 or re.match(r"import [\w., ]+$", line):
        return False
    return len([word for word in WORD.findall(line) if word not in EMPTY_WORDS]) >= 2


def scan(files: Mapping[str, bytes], secrets: Iterable[Secret]) -> tuple[Leak, ...]:
    """The leaks in a release, given as the bytes of its files by name."""
    known = tuple(secrets)
    return tuple(
        leak
        for name, data in files.items()
        for where, text in _texts(data, DEPTH)
        for leak in _search(name, where, text, known)
    )


def _lines(assignment: Assignment) -> Iterator[Secret]:
    for cell in compose_source(assignment).cells:
        lines = regions(cell.source)
        whole = grading(cell).get("solution") and not any(line.region for line in lines)
        for line in lines:
            if line.region or (whole and not line.marker):
                kind = "hidden test" if line.region is Region.HIDDEN else "solution"
                yield Secret(_flat(line.text), f"{kind} of {grade_id(cell)!r}")
    if isinstance(assignment.content, Authored):
        for cell in assignment.content.solution.of(Kind.SOLVE).values():
            yield from _of_source(cell.source, f"solution of {cell.id!r}")
    for variant in assignment.right:
        for name, source in variant.answers.items():
            yield from _of_source(source, f"solution of {name!r}, {variant.file.name}")


def _of_source(source: str, origin: str) -> Iterator[Secret]:
    for line in source.split("\n"):
        yield Secret(_flat(line), origin)


def _search(name: str, where: str, text: str, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    plain = _normal(ANSI.sub("", text))
    unescaped = html.unescape(plain)
    lines = set(plain.split("\n")) | set(unescaped.split("\n"))
    for phrase in PHRASES:
        if phrase in plain:
            yield Leak(name, where, phrase, "a marker of nbgrader")
    for secret in secrets:
        if len(secret.line) >= LONG:
            found = secret.line in plain or secret.line in unescaped
        else:
            found = any(line == secret.line or line.endswith(f" {secret.line}") for line in lines)
        if found:
            yield Leak(name, where, secret.line, secret.origin)


def _texts(data: bytes, depth: int) -> Iterator[tuple[str, str]]:
    """Every text in a file, with its place in the file."""
    if depth == 0:
        return
    if members := dict(_members(data)):
        for name, member in members.items():
            yield from ((f"{name} {where}".strip(), text) for where, text in _texts(member, depth - 1))
        return
    text = data.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield "", text
    else:
        yield from _strings(value, "", depth)


def _strings(value: object, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield where, str(key)
            yield from _strings(each, f"{where}.{key}".lstrip("."), depth)
    elif isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        joined = "" if all(each.endswith("\n") for each in value[:-1]) else "\n"
        yield from _strings(joined.join(value), where, depth)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _strings(each, f"{where}[{index}]", depth)
    elif isinstance(value, str):
        yield where, value
        if inner := _base64(value):
            yield from ((f"{where} {place}".strip(), text) for place, text in _texts(inner, depth - 1))


def _base64(text: str) -> bytes:
    body = text.rpartition("base64,")[2]
    try:
        return base64.b64decode(body) if BASE64.fullmatch(body) else b""
    except (binascii.Error, ValueError):
        return b""


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What an archive holds; nothing for a file that is none."""
    try:
        if data[:2] == b"\x1f\x8b":
            yield "gzip", gzip.decompress(data)
        elif data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from [(name, archive.read(name)) for name in archive.namelist()]
    except ARCHIVE_ERRORS:
        return


def _normal(text: str) -> str:
    return "\n".join(_flat(line) for line in text.split("\n"))


def _flat(line: str) -> str:
    return " ".join(line.split())
