"""Objects are what was put, or an error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import fsspec  # type: ignore[import-untyped]  # it has no types
import pytest

from autograder.errors import PlatformError
from hub.exchange.objects import LocalObjects, Objects, RemoteObjects, open_objects

MEMORY = "memory://bucket/course"


@pytest.fixture(params=["local", "url"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    yield open_objects(str(tmp_path / "objects") if request.param == "local" else MEMORY)
    fsspec.filesystem("memory").store.clear()


def test_what_is_put_is_what_is_got(objects: Objects) -> None:
    for data in (b"", b"one", bytes(300_000)):
        sha256 = objects.put(data)
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert objects.put(data) == sha256
        assert objects.get(sha256) == data


def test_what_was_never_put_is_an_error(objects: Objects) -> None:
    for name in ("0" * 64, "../../etc/passwd", "", "A" * 64, "0" * 63 + "/"):
        with pytest.raises(PlatformError):
            objects.get(name)


def test_a_broken_object_is_an_error_and_is_healed_by_the_next_put(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    sha256 = objects.put(b"whole")
    path = tmp_path / sha256[:2] / sha256
    path.chmod(0o600)
    path.write_bytes(b"who")
    with pytest.raises(PlatformError, match="not what was kept"):
        objects.get(sha256)
    objects.put(b"whole")
    assert objects.get(sha256) == b"whole"
    assert [each.name for each in path.parent.iterdir()] == [sha256]


def test_a_broken_remote_object_is_an_error(tmp_path: Path) -> None:
    objects = RemoteObjects(MEMORY)
    sha256 = objects.put(b"whole")
    fsspec.filesystem("memory").pipe_file(f"/bucket/course/{sha256[:2]}/{sha256}", b"who")
    with pytest.raises(PlatformError, match="not what was kept"):
        objects.get(sha256)


def test_a_full_disk_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = LocalObjects(tmp_path)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PlatformError, match="No space left"):
        objects.put(b"data")
    monkeypatch.undo()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unknown_storage_is_an_error() -> None:
    with pytest.raises(PlatformError, match="storage failed"):
        open_objects("nosuch://bucket")
