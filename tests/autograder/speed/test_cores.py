"""Which cores race and which work, on hosts of any shape."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autograder.speed.cores import Cores, beside_the_lanes, listed, spelt, threads_of, work_cores
from tests.autograder.sandbox.boxes import run

SEVERAL = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


def host(physical: int, threads: int = 1, mask: range | None = None) -> Cores:
    """A host whose core n has the threads n, n + physical, …, as Linux numbers them."""
    together = {
        n: frozenset(range(n % physical, physical * threads, physical)) for n in range(physical * threads)
    }
    mine = frozenset(together if mask is None else mask)
    return Cores(mine, {core: together[core] for core in mine})


@pytest.mark.parametrize(
    ("cores", "lanes", "work"),
    [
        (host(1), (0,), {0}),
        (host(2), (1,), {0}),
        (host(4), (3,), {0, 1, 2}),
        (host(7), (6,), set(range(6))),
        (host(8), (7, 6), set(range(6))),
        (host(16), (15, 14, 13, 12), set(range(12))),
        (host(1, threads=2), (1,), {0, 1}),
        (host(2, threads=2), (3,), {0, 2}),
        (host(4, threads=2), (7,), {0, 1, 2, 4, 5, 6}),
        (host(8, threads=2), (15, 14), {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13}),
        (host(16, mask=range(4, 7)), (6,), {4, 5}),
        (host(4, threads=2, mask=range(1, 4)), (3,), {1, 2}),
    ],
)
def test_the_last_of_four_physical_cores_is_a_lane_and_the_rest_work(
    cores: Cores, lanes: tuple[int, ...], work: set[int]
) -> None:
    assert cores.lanes == lanes
    assert cores.work == work


@pytest.mark.parametrize("physical", range(1, 40))
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_two_lanes_never_share_a_physical_core_and_none_works(physical: int, threads: int) -> None:
    cores = host(physical, threads)
    places = [cores.place(core) for core in cores.lanes]
    assert len(set(places)) == len(places) >= 1
    if physical > 1:
        assert not {cores.place(core) for core in cores.work} & set(places)
        assert len(cores.work) >= len(cores.mask) * 0.5


def test_threads_are_read_from_the_kernel(tmp_path: Path) -> None:
    topology = tmp_path / "cpu5" / "topology"
    topology.mkdir(parents=True)
    (topology / "thread_siblings_list").write_text("5,13\n")
    assert threads_of(5, tmp_path) == {5, 13}
    assert threads_of(6, tmp_path) == {6}
    (topology / "thread_siblings_list").write_text("nonsense\n")
    assert threads_of(5, tmp_path) == {5}


def test_set_of_cores_is_read_as_the_kernel_writes_it() -> None:
    assert listed("0-3,8\n") == {0, 1, 2, 3, 8}
    assert listed("7") == {7}
    assert listed("\n") == frozenset()


@pytest.mark.parametrize("text", ["", "0", "0-1", "0-3,8", "1,3,5-7"])
def test_set_of_cores_is_written_as_the_kernel_writes_it(text: str) -> None:
    assert spelt(listed(text)) == text


def test_these_cores_are_those_of_the_mask() -> None:
    here = Cores.here()
    assert here.mask == os.sched_getaffinity(0)
    assert set(here.lanes) <= here.mask
    assert set(work_cores()) == here.work


@SEVERAL
def test_correctness_work_keeps_off_the_lanes_and_the_mask_comes_back() -> None:
    before = os.sched_getaffinity(0)
    lanes = set(Cores.here().lanes)
    with pytest.raises(ZeroDivisionError), beside_the_lanes():
        assert not lanes & os.sched_getaffinity(0)
        said = subprocess.run(
            [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert set(map(int, said.split())) == os.sched_getaffinity(0)
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


@SEVERAL
def test_other_threads_keep_their_cores() -> None:
    """A race that another thread starts meanwhile still finds its lane."""
    seen: list[tuple[int, ...]] = []
    asked, answered = threading.Event(), threading.Event()

    def race() -> None:
        asked.wait(30)
        seen.append(Cores.here().lanes)
        answered.set()

    other = threading.Thread(target=race)
    other.start()
    lanes = Cores.here().lanes
    with beside_the_lanes():
        asked.set()
        assert answered.wait(30)
    other.join()
    assert seen == [lanes]


@SEVERAL
def test_race_is_pinned_to_a_lane_from_work_that_keeps_off_it() -> None:
    """A thread's mask is only a default: a pinned box gets its core, another one may choose."""
    [core] = Cores.here().lanes[:1]
    with beside_the_lanes():
        assert run("say(*os.sched_getaffinity(0))", cpus=(core,)).said.split() == [str(core)]
        free = run(
            "say(*os.sched_getaffinity(0)); os.sched_setaffinity(0, os.sched_getaffinity(0)); say('chose')"
        ).said
    assert str(core) not in free.splitlines()[0].split()
    assert free.splitlines()[1] == "chose"
