"""The filter, run by a BPF interpreter of a few lines: what it answers to each call."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from autograder.sandbox import HostUnfit
from autograder.sandbox.seccomp import AFFINITY, ALLOWED, MEMORY_FILES, filter_program
from autograder.sandbox.syscalls import TABLES

X86_64 = TABLES["x86_64"]
NUMBER = X86_64.numbers
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
DANGEROUS = """
    ptrace process_vm_readv process_vm_writev mount umount2 pivot_root chroot unshare setns keyctl
    add_key request_key bpf perf_event_open userfaultfd kexec_load init_module finit_module
    delete_module reboot swapon acct open_by_handle_at name_to_handle_at shmget msgget semget
    mq_open modify_ldt iopl ioperm settimeofday clock_settime quotactl kcmp syslog fanotify_init
    memfd_secret sethostname vmsplice move_mount fsopen open_tree mount_setattr process_madvise
    move_pages setxattr
"""
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def answer(program: bytes, number: int, *arguments: int, arch: int = X86_64.audit_arch) -> int:
    """What the kernel would read from the filter for this call."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("<HBBI", program))
    place, value = 0, 0
    while True:
        code, on_true, on_false, operand = instructions[place]
        place += 1
        if code == RETURN:
            return int(operand)
        if code == LOAD:
            value = struct.unpack_from("<I", data, operand)[0]
            continue
        holds = {EQUAL: value == operand, AT_LEAST: value >= operand, ANY_BIT: bool(value & operand)}[code]
        place += on_true if holds else on_false


@pytest.fixture(scope="module")
def program() -> bytes:
    return filter_program(machine="x86_64")


def allowed_names() -> set[str]:
    return {name for group in ALLOWED.values() for name in group.split()}


def test_every_allowed_name_is_a_call_of_the_machine() -> None:
    assert allowed_names() | set(MEMORY_FILES) | set(AFFINITY) <= NUMBER.keys()


@pytest.mark.skipif(not HEADER.exists(), reason="needs the kernel's headers")
def test_numbers_are_those_of_the_kernels_header() -> None:
    header = dict(re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text()))
    assert {name: int(number) for name, number in header.items()}.items() <= NUMBER.items()


def test_calls_in_a_group_are_allowed_and_all_others_refused(program: bytes) -> None:
    fine = {*allowed_names(), *MEMORY_FILES, *AFFINITY, "clone", "ioctl", "prctl", "personality"}
    for name, number in NUMBER.items():
        # AF_UNIX is 1, and so is a signal for clone that asks for no namespace.
        first = 1 if name in {"socket", "socketpair"} else 0
        expected = name in fine or name in {"socket", "socketpair"}
        assert (answer(program, number, first) == ALLOW) == expected, name


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_dangerous_call_is_refused(program: bytes, name: str) -> None:
    assert answer(program, NUMBER[name]) == REFUSE | errno.EPERM


@pytest.mark.parametrize("name", ["clone3", "io_uring_setup", "pidfd_open", "seccomp", "execveat"])
def test_call_with_an_older_way_is_said_to_be_absent(program: bytes, name: str) -> None:
    assert answer(program, NUMBER[name]) == REFUSE | errno.ENOSYS


def test_call_newer_than_the_table_is_said_to_be_absent(program: bytes) -> None:
    assert answer(program, X86_64.last + 1) == REFUSE | errno.ENOSYS
    assert answer(program, 0x3FFFFFFF) == REFUSE | errno.ENOSYS


def test_another_machines_call_ends_the_process(program: bytes) -> None:
    i386 = 0x40000003
    assert answer(program, NUMBER["read"], arch=i386) == KILL
    assert answer(program, 0x40000000 | NUMBER["read"]) == KILL


@pytest.mark.parametrize(
    "bit", [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_clone_into_a_new_namespace_is_refused(program: bytes, bit: int) -> None:
    assert answer(program, NUMBER["clone"], bit | 17) == REFUSE | errno.EPERM


def test_ordinary_fork_and_thread_are_allowed(program: bytes) -> None:
    assert answer(program, NUMBER["clone"], 17) == ALLOW
    assert answer(program, NUMBER["clone"], 0x003D0F00) == ALLOW


@pytest.mark.parametrize("call", ["socket", "socketpair"])
def test_socket_families(program: bytes, call: str) -> None:
    unix, inet, inet6, netlink, packet, alg, vsock = 1, 2, 10, 16, 17, 38, 40
    assert answer(program, NUMBER[call], unix) == ALLOW
    # libzmq ends the process for any other error than this one.
    assert answer(program, NUMBER[call], netlink) == REFUSE | errno.EOPNOTSUPP
    for family in (inet, inet6, packet, alg, vsock):
        assert answer(program, NUMBER[call], family) == REFUSE | errno.EAFNOSUPPORT


def test_typing_into_a_terminal_is_refused(program: bytes) -> None:
    tiocsti, tioclinux, tcgets = 0x5412, 0x541C, 0x5401
    assert answer(program, NUMBER["ioctl"], 0, tiocsti) == REFUSE | errno.EPERM
    assert answer(program, NUMBER["ioctl"], 0, tioclinux) == REFUSE | errno.EPERM
    assert answer(program, NUMBER["ioctl"], 0, tcgets) == ALLOW


def test_high_half_of_an_argument_changes_nothing(program: bytes) -> None:
    assert answer(program, NUMBER["ioctl"], 0, (1 << 32) | 0x5412) == REFUSE | errno.EPERM
    assert answer(program, NUMBER["socket"], (1 << 32) | 2) == REFUSE | errno.EAFNOSUPPORT


def test_second_filter_and_other_personality_are_refused(program: bytes) -> None:
    assert answer(program, NUMBER["prctl"], 22) == REFUSE | errno.EPERM
    assert answer(program, NUMBER["prctl"], 38) == ALLOW
    assert answer(program, NUMBER["personality"], 0xFFFFFFFF) == ALLOW
    assert answer(program, NUMBER["personality"], 0x40000) == REFUSE | errno.EPERM


def test_box_without_a_memory_group_gets_no_files_in_memory() -> None:
    without = filter_program(memory_files=False, machine="x86_64")
    assert answer(without, NUMBER["memfd_create"]) == REFUSE | errno.EPERM


def test_pinned_box_may_not_leave_its_core() -> None:
    pinned = filter_program(affinity=False, machine="x86_64")
    assert answer(pinned, NUMBER["sched_setaffinity"]) == REFUSE | errno.EPERM
    assert answer(pinned, NUMBER["sched_getaffinity"]) == ALLOW


def test_machine_without_a_table_gets_no_filter() -> None:
    with pytest.raises(HostUnfit, match="no seccomp table for aarch64"):
        filter_program(machine="aarch64")


def test_what_gives_up_privileges_is_allowed(program: bytes) -> None:
    for name in ("setresuid", "setresgid", "setgroups", "capset", "capget", "prlimit64", "execve"):
        assert answer(program, NUMBER[name]) == ALLOW
