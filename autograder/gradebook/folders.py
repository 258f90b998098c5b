"""The folders of a course that grading writes: ``attempts/`` and ``autograded/``.

Contract: a folder appears whole, in the place of the one before it, or not at all.
``attempts/<student>/<assignment>/<number>/`` keeps the judged notebooks of every attempt;
``autograded/<student>/<assignment>/`` is a copy of the attempt that counts, where nbgrader's
formgrader and feedback look for it. Staff only: the notebooks hold the hidden tests.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

READ_ONLY = 0o444


def attempt_folder(course: Path, student: str, assignment: str, number: int) -> Path:
    """Where an attempt's notebooks are."""
    return course / "attempts" / student / assignment / str(number)


def autograded_folder(course: Path, student: str, assignment: str) -> Path:
    """Where nbgrader looks for the notebooks of the attempt that counts."""
    return course / "autograded" / student / assignment


def timestamp(received: datetime) -> bytes:
    """nbgrader's ``timestamp.txt``."""
    return f"{received.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')} UTC\n".encode()


def notebook_bytes(notebook: NotebookNode) -> bytes:
    """A notebook as a file."""
    text: str = nbformat.writes(notebook, nbformat.NO_CONVERT)
    return text.encode()


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Makes ``target`` hold exactly these files, read-only."""
    strange = [name for name in files if Path(name).name != name]
    if strange:
        raise ValueError(f"not plain file names: {strange[:3]}")
    incoming = _beside(target)
    incoming.mkdir(parents=True)
    for name, data in files.items():
        path = incoming / name
        path.write_bytes(data)
        path.chmod(READ_ONLY)
    swap_in(incoming, target)


def copy_folder(source: Path, target: Path) -> None:
    """Makes ``target`` a copy of ``source``."""
    write_folder(target, {path.name: path.read_bytes() for path in source.iterdir() if path.is_file()})


def swap_in(incoming: Path, target: Path) -> None:
    """Puts a finished folder in another's place; what was there is removed."""
    outgoing = _beside(target)
    if target.exists():
        target.rename(outgoing)
    incoming.rename(target)
    shutil.rmtree(outgoing, ignore_errors=True)


def _beside(target: Path) -> Path:
    """A name that no glob of nbgrader's finds, on the same file system."""
    return target.parent / f".{uuid.uuid4().hex}"
