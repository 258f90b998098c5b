"""The folders of a course that grading writes: ``attempts/`` and ``autograded/``.

Contract: a folder appears whole, in the place of the one before it, or not at all. Who is killed
between the two may leave none, and their unfinished folders: see ``mending``.
``attempts/<student>/<assignment>/<number>/`` keeps the judged notebooks of every attempt;
``autograded/<student>/<assignment>/`` is a copy of the attempt that counts, where nbgrader's
formgrader and feedback look for it. Staff only: the notebooks hold the hidden tests.
"""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.errors import PlatformError

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
    # Not `nbformat.writes`, which reads it all once more to log what isn't as the format wants it.
    text: str = nbformat.versions[notebook.nbformat].writes_json(notebook)
    return text.encode()


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Makes ``target`` hold exactly these files, read-only. Raises PlatformError where the disk is full
    or can't be written; ``target`` is as it was then."""
    strange = [name for name in files if Path(name).name != name]
    if strange:
        raise ValueError(f"not plain file names: {strange[:3]}")
    incoming = _beside(target)
    try:
        incoming.mkdir(parents=True)
        for name, data in files.items():
            path = incoming / name
            path.write_bytes(data)
            path.chmod(READ_ONLY)
        swap_in(incoming, target)
    except OSError as error:
        shutil.rmtree(incoming, ignore_errors=True)
        raise unwritable(target, error) from error


def copy_folder(source: Path, target: Path) -> None:
    """Makes ``target`` a copy of ``source``, unless it is one. Raises PlatformError."""
    try:
        wanted = read_files(source)
    except OSError as error:
        raise PlatformError(f"{source}: {error.strerror}; restore it from a backup") from error
    if not target.is_dir() or read_files(target) != wanted:
        write_folder(target, wanted)


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def unwritable(path: Path, error: OSError) -> PlatformError:
    """The error that says where the disk failed."""
    advice = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "see to the disk"
    return PlatformError(f"{path} can't be written: {error.strerror}; {advice}, then run the same again")


def remove_leftovers(parent: Path, name: str) -> None:
    """Removes what writers of folders in ``parent`` left when they were killed; ``name`` is a pattern."""
    unfinished = re.compile(rf"\.({name})\.[0-9a-f]{{32}}")
    for path in parent.iterdir() if parent.is_dir() else ():
        if unfinished.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def swap_in(incoming: Path, target: Path) -> None:
    """Puts a finished folder in another's place; what was there is removed."""
    outgoing = _beside(target)
    if target.exists():
        target.rename(outgoing)
    try:
        incoming.rename(target)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            outgoing.rename(target)
        raise
    shutil.rmtree(outgoing, ignore_errors=True)


def _beside(target: Path) -> Path:
    """A name that no glob of nbgrader's finds, on the same file system."""
    return target.parent / f".{target.name}.{uuid.uuid4().hex}"
