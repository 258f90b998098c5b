"""Sets of files that staff give out: a release, feedback. Path -> bytes.

Contract: a path is relative, of at most ``MAX_DEPTH`` plain names divided by ``/``. What is read from a
folder is its plain files; a link or a device is an error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from autograder.errors import AuthorError, SubmissionError
from autograder.gradebook.intake import require_file_name

MAX_DEPTH = 5
MAX_FILES = 500
MAX_TOTAL = 200 * 2**20


def require_paths(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with their names as they are kept. Raises SubmissionError."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_TOTAL:
        raise SubmissionError(f"{MAX_FILES} files and {MAX_TOTAL // 2**20} MB are the most; leave some out")
    return {require_path(name): data for name, data in files.items()}


def require_path(given: str) -> str:
    """A relative path of plain names. Raises SubmissionError."""
    parts = given.split("/")
    if len(parts) > MAX_DEPTH:
        raise SubmissionError(f"{given[:80]!r} is too deep: {MAX_DEPTH} folders are the most")
    return "/".join(map(require_file_name, parts))


def read_release(course_dir: Path, assignment: str) -> dict[str, bytes]:
    """The files of ``release/<assignment>``. Raises AuthorError."""
    folder = course_dir / "release" / assignment
    if not folder.is_dir():
        raise AuthorError(f"{folder} doesn't exist; run `mlsys release {assignment}` first")
    return read_package(folder)


def read_package(folder: Path) -> dict[str, bytes]:
    """All plain files below a folder; hidden ones are left out. Raises SubmissionError."""
    files: dict[str, bytes] = {}
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root) / name
            if name.startswith("."):
                continue
            if not stat.S_ISREG(path.lstat().st_mode):
                raise SubmissionError(f"{path} is no plain file; put a copy in its place")
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return require_paths(files)


def write_package(folder: Path, files: Mapping[str, bytes], *, replace: bool) -> list[str]:
    """Writes files below a folder, which is made; returns the paths that were written.

    What is there stays unless ``replace``. Never follows a link out of the folder.
    """
    written = []
    for name, data in require_paths(files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(folder.resolve()):
            raise SubmissionError(f"{path.parent} leads out of {folder}; remove the link")
        if (path.exists() or path.is_symlink()) and not replace:
            continue
        incoming = path.with_name(f".{path.name}.new")
        incoming.unlink(missing_ok=True)
        incoming.write_bytes(data)
        incoming.replace(path)
        written.append(name)
    return written
