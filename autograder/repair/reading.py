"""Reads a student's notebook: bytes in, plain cells out.

Contract: whatever the bytes are, the answer is a ``SubmittedNotebook`` or a ``SubmissionError``
that says in plain words what is wrong. Only what a submission may decide is read: the type,
text, attachments and claimed grade_id of each cell. Outputs, points and every other piece of
metadata are forgeable and are never looked at, except to tell the student that they were ignored.

Trusts nothing. Bytes are capped before they are parsed; the tree is never walked recursively.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autograder.errors import SubmissionError

MAX_BYTES = 20 * 1024 * 1024
MAX_CONTAINERS = 1_000_000
MAX_CELLS = 5_000
MAX_ID = 128

CELL_TYPES = ("code", "markdown", "raw")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class SubmittedCell:
    """One cell as the student left it. ``claims`` is its nbgrader metadata, which nobody believes."""

    cell_type: str
    text: str
    grade_id: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict)
    attachments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class SubmittedNotebook:
    """A student's cells in their order; ``dropped`` counts entries that were no cells."""

    cells: tuple[SubmittedCell, ...]
    nbformat: int = 4
    dropped: int = 0


def read_notebook(submitted: bytes | Mapping[str, object], name: str = "the notebook") -> SubmittedNotebook:
    """Reads a notebook of format 2, 3 or 4 from bytes, or from a document that is parsed already.

    Raises SubmissionError, with ``name`` in its message, for anything else.
    """
    document = _parse(submitted, name) if isinstance(submitted, bytes) else submitted
    if not isinstance(document, dict) or not ({"cells", "worksheets"} & document.keys()):
        raise SubmissionError(f"{name} is not a Jupyter notebook: save it from Jupyter and submit it again.")
    version = document.get("nbformat")
    if isinstance(version, bool) or version not in (2, 3, 4):
        shown = "…" if isinstance(version, list | dict) else str(version)[:20]
        raise SubmissionError(
            f"{name} has the notebook format {shown!r}, which is not known here: "
            "save it from a current Jupyter and submit it again."
        )
    entries = list(_entries(document))
    if not entries:
        raise SubmissionError(f"{name} has no cells: save your work in it and submit it again.")
    require_few(len(entries), name)
    cells = [_cell(entry) for entry in entries]
    kept = tuple(cell for cell in cells if cell is not None)
    return SubmittedNotebook(kept, int(version), len(cells) - len(kept))


def require_few(cells: int, name: str, whose: str = "") -> None:
    """Raises SubmissionError for more than are graded."""
    if cells > MAX_CELLS:
        raise SubmissionError(f"{name} has {cells} cells{whose}; {MAX_CELLS} is the most that is graded.")


def _parse(data: bytes, name: str) -> object:
    if not data.strip():
        raise SubmissionError(f"{name} is empty: save your work in it and submit it again.")
    if len(data) > MAX_BYTES:
        raise SubmissionError(
            f"{name} has {len(data) / 2**20:.1f} MB; {MAX_BYTES // 2**20} MB is the most that is graded. "
            "Clear its outputs, save it and submit it again."
        )
    if data.count(b"[") + data.count(b"{") > MAX_CONTAINERS:
        raise SubmissionError(
            f"{name} is too complex to be a notebook: clear its outputs and submit it again."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(
            f"{name} is not UTF-8 text (byte {error.start}): save it from Jupyter and submit it again."
        ) from error
    try:
        # NaN and Infinity are no JSON, but tools write them into outputs, and those aren't looked at.
        return json.loads(text, parse_constant=lambda word: None)
    except RecursionError as error:
        raise SubmissionError(f"{name} is nested too deeply to be a notebook.") from error
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(
            f"{name} is not valid JSON{where}, so the file is damaged: "
            "open it in Jupyter, save it and submit it again."
        ) from error


def _entries(document: Mapping[str, object]) -> Iterator[object]:
    """The raw cells, of ``cells`` (format 4) or of every worksheet (formats 2 and 3)."""
    worksheets = document.get("worksheets")
    sheets: list[object] = [document, *(worksheets if isinstance(worksheets, list) else [])]
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        if isinstance(cells, list):
            yield from cells


def _cell(entry: object) -> SubmittedCell | None:
    if not isinstance(entry, dict):
        return None
    text = _text(entry.get("source", entry.get("input", "")))
    if text is None:
        return None
    cell_type = entry.get("cell_type")
    if cell_type == "heading":
        text = "#" * _level(entry.get("level")) + " " + text
    if cell_type in ("heading", "html"):
        cell_type = "markdown"
    if cell_type not in CELL_TYPES:
        return None
    claims = _claims(entry)
    grade_id = claims.get("grade_id")
    known = isinstance(grade_id, str) and 0 < len(grade_id) <= MAX_ID
    return SubmittedCell(
        str(cell_type), text, str(grade_id) if known else None, claims, _attachments(entry.get("attachments"))
    )


def _level(level: object) -> int:
    return min(max(level, 1), 6) if isinstance(level, int) else 1


def _text(source: object) -> str | None:
    """A cell's text, None where there is none."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return _storable(source.replace("\r\n", "\n")) if isinstance(source, str) else None


def _storable(text: str) -> str:
    """Text without the two kinds of character that no file and no database takes."""
    return UNSTORABLE.sub("\ufffd", text)


def _claims(entry: Mapping[str, object]) -> Mapping[str, object]:
    metadata = entry.get("metadata")
    claims = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return claims if isinstance(claims, dict) else {}


def _attachments(found: object) -> dict[str, dict[str, str]]:
    """The images that a student pasted into a text cell: {name: {media type: base64}}."""
    if not isinstance(found, dict):
        return {}
    return {
        _storable(name): {
            _storable(kind): _storable(data) for kind, data in bundle.items() if isinstance(data, str)
        }
        for name, bundle in found.items()
        if isinstance(bundle, dict)
    }
