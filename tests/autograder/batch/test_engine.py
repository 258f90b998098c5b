"""What the engine does with faults, with memory and with order; no box is opened here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.batch import Job, Memory, run_batch
from autograder.batch.bench import BenchLost
from autograder.batch.memory import free_bytes
from autograder.gradebook import Grading, Receipt

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def jobs(*students: str) -> list[Job]:
    return [Job(Receipt(student, "target", NOW, "0" * 64, (), (), "")) for student in students]


def grading(job: Job, fault: str = "") -> Grading:
    return Grading(job.student, job.assignment, job.receipt.sha256, NOW, NOW, (), fault=fault)


def failing(times: dict[str, int], tries: Counter[str] | None = None) -> Callable[[Job], Grading]:
    """Each student's first so many gradings are faults."""
    seen = Counter[str]() if tries is None else tries

    def grade(job: Job) -> Grading:
        seen[job.student] += 1
        return grading(job, "the host is busy" if seen[job.student] <= times.get(job.student, 0) else "")

    return grade


def test_a_fault_is_judged_again_until_it_is_none() -> None:
    done = list(run_batch(jobs("a", "b"), failing({"a": 2}), workers=1, pauses=(0, 0)))
    assert {(each.job.student, each.grading.fault, each.tries) for each in done} == {
        ("a", "", 3),
        ("b", "", 1),
    }


def test_the_last_fault_is_told_where_no_try_is_left() -> None:
    tries = Counter[str]()
    [done] = run_batch(jobs("a"), failing({"a": 9}, tries), workers=1, pauses=(0, 0))
    assert (done.grading.fault, done.tries, tries["a"]) == ("the host is busy", 3, 3)


def test_others_go_on_while_a_fault_waits() -> None:
    """The pause is an hour; the batch would never end if anybody waited for it."""
    batch = run_batch(jobs("a", "b", "c"), failing({"a": 1}), workers=1, pauses=(3600,))
    assert [next(batch).job.student for _ in range(2)] == ["b", "c"]
    batch.close()


def test_a_stop_tells_of_what_waits_for_another_try() -> None:
    stop = threading.Event()
    batch = run_batch(jobs("a", "b"), failing({"a": 1}), workers=1, stop=stop, pauses=(3600,))
    assert next(batch).job.student == "b"
    stop.set()
    assert [(each.job.student, each.grading.fault) for each in batch] == [("a", "the host is busy")]


def test_jobs_start_in_the_order_given() -> None:
    names = [f"s{number}" for number in range(20)]
    assert [each.job.student for each in run_batch(jobs(*names), grading, workers=1)] == names


def test_no_more_are_judged_at_once_than_fit() -> None:
    inside, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=30)

    def grade(job: Job) -> Grading:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        if job.student in ("a", "b"):
            both.wait()  # two of them do fit, and meet here
        with lock:
            inside -= 1
        return grading(job)

    memory = Memory(2 << 30, lambda job: 1 << 30)
    assert len(list(run_batch(jobs("a", "b", "c", "d", "e"), grade, workers=5, memory=memory))) == 5
    assert most == 2
    assert memory.left == 2 << 30


def test_one_that_never_fits_is_judged_alone() -> None:
    memory = Memory(1 << 30, lambda job: 8 << 30)
    assert len(list(run_batch(jobs("a", "b"), grading, workers=5, memory=memory))) == 2


def test_a_lost_bench_ends_the_batch_and_is_no_fault_of_a_submission() -> None:
    def grade(job: Job) -> Grading:
        raise BenchLost("the scheduler is gone")

    abandoned = threading.Event()
    with pytest.raises(BenchLost):
        list(run_batch(jobs("a", "b", "c"), grade, workers=1, abandon=abandoned.set, pauses=(0, 0)))


def test_free_memory_is_what_the_narrowest_group_leaves(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/outer/inner\n")
    inner = tmp_path / "sys/fs/cgroup/outer/inner"
    inner.mkdir(parents=True)
    assert free_bytes(tmp_path) == 8000 << 10
    for folder, limit in ((inner, "max"), (inner.parent, str(5000 << 10))):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(str(3000 << 10))
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {1000 << 10}\n")
    assert free_bytes(tmp_path) == 3000 << 10


def test_free_memory_in_the_first_version_of_groups(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 8000 kB\n")
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/box\n3:cpu,cpuacct:/\n")
    folder = tmp_path / "sys/fs/cgroup/memory/box"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(str(2000 << 10))
    (folder / "memory.usage_in_bytes").write_text(str(1500 << 10))
    (folder / "memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {500 << 10}\n")
    assert free_bytes(tmp_path) == 1000 << 10


def test_this_host_has_memory() -> None:
    assert 0 < free_bytes() < 1 << 50
