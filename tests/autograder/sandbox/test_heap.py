"""Where small objects and frames lie in a race's box: each fact in a process of its own."""

from __future__ import annotations

import subprocess
import sys

COUNTED = """
from autograder.sandbox.heap import Settled
past = [float(n) for n in range(30_000)]
del past[::2]
{settle}
places = [id(each) for each in [float(n) for n in range(500)]]
print(sum(after - before == 32 for before, after in zip(places, places[1:])))
"""


def said(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_after_settling_small_objects_lie_one_after_the_other() -> None:
    [scattered] = said(COUNTED.format(settle=""))
    [ordered] = said(COUNTED.format(settle="kept = Settled()"))
    assert int(scattered) < 250 < 450 < int(ordered)


def test_new_arenas_stay_with_the_process() -> None:
    faults = "resource.getrusage(resource.RUSAGE_SELF).ru_minflt"
    program = f"""
import resource
from autograder.sandbox.heap import Settled
kept = Settled()
[float(n) for n in range(200_000)]
before = {faults}
for _ in range(10):
    [float(n) for n in range(200_000)]
print({faults} - before)
"""
    assert int(said(program)[0]) < 10_000  # 16,000 where they are given back and taken again


def test_displaced_objects_move_the_next_ones() -> None:
    program = """
from random import Random
from autograder.sandbox.heap import Settled, displaced
kept, random, seen = Settled(), Random(1), set()
for _ in range(50):
    held = displaced(random)
    seen.add(id(float(random.random())) % 4096 // 64)
    seen.add(64 + id(bytes(20)) % 4096 // 64)
    del held
print(sum(place < 64 for place in seen), sum(place >= 64 for place in seen))
"""
    floats, others = map(int, said(program))
    assert floats > 10 < others


def test_depth_counts_for_nothing_against_the_recursion_limit() -> None:
    """A function that recurses to the limit gets as far in each turn at least, and the limit is what it was."""
    program = """
import sys
from autograder.sandbox.heap import Settled
def deepest():
    try:
        return 1 + deepest()
    except RecursionError:
        return 0
def without(call):
    return call()
heap, before = Settled(), sys.getrecursionlimit()
[usual] = {without(deepest) for _ in range(99)}
turns = {heap.turn(deepest) for _ in range(99)}
print(usual <= min(turns) <= max(turns) < usual + 99, sys.getrecursionlimit() == before)
print(heap.turn(lambda: sys.setrecursionlimit(5000)), sys.getrecursionlimit())
"""
    assert said(program) == ["True", "True", "None", "5000"]
