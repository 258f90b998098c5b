"""What a process that is to be forked from does with its memory, seen from a forked one."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Where memory was freed, one place in each page or so, and how many pages a forked process's new objects take.
FORKED = """
import os, resource
from autograder.sandbox.pages import settle_for_forks
past = [bytes({size}) for _ in range(40_000)]
del past[::{every}]
{settle}
if os.fork() == 0:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    new = [bytes({size}) for _ in range(2_000)]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(("size", "every"), [(600, 8), (60, 60)])
def test_what_a_forked_process_makes_lies_together(size: int, every: int) -> None:
    """Objects of the C library's memory (over 512 bytes), and of Python's own."""
    scattered = pages_of(FORKED.format(size=size, every=every, settle=""))
    together = pages_of(FORKED.format(size=size, every=every, settle="settle_for_forks()"))
    assert together < 0.5 * scattered


def test_holes_are_taken_once() -> None:
    program = """
from autograder.sandbox.pages import fill_c_holes
past = [bytes(2_000) for _ in range(3_000)]
del past[::2]
print(fill_c_holes() > 1_000, fill_c_holes() < 200)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def pages_of(program: str) -> int:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)
