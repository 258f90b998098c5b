"""Control groups: the real ones where this host gives them, version 2's files from a made-up tree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.sandbox import cgroup
from autograder.sandbox.cgroup import Group, GroupUsage, Place
from autograder.sandbox.policy import this_host

FOUND = this_host().place


@pytest.fixture
def place() -> Place:
    if FOUND is None:
        pytest.skip("needs control groups")
    return FOUND


@pytest.fixture
def second_version(tmp_path: Path) -> Group:
    """A group of version 2 as its files would read."""
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n")
    (tmp_path / "memory.peak").write_text("1048576\n")
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0\n")
    (tmp_path / "pids.events").write_text("max 4\n")
    return Group(2, dict.fromkeys(("memory", "pids", "cpu"), tmp_path))


def test_counters_of_version_two(second_version: Group) -> None:
    assert second_version.usage() == GroupUsage(
        cpu_seconds=1.5, peak_bytes=1 << 20, oom_kills=3, refused_forks=4
    )


def test_kernel_without_a_peak_gives_none(second_version: Group, tmp_path: Path) -> None:
    (tmp_path / "memory.peak").unlink()
    assert second_version.usage().peak_bytes == 0


def test_one_folder_is_entered_once(second_version: Group, tmp_path: Path) -> None:
    assert second_version.entrances == (tmp_path / "cgroup.procs",)


def test_folder_hands_out_controllers_only_when_asked_and_able(tmp_path: Path) -> None:
    handed = tmp_path / "cgroup.subtree_control"
    handed.write_text("cpu memory pids\n")
    assert cgroup._hands_out_controllers(tmp_path)
    handed.write_text("cpu\n")
    # A plain file keeps what is written, a kernel would list the names.
    assert not cgroup._hands_out_controllers(tmp_path)
    assert handed.read_text() == "+memory +pids"


def test_group_of_this_process_is_read_for_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "4:memory:/a/b\n3:cpu,cpuacct:/a\n0::/user.slice/x.scope\n"
    monkeypatch.setattr(Path, "read_text", lambda self: text)
    assert cgroup._own_groups() == {"memory": "/a/b", "cpu": "/a", "cpuacct": "/a", "": "/user.slice/x.scope"}


def test_group_outside_the_mount_is_not_found(tmp_path: Path) -> None:
    mount = cgroup._Mount(Path("/docker/1"), tmp_path, frozenset())
    assert mount.locate("/docker/2") is None
    assert mount.locate("/docker/1") == tmp_path
    assert mount.locate("/docker/1/gone") is None


def test_kill_ends_what_is_in_the_group_and_nothing_else(place: Place) -> None:
    group = place.make(memory_bytes=64 << 20, processes=8)
    inside, outside = (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)
    )
    with inside, outside:
        for entrance in group.entrances:
            entrance.write_text(str(inside.pid))
        group.kill()
        assert inside.wait() == -9
        assert outside.poll() is None
        group.remove()
        group.remove()
        outside.kill()
    assert not any(entrance.parent.exists() for entrance in group.entrances)


def test_limits_are_what_was_asked(place: Place) -> None:
    group = place.make(memory_bytes=64 << 20, processes=8)
    folders = {entrance.parent for entrance in group.entrances}
    values = {
        (folder / "pids.max").read_text().strip() for folder in folders if (folder / "pids.max").exists()
    }
    assert values == {"8"}
    assert group.usage().oom_kills == 0
    group.remove()


@pytest.fixture
def unswept(place: Place) -> Iterator[Place]:
    """A place of this test's own: any process of the platform that starts beside it sweeps the other one."""
    folders = {base: base / f"of-a-test-{os.getpid()}" for base in place.bases.values()}
    for folder in folders.values():
        folder.mkdir()
    own = Place(place.version, {controller: folders[base] for controller, base in place.bases.items()})
    assert own.version == 1 or all(map(cgroup._hands_out_controllers, folders.values()))
    yield own
    for folder in folders.values():
        folder.rmdir()


def test_sweep_removes_what_dead_processes_left_and_nothing_else(unswept: Place) -> None:
    place = unswept
    base = next(iter(place.bases.values()))
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    namespace = cgroup._pid_namespace()
    dead = base / f"mlsys-{namespace}-{gone.stdout.strip()}-1-00000000"
    reused = base / f"mlsys-{namespace}-{os.getpid()}-1-00000000"
    elsewhere = base / f"mlsys-1{namespace}-{gone.stdout.strip()}-1-00000000"
    others = base / "mlsys-of-somebody"
    mine = place.make(memory_bytes=64 << 20, processes=8)
    for folder in (dead, reused, elsewhere, others):
        folder.mkdir()
    stuck, kept = (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)
    )
    try:
        (dead / "cgroup.procs").write_text(str(stuck.pid))
        (elsewhere / "cgroup.procs").write_text(str(kept.pid))
        place.sweep()
        assert stuck.wait() == -9
        place.sweep()
        assert not dead.exists()
        assert not reused.exists()
        assert kept.poll() is None
        assert elsewhere.exists()
        assert others.exists()
        assert all(entrance.exists() for entrance in mine.entrances)
    finally:
        for process in (stuck, kept):
            process.communicate()
        mine.remove()
        for folder in (elsewhere, others):
            folder.rmdir()


def test_a_group_that_goes_while_it_is_read_has_nobody_in_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    group = place.make(memory_bytes=64 << 20, processes=8)

    def removed_once_open(path: Path) -> str:
        with path.open() as file:
            group.remove()
            return file.read()

    monkeypatch.setattr(Path, "read_text", removed_once_open)
    assert cgroup._pids_in(group.entrances[0].parent) == set()
    assert cgroup._pids_in(group.entrances[0].parent) == set()
