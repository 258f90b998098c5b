"""The filter as the kernel applies it: every call by its number, made in a box."""

from __future__ import annotations

import errno
import itertools
import json
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from autograder.sandbox import BoxFile, BoxSpec, interpreter, open_box
from autograder.sandbox.arguments import Condition, Rule, rules
from autograder.sandbox.policy import this_host
from autograder.sandbox.seccomp import ABSENT, ALLOWED, MEMORY_FILES, UNPINNED
from autograder.sandbox.syscalls import TABLES
from tests.autograder.sandbox.boxes import PATIENCE, SMALL, said
from tests.autograder.sandbox.calls import INT_80, PLAN

TABLE = TABLES["x86_64"]
NUMBER = TABLE.numbers
HOST = this_host()
Outcome = int | str

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86_64")

# Allowed calls that the kernel itself answers with an error of the filter's, for want of a capability.
KERNELS_OWN = {"setgroups": errno.EPERM}

# uretprobe and uprobe: from Linux 6.14 on no filter is asked about them. They work from a trampoline that
# the kernel puts into a probed process, and end any other caller or give it an error.
UNFILTERED = {335: "signal 4", 336: errno.ENXIO}


def in_a_box(plan: list[list[int]], *, loopback: bool = False) -> list[Outcome]:
    """What the kernel answered to each ``[number, argument…]``."""
    reader, writer = os.pipe()
    spec = BoxSpec(
        argv=(interpreter().executable, "-I", "/opt/probe/calls.py", str(writer)),
        limits=SMALL,
        files=(
            BoxFile("/opt/probe/calls.py", Path(__file__).with_name("calls.py").read_bytes()),
            BoxFile(PLAN, json.dumps(plan).encode()),
        ),
        pass_fds=(writer,),
        name="calls",
        diagnose=True,
        loopback=loopback,
    )
    try:
        with open_box(spec) as box:
            os.close(writer)
            ended = box.wait(PATIENCE)
            box.kill()
            assert ended, "the probe ran on"
            words = said(reader)
            assert words, box.diagnosis()
            outcomes: list[Outcome] = json.loads(words)
        return outcomes
    finally:
        os.close(reader)


def names(groups: Mapping[str, str]) -> set[str]:
    return {name for group in groups.values() for name in group.split()}


def allowed() -> set[str]:
    without_group = set() if HOST.place is None else set(MEMORY_FILES)
    return names(ALLOWED) | without_group | set(UNPINNED)


def rules_of(*, loopback: bool) -> tuple[Rule, ...]:
    return rules(loopback=loopback, own_uid=HOST.as_root, counted=HOST.place is not None)


def newer_than_this_kernel(name: str) -> bool:
    """Whether the kernel may lack an allowed call; those below are all older than 5.6."""
    major, minor = (int(word) for word in platform.release().split(".")[:2])
    return NUMBER[name] > NUMBER["pidfd_getfd"] and (major, minor) < (6, 10)


def test_every_number_gets_the_answer_that_the_policy_says() -> None:
    """The calls without conditions, and all numbers that no call has, to 20 beyond the table."""
    ruled = {call for rule in rules_of(loopback=False) for call in rule.calls}
    name_of = {number: name for name, number in NUMBER.items()}
    skipped = {*UNFILTERED, *(NUMBER[call] for call in ruled)}
    numbers = [number for number in range(TABLE.last + 21) if number not in skipped]
    wrong = []
    for number, outcome in zip(numbers, in_a_box([[number] for number in numbers]), strict=True):
        name = name_of.get(number, f"call {number}")
        if name in allowed():
            late = outcome == errno.ENOSYS and newer_than_this_kernel(name)
            reached = outcome not in (errno.EPERM, errno.ENOSYS, "signal 31")
            fine = reached or late or outcome == KERNELS_OWN.get(name)
        else:
            absent = name in names(ABSENT) or number > TABLE.last
            fine = outcome == (errno.ENOSYS if absent else errno.EPERM)
        if not fine:
            wrong.append((name, outcome))
    assert wrong == []


# Harmless arguments of the calls that a rule speaks of: what they ask for in vain is not the filter's error.
NOWHERE, PAGE = -1, 0x1000
HARMLESS = {
    "clone": [0] * 6,
    "personality": [0] * 6,
    "prlimit64": [0, 7, 0, 0],  # of RLIMIT_NOFILE, into nothing
    "prctl": [0] * 6,
    "arch_prctl": [0, 0],
    "mmap": [0, 0, 0, 0, -1, 0],  # no bytes
    "madvise": [PAGE, PAGE, 0],  # where nothing is mapped
    "socket": [1, 1, 0],
    "socketpair": [1, 1, 0, NOWHERE],
    "open": [NOWHERE, 0, 0],
    "openat": [-1, NOWHERE, 0, 0],
    "mknod": [NOWHERE, 0, 0],
    "mknodat": [-1, NOWHERE, 0, 0],
    "preadv2": [-1, NOWHERE, 0, 0, 0, 0],
    "memfd_create": [NOWHERE, 0],
}
PRCTL = {38: [38, 1, 0, 0, 0], 47: [47, 4, 0, 0, 0]}  # NO_NEW_PRIVS, CAP_AMBIENT: they take no zeros
# Passed, and then refused by the kernel with the same error: PR_SET_VMA where it has no names for memory,
# memfd_create with flags that contradict each other.
SAME_ERROR = [("prctl", 0x53564D41), ("memfd_create", NOWHERE)]
OTHERS = (2, 6, 12, 21, 26, 64, 77, 1024, 0x5412, 0x5423, 0x40022, 0x02000000, 0o4755, 0o20666, 0x7FFFFFFF)


def cases(rule: Rule, call: str) -> Iterator[list[int]]:
    """The call with everything that its rule names, and with others in each place that it looks at."""
    for way in rule.ways:
        for values in itertools.product(*(c.values for c in way)):
            arguments = [*HARMLESS.get(call, [-1] * 6)]
            for condition, value in zip(way, values, strict=True):
                arguments[condition.index] = value
            plain = [int(each) for each in arguments]
            yield PRCTL.get(plain[0], plain) if call == "prctl" else plain
    for index, value in itertools.product({c.index for way in rule.ways for c in way}, OTHERS):
        yield [value if place == index else each for place, each in enumerate(HARMLESS.get(call, [-1] * 6))]


def expected(rule: Rule, arguments: list[int]) -> int | None:
    """The error that the rule gives, None where it lets the call pass."""

    def holds(condition: Condition) -> bool:
        return arguments[condition.index] & condition.mask in condition.values

    if any(all(map(holds, way)) for way in rule.ways):
        return None
    return next((error for condition, error in rule.others if holds(condition)), rule.error)


@pytest.mark.parametrize("loopback", [False, True])
def test_every_condition_gets_the_answer_that_the_policy_says(loopback: bool) -> None:
    tried = [
        (rule, call, arguments)
        for rule in rules_of(loopback=loopback)
        for call in rule.calls
        if call in allowed()
        for arguments in cases(rule, call)
    ]
    outcomes = in_a_box([[NUMBER[call], *arguments] for _, call, arguments in tried], loopback=loopback)
    wrong = []
    for (rule, call, arguments), outcome in zip(tried, outcomes, strict=True):
        refused = expected(rule, arguments)
        passed = outcome != rule.error or (call, arguments[0]) in SAME_ERROR
        if not passed if refused is None else outcome != refused:
            wrong.append((call, arguments, outcome, refused))
    assert wrong == []


def test_calls_that_no_filter_is_asked_about_do_nothing() -> None:
    for number, outcome in zip(UNFILTERED, in_a_box([[number] for number in UNFILTERED]), strict=True):
        assert outcome in (errno.EPERM, UNFILTERED[number])


def test_calls_of_other_machines_end_the_process() -> None:
    x32, below_zero, getpid = 0x40000000, -1 & 0xFFFFFFFF, NUMBER["getpid"]
    outcomes = in_a_box([[x32 | getpid], [x32 | 512], [below_zero], [INT_80]])
    assert outcomes[:3] == ["signal 31"] * 3
    # A kernel without the 32-bit machine ends it before any filter is asked.
    assert outcomes[3] in ("signal 31", "signal 11")
