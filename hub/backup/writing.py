"""Makes one archive of a course and its hub while they run.

Theory of operation. Databases are copied first, each at one moment, and then files. That order is enough,
because a row is committed only after the files that it names are durable, and those files never
change: whatever a copied row names is found when the files' turn comes. Of the databases the gradebook
is copied before the exchange, so that no grade is there without its submission.

Contract: the archive appears whole under its name or not at all, readable by its owner alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from autograder.errors import PlatformError
from course.tree import STATE
from hub.backup.databases import copy_sqlite, dump_postgres
from hub.backup.holdings import EXCHANGE_FILES, HOMES, PASSING, Holdings, sqlite_file
from hub.backup.objects import named_objects
from hub.backup.packing import Archive, Told
from hub.backup.records import LAST_BACKUP, DatabaseRecord, Manifest, Part
from hub.backup.walking import Found, walk

PASSING_IN_COURSE = (f"{STATE}/scratch-", f"{STATE}/lock", LAST_BACKUP)
BESIDE_SQLITE = ("-wal", "-shm", "-journal")
LEVEL = 3  # notebooks shrink to a fifth at it; a higher one costs much time and gives little
ORDER = ("gradebook", "exchange", "hub", "accounts")


@dataclass(frozen=True)
class Backup:
    """A finished archive. ``size``: its bytes; ``skipped``: what was left out, and why."""

    file: Path
    files: int
    size: int
    skipped: tuple[str, ...]


def back_up(holdings: Holdings, file: Path, told: Told = lambda name, size: None) -> Backup:
    """Writes the archive. ``told`` is called with each name in it and its size. Raises PlatformError."""
    file = file.absolute()
    if file.exists():
        raise PlatformError(f"{file} is there already; name another file")
    _require_outside(file, holdings)
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".mlsys-backup-") as scratch:
            part = Path(scratch) / file.name
            manifest = _write(holdings, part, Path(scratch), told)
            _sync(part)
            os.link(part, file)  # unlike a rename, it replaces nothing
            _sync(file.parent)
        (holdings.course_dir / STATE).mkdir(exist_ok=True)
        (holdings.course_dir / LAST_BACKUP).touch()
    except OSError as error:
        raise PlatformError(f"the backup {file} failed: {error}; nothing was kept") from error
    return Backup(file, len(manifest.files), file.stat().st_size, manifest.skipped)


def _write(holdings: Holdings, part: Path, scratch: Path, told: Told) -> Manifest:
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with (
        os.fdopen(fd, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz", compresslevel=LEVEL, format=tarfile.PAX_FORMAT) as tar,
    ):
        archive = Archive(tar, told)
        dumps = tuple(_databases(holdings, scratch, archive))
        _trees(holdings, archive)
        _objects(holdings, archive)
        manifest = _manifest(holdings, archive, dumps)
        archive.end(manifest)
    return manifest


def _manifest(holdings: Holdings, archive: Archive, dumps: tuple[DatabaseRecord, ...]) -> Manifest:
    parts, course_file = [Part.COURSE], str(holdings.course_file)
    if holdings.state is not None:
        parts += [Part.STATE, Part.HOMES] if holdings.homes else [Part.STATE]
        if holdings.course_file.is_relative_to(holdings.state):
            course_file = f"{Part.STATE}/{holdings.course_file.relative_to(holdings.state)}"
    return Manifest(
        made=datetime.fromtimestamp(archive.begun, UTC).isoformat(timespec="seconds"),
        version=version("mlsys-course"),
        course_file=course_file,
        parts=tuple(parts),
        files=tuple(archive.files),
        databases=dumps,
        skipped=tuple(archive.skipped),
        owners=archive.owners,
    )


def _databases(holdings: Holdings, scratch: Path, archive: Archive) -> Iterator[DatabaseRecord]:
    """SQLite files into the place where they are used; a dump of each PostgreSQL database."""
    dumped: dict[str, list[str]] = {}
    for name in ORDER:
        url = holdings.databases.get(name)
        if url is None:
            continue
        file = sqlite_file(url)
        if file is None:
            dumped.setdefault(url.render_as_string(hide_password=False), []).append(name)
            continue
        copy = scratch / f"{name}.sqlite"
        copy_sqlite(file, copy)
        archive.path(_place(holdings, name, file), copy)
        copy.unlink()
    for names in dumped.values():
        dump = scratch / "dump"
        dump_postgres(holdings.databases[names[0]], dump)
        record = DatabaseRecord(tuple(names), f"{Part.DATABASES}/{names[0]}.dump")
        archive.path(record.path, dump)
        dump.unlink()
        yield record


def _place(holdings: Holdings, name: str, file: Path) -> str:
    """Where a SQLite file stands in the archive: in its tree, if it is in one."""
    for part, root in ((Part.COURSE, holdings.course_dir), (Part.STATE, holdings.state)):
        if root is not None and file.resolve().parent == root.resolve():
            return f"{part}/{file.name}"
    raise PlatformError(
        f"the {name} database {file} is outside of the course directory and the hub's; move it there"
    )


def _trees(holdings: Holdings, archive: Archive) -> None:
    roots: list[tuple[Part, Path, tuple[str, ...]]] = [(Part.COURSE, holdings.course_dir, PASSING_IN_COURSE)]
    if holdings.state is not None:
        roots.append((Part.STATE, holdings.state, ()))
    places = frozenset(_elsewhere(holdings))
    for part, root, passing in roots:
        _tree(archive, part, root, partial(_is_left_out, root, places, passing))
    homes = holdings.state / HOMES if holdings.state is not None and holdings.homes else None
    if homes is not None and homes.is_dir():
        _tree(archive, Part.HOMES, homes, lambda name: False)


def _elsewhere(holdings: Holdings) -> Iterator[str]:
    """Paths that a tree leaves out: live databases, what lasts no longer than a run, the other trees."""
    for url in holdings.databases.values():
        if sqlite_file(url) is not None:
            yield from (f"{url.database}{suffix}" for suffix in ("", *BESIDE_SQLITE))
    yield str(holdings.course_dir)
    if holdings.state is not None:
        yield str(holdings.state)
        yield from (str(holdings.state / name) for name in (*PASSING, HOMES))


def _is_left_out(root: Path, places: frozenset[str], passing: tuple[str, ...], name: str) -> bool:
    return str(root / name) in places or name.startswith(passing)


def _tree(archive: Archive, part: Part, root: Path, skips: Callable[[str], bool]) -> None:
    for found in walk(root, skips, lambda words: archive.skipped.append(f"{part}/{words}")):
        if found.fd is None:
            archive.folder(f"{part}/{found.name}", found.status.st_mode)
            if part is Part.HOMES and "/" not in found.name:
                archive.owners[found.name] = found.status.st_uid
            continue
        _plain(archive, f"{part}/{found.name}", found, found.fd)


def _plain(archive: Archive, name: str, found: Found, fd: int) -> None:
    with os.fdopen(os.dup(fd), "rb") as source:
        try:
            name.encode()
        except UnicodeEncodeError:
            archive.skipped.append(f"{name!a}: its name is not UTF-8")
            return
        archive.file(name, source, found.status.st_size, found.status.st_mode, found.status.st_mtime)


def _objects(holdings: Holdings, archive: Archive) -> None:
    """The exchange's files, where they are not in the course directory, by what its database names."""
    if not holdings.storage or Path(holdings.storage) == holdings.course_dir / EXCHANGE_FILES:
        return
    with contextlib.closing(named_objects(holdings.databases["exchange"], holdings.storage)) as objects:
        for sha256, data in objects:
            archive.file(f"{Part.OBJECTS}/{sha256[:2]}/{sha256}", io.BytesIO(data), len(data), 0o400)


def _require_outside(file: Path, holdings: Holdings) -> None:
    for root in (holdings.course_dir, holdings.state):
        if root is not None and file.resolve().is_relative_to(root.resolve()):
            raise PlatformError(f"{file} lies in {root}, which is to be backed up; name a file elsewhere")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
