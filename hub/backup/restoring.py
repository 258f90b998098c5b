"""Puts a backup back: into new folders and empty databases, never over what is there.

Theory of operation. The archive is unpacked beside the course directory and verified whole. Then
PostgreSQL's databases are filled, each in one transaction, then the folders are moved into place, and
hub.toml last: until it is there, `mlsys up` finds no hub.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from autograder.errors import PlatformError
from course.gradebook import FILE as GRADEBOOK_FILE
from hub.backup.archive import unpack
from hub.backup.databases import parse, require_empty, restore_postgres
from hub.backup.holdings import EXCHANGE_FILES, HOMES
from hub.backup.packing import Told
from hub.backup.records import Manifest, Part
from hub.exchange.objects import open_objects
from hub.settings import FILE as SETTINGS_FILE
from hub.spawner.homes import FIRST_UID, LAST_UID, free_uid

OPTIONAL = ("port", "gradebook_database")  # keys that hub.toml need not have
KEYS = {"gradebook": "gradebook_database", "exchange": "exchange_database", "hub": "hub_database"}


@dataclass(frozen=True)
class Targets:
    """Where things go. ``state``: None leaves the hub out. ``databases``: URLs of empty PostgreSQL
    databases, by what is kept in them. ``storage``: of the exchange's files, "" for the course directory.
    ``course_file``: the course.toml to teach, None for the one that was taught."""

    course_dir: Path
    state: Path | None = None
    databases: Mapping[str, str] = field(default_factory=dict)
    storage: str = ""
    course_file: Path | None = None
    port: int | None = None


@dataclass(frozen=True)
class Restored:
    """What was put back, and where."""

    manifest: Manifest
    course_dir: Path
    state: Path | None


def restore(archive: Path, targets: Targets, told: Told = lambda name, size: None) -> Restored:
    """Restores an archive. Raises PlatformError; before anything is in place, unless it says so."""
    course_dir = targets.course_dir.absolute()
    for folder in (course_dir, targets.state):
        if folder is not None:
            _require_free(folder.absolute())
    try:
        beside = (targets.state.absolute() if targets.state is not None else course_dir).parent
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside, prefix=".mlsys-restore-") as scratch:
            return _restore(archive, targets, Path(scratch), told)
    except OSError as error:
        raise PlatformError(
            f"restoring {archive} failed: {error}; remove what it left and try again"
        ) from error


def _restore(archive: Path, targets: Targets, scratch: Path, told: Told) -> Restored:
    manifest = unpack(archive, scratch, told)
    state = targets.state.absolute() if targets.state is not None else None
    if state is not None and Part.STATE not in manifest.parts:
        raise PlatformError(f"{archive} holds no hub; leave --state out")
    databases = _databases(manifest, targets)
    settings = _settings(scratch, manifest, targets, databases) if state is not None else ""
    _objects(scratch, targets)
    for record in manifest.databases:
        restore_postgres(databases[record.names[0]], scratch / record.path)
    if "gradebook" in databases:
        _private(scratch / Part.COURSE / GRADEBOOK_FILE, _text(databases["gradebook"]) + "\n")
    if state is not None:
        _homes(scratch, manifest)
        _place(scratch / Part.STATE, state, 0o711)
    _place(scratch / Part.COURSE, targets.course_dir.absolute(), 0o700)
    if state is not None:
        _private(state / SETTINGS_FILE, settings)
    return Restored(manifest, targets.course_dir.absolute(), state)


def _databases(manifest: Manifest, targets: Targets) -> dict[str, URL]:
    """The database for each name of each dump. Raises PlatformError unless all are given and empty."""
    needed = {name for record in manifest.databases for name in record.names}
    if needed != set(targets.databases):
        wanted = ", ".join(f"{name}=postgresql://…" for name in sorted(needed)) or "none"
        raise PlatformError(f"databases to restore into: {wanted}; give exactly these with --database")
    found = {name: parse(url) for name, url in targets.databases.items()}
    for record in manifest.databases:
        urls = {_text(found[name]) for name in record.names}
        if len(urls) > 1:
            raise PlatformError(f"{' and '.join(record.names)} were in one database; give them one URL")
        require_empty(found[record.names[0]])
    if len({_text(found[record.names[0]]) for record in manifest.databases}) < len(manifest.databases):
        raise PlatformError("two databases can't be restored into one; give each a URL of its own")
    return found


def _objects(scratch: Path, targets: Targets) -> None:
    """The exchange's files from the storage that they were in."""
    folder = scratch / Part.OBJECTS
    if not folder.is_dir():
        if targets.storage:
            raise PlatformError(
                "the exchange's files were in the course directory, and are again; give no storage"
            )
        return
    objects = open_objects(targets.storage or str(scratch / Part.COURSE / EXCHANGE_FILES))
    for path in sorted(folder.glob("*/*")):
        objects.put(path.read_bytes())


def _homes(scratch: Path, manifest: Manifest) -> None:
    """Homes go into the state directory; where root restores, each gets its owner back."""
    homes = scratch / Part.HOMES
    if not homes.is_dir():
        return
    if os.geteuid() == 0:
        for home in sorted(homes.iterdir()):
            uid = manifest.owners.get(home.name, -1)
            _give(home, uid if FIRST_UID <= uid <= LAST_UID or uid == 0 else free_uid(homes))
    homes.chmod(0o711)
    homes.rename(scratch / Part.STATE / HOMES)


def _give(home: Path, uid: int) -> None:
    for folder, _, files in os.walk(home):
        for path in (folder, *(f"{folder}/{name}" for name in files)):
            os.chown(path, uid, uid, follow_symlinks=False)


def _settings(scratch: Path, manifest: Manifest, targets: Targets, databases: Mapping[str, URL]) -> str:
    """hub.toml for its new place; it is taken out of the unpacked folder, to be written last."""
    file = scratch / Part.STATE / SETTINGS_FILE
    text = file.read_text(encoding="utf-8")
    file.unlink()
    lines: dict[str, str] = {
        "course": json.dumps(str(_course_file(manifest, targets))),
        "course_dir": json.dumps(str(targets.course_dir.absolute())),
        **{KEYS[name]: json.dumps(_text(url)) for name, url in databases.items() if name in KEYS},
    }
    if targets.port is not None:
        lines["port"] = str(targets.port)
    if targets.storage:
        lines["exchange_files"] = json.dumps(targets.storage)
    else:
        text = re.sub(r"(?m)^exchange_files *=.*\n", "", text)
    for key, value in lines.items():
        text, count = re.subn(rf"(?m)^{key} *=.*$", lambda _, k=key, v=value: f"{k} = {v}", text)  # type: ignore[misc]
        if count != 1 and not (count == 0 and key in OPTIONAL):
            raise PlatformError(f"{SETTINGS_FILE} of the backup has {count} lines of {key}; it needs one")
    return text


def _course_file(manifest: Manifest, targets: Targets) -> Path:
    if targets.course_file is not None:
        return targets.course_file.absolute()
    inside = manifest.course_file.removeprefix(f"{Part.STATE}/")
    if inside != manifest.course_file and targets.state is not None:
        return targets.state.absolute() / inside
    file = Path(manifest.course_file)
    if not file.is_file():
        raise PlatformError(f"the course was {file}, which isn't here; name its course.toml with --course")
    return file


def _require_free(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise PlatformError(f"{folder} is there already; restore into a new folder, and move it afterwards")


def _place(fresh: Path, folder: Path, mode: int) -> None:
    """Moves a folder to its place, which is free; over file systems by way of a copy beside it."""
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    fresh.chmod(mode)
    if folder.exists():
        folder.rmdir()
    try:
        fresh.rename(folder)
    except OSError:
        shutil.move(fresh, folder)


def _private(file: Path, text: str) -> None:
    """A file for its owner's eyes, in place of one that was there."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
