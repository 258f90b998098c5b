"""What a process that is to be forked from does with its memory, seen from a forked one."""

from __future__ import annotations

import os
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
    [scattered] = said_by(FORKED.format(size=size, every=every, settle=""))
    [together] = said_by(FORKED.format(size=size, every=every, settle="settle_for_forks()"))
    assert int(together) < 0.5 * int(scattered)


def test_holes_are_taken_once() -> None:
    program = """
from autograder.sandbox.pages import fill_c_holes
past = [bytes(2_000) for _ in range(3_000)]
del past[::2]
print(fill_c_holes() > 1_000, fill_c_holes() < 200)
"""
    assert said_by(program) == ["True", "True"]


# How many times a forked process asks for memory to train a few steps.
TRAINED = """
import os, resource, torch
from autograder.sandbox.pages import join_code, watch_code
from autograder.sandbox.zygote import train
def fails():
    try: torch.ones(2) @ torch.ones(3)
    except RuntimeError as error: return str(error)
def seen(): return [torch.linspace(0, 1, 9).sin().tolist(), fails()]
train(torch)
watch_code()
train(torch)
before = seen()
{join}
if os.fork() == 0:
    first = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    train(torch)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - first, seen() == before, flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 1),
    reason="Linux joins pages on request from 6.1 on",
)
def test_code_that_was_used_comes_with_the_fork() -> None:
    """And does the same as before, to the exceptions that C++ throws."""
    apart, *_ = said_by(TRAINED.format(join=""))
    moved, again, together, same = said_by(TRAINED.format(join="print(join_code(), join_code())"))
    assert int(moved) > 5
    assert again == "0"
    assert int(together) < int(apart) - 100
    assert same == "True"


def said_by(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-uc", program], capture_output=True, text=True, check=True)
    return done.stdout.split()
