"""The filter, run by a BPF interpreter of a few lines: what it answers to each call.

What the kernel makes of it is tested in `test_calls`.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from autograder.sandbox import HostUnfit
from autograder.sandbox.arguments import Rule, rules
from autograder.sandbox.seccomp import ABSENT, ALLOWED, MEMORY_FILES, UNPINNED, filter_program
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
    memfd_secret sethostname move_mount fsopen open_tree mount_setattr process_madvise
    move_pages setxattr sync syncfs get_robust_list remap_file_pages io_setup vhangup
"""
LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06


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
        if code == AND:
            value &= operand
            continue
        holds = {EQUAL: value == operand, AT_LEAST: value >= operand}[code]
        place += on_true if holds else on_false


@pytest.fixture(scope="module")
def program() -> bytes:
    return filter_program(machine="x86_64")


ALL_RULES = (
    *rules(loopback=True, own_uid=False, counted=True),
    *rules(loopback=False, own_uid=True, counted=False),
)
RULED = {call for rule in ALL_RULES for call in rule.calls}


def names(groups: Mapping[str, str]) -> list[str]:
    return [name for group in groups.values() for name in group.split()]


def test_every_name_is_a_call_of_the_machine_and_stands_once() -> None:
    listed = [*names(ALLOWED), *MEMORY_FILES, *UNPINNED, *names(ABSENT)]
    assert set(listed) <= NUMBER.keys()
    assert len(set(listed)) == len(listed)


def test_every_rule_is_of_an_allowed_call_that_has_no_other_rule() -> None:
    assert set(names(ALLOWED)) | set(MEMORY_FILES) >= RULED
    for loopback, own_uid, counted in itertools.product((False, True), repeat=3):
        kind = rules(loopback=loopback, own_uid=own_uid, counted=counted)
        calls = [call for rule in kind for call in rule.calls]
        assert len(set(calls)) == len(calls)


@pytest.mark.skipif(not HEADER.exists(), reason="needs the kernel's headers")
def test_numbers_are_those_of_the_kernels_header() -> None:
    header = dict(re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text()))
    assert {name: int(number) for name, number in header.items()}.items() <= NUMBER.items()


def test_calls_in_a_group_are_allowed_and_all_others_refused(program: bytes) -> None:
    fine = {*names(ALLOWED), *MEMORY_FILES, *UNPINNED} - RULED
    absent = set(names(ABSENT))
    for name, number in NUMBER.items():
        if name not in RULED:
            refused = REFUSE | (errno.ENOSYS if name in absent else errno.EPERM)
            assert answer(program, number) == (ALLOW if name in fine else refused), name


def examples(rule: Rule) -> Iterator[list[int]]:
    """For each way, each combination of values that it names."""
    for way in rule.ways:
        for values in itertools.product(*(each.values for each in way)):
            arguments = [0] * 6
            for one, value in zip(way, values, strict=True):
                arguments[one.index] |= value
            yield arguments


def test_addresses_are_fixed_in_a_races_box_only() -> None:
    for pinned in (False, True):
        program = filter_program(machine="x86_64", pinned=pinned)
        wanted = ALLOW if pinned else REFUSE | errno.EPERM
        assert answer(program, NUMBER["personality"], 0x40000) == wanted
        for other in (0x20000, 0x40001, 0x400000, 0x440000):
            assert answer(program, NUMBER["personality"], other) == REFUSE | errno.EPERM


@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_rules_allow_what_they_name_and_nothing_beside_it(loopback: bool, shared: bool) -> None:
    program = filter_program(machine="x86_64", loopback=loopback, own_uid=not shared, counted=not shared)
    for rule in rules(loopback=loopback, own_uid=not shared, counted=not shared):
        for call in set(rule.calls) - set(MEMORY_FILES if shared else ()):
            for arguments in examples(rule):
                assert answer(program, NUMBER[call], *arguments) == ALLOW, (call, arguments)
            # Every number near zero, and every single bit: whatever no way names is refused.
            for index, value in itertools.product({c.index for w in rule.ways for c in w}, probes()):
                arguments = [0] * 6
                arguments[index] = value
                expected = ALLOW if permits(rule, arguments) else refusal(rule, arguments)
                assert answer(program, NUMBER[call], *arguments) == expected, (call, arguments)


def probes() -> list[int]:
    return [*range(80), *(1 << bit for bit in range(32)), 0x80045430, 0xFFFFFFFF, 0x59616D61]


def permits(rule: Rule, arguments: list[int]) -> bool:
    return any(all(arguments[c.index] & c.mask in c.values for c in way) for way in rule.ways)


def refusal(rule: Rule, arguments: list[int]) -> int:
    met = [error for c, error in rule.others if arguments[c.index] & c.mask in c.values]
    return REFUSE | (met[0] if met else rule.error)


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_dangerous_call_is_refused(program: bytes, name: str) -> None:
    assert answer(program, NUMBER[name]) == REFUSE | errno.EPERM


@pytest.mark.parametrize(
    "name", "clone3 io_uring_setup pidfd_open seccomp execveat inotify_init1 mincore timer_create".split()
)
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


def test_socket_families(program: bytes) -> None:
    unix, inet, inet6, netlink, packet, alg, vsock, xdp = 1, 2, 10, 16, 17, 38, 40, 44
    assert answer(program, NUMBER["socket"], unix, 1) == ALLOW
    # libzmq ends the process for any other error than this one.
    assert answer(program, NUMBER["socket"], netlink, 3) == REFUSE | errno.EOPNOTSUPP
    for family in (inet, inet6, packet, alg, vsock, xdp):
        for call in ("socket", "socketpair"):
            assert answer(program, NUMBER[call], family, 1) == REFUSE | errno.EAFNOSUPPORT
    assert answer(program, NUMBER["socketpair"], unix, 1) == ALLOW


@pytest.mark.parametrize("family", [2, 10])
def test_server_gets_tcp_and_udp_and_no_other_protocol(family: int) -> None:
    program = filter_program(machine="x86_64", loopback=True)
    stream, datagram, raw, dccp, flags = 1, 2, 3, 6, 0o2004000
    for kind, protocol in ((stream, 0), (stream, 6), (datagram, 0), (datagram, 17)):
        assert answer(program, NUMBER["socket"], family, kind | flags, protocol) == ALLOW
    icmp, sctp, udplite, mptcp = 1, 132, 136, 262
    for kind, protocol in ((raw, 0), (raw, 6), (dccp, 0), (5, 0), (datagram, icmp), (stream, sctp)):
        assert answer(program, NUMBER["socket"], family, kind, protocol) == REFUSE | errno.EPROTONOSUPPORT
    for kind, protocol in ((datagram, udplite), (stream, mptcp), (datagram, 58)):
        assert answer(program, NUMBER["socket"], family, kind, protocol) == REFUSE | errno.EPROTONOSUPPORT


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("ioctl", (0, 0x5412), errno.ENOTTY),  # TIOCSTI
        ("ioctl", (0, 0x541C), errno.ENOTTY),  # TIOCLINUX
        ("ioctl", (0, 0x5423), errno.ENOTTY),  # TIOCSETD
        ("ioctl", (0, 0x541D), errno.ENOTTY),  # TIOCCONS
        ("ioctl", (0, (1 << 32) | 0x5412), errno.ENOTTY),
        ("fcntl", (0, 1024), errno.EINVAL),  # F_SETLEASE
        ("fcntl", (0, 1026), errno.EINVAL),  # F_NOTIFY
        ("fcntl", (0, 10), errno.EINVAL),  # F_SETSIG
        ("prctl", (22,), errno.EINVAL),  # PR_SET_SECCOMP
        ("prctl", (35,), errno.EINVAL),  # PR_SET_MM
        ("prctl", (59,), errno.EINVAL),  # PR_SET_SYSCALL_USER_DISPATCH
        ("prctl", (62,), errno.EINVAL),  # PR_SCHED_CORE
        ("prctl", (67,), errno.EINVAL),  # PR_SET_MEMORY_MERGE
        ("arch_prctl", (0x2003,), errno.EINVAL),  # ARCH_MAP_VDSO_64
        ("personality", (0x40000,), errno.EPERM),  # ADDR_NO_RANDOMIZE
        ("prlimit64", (1, 7), errno.EPERM),  # the first process's
        ("madvise", (0, 4096, 12), errno.EINVAL),  # MADV_MERGEABLE
        ("madvise", (0, 4096, 21), errno.EINVAL),  # MADV_PAGEOUT
        ("madvise", (0, 4096, 100), errno.EINVAL),  # MADV_HWPOISON
        ("futex", (0, 6 | 128), errno.ENOSYS),  # FUTEX_LOCK_PI
        ("futex", (0, 11), errno.ENOSYS),  # FUTEX_WAIT_REQUEUE_PI
        ("futex", (0, 13), errno.ENOSYS),  # FUTEX_LOCK_PI2
        ("mmap", (0, 1, 3, 0x40022), errno.ENOMEM),  # MAP_HUGETLB
        ("memfd_create", (0, 4), errno.EINVAL),  # MFD_HUGETLB
        ("preadv2", (0, 0, 0, 0, 0, 8), errno.EOPNOTSUPP),  # RWF_NOWAIT
        ("mknod", (0, 0o020666), errno.EPERM),  # a character device
        ("mknodat", (0, 0, 0o060666), errno.EPERM),  # a block device
        ("sendto", (0, 0, 0, 1), errno.EOPNOTSUPP),  # MSG_OOB
        ("recvmsg", (0, 0, 1 | 0x40), errno.EOPNOTSUPP),
        ("setsockopt", (0, 1, 26), errno.ENOPROTOOPT),  # SO_ATTACH_FILTER
        ("setsockopt", (0, 1, 50), errno.ENOPROTOOPT),  # SO_ATTACH_BPF
        ("setsockopt", (0, 1, 51), errno.ENOPROTOOPT),  # SO_ATTACH_REUSEPORT_CBPF
        ("setsockopt", (0, 1, 52), errno.ENOPROTOOPT),  # SO_ATTACH_REUSEPORT_EBPF
        ("setsockopt", (0, 1, 44), errno.ENOPROTOOPT),  # SO_LOCK_FILTER
        ("setsockopt", (0, 1, 76), errno.ENOPROTOOPT),  # SO_PASSPIDFD
        ("setsockopt", (0, 6, 13), errno.ENOPROTOOPT),  # TCP_CONGESTION
        ("setsockopt", (0, 6, 31), errno.ENOPROTOOPT),  # TCP_ULP
        ("setsockopt", (0, 0, 64), errno.ENOPROTOOPT),  # IPT_SO_SET_REPLACE
        ("setsockopt", (0, 41, 64), errno.ENOPROTOOPT),  # IP6T_SO_SET_REPLACE
        ("setsockopt", (0, 263, 1), errno.ENOPROTOOPT),  # SOL_ALG is 279, SOL_NETLINK 270
        ("getsockopt", (0, 1, 77), errno.ENOPROTOOPT),  # SO_PEERPIDFD
        ("getsockopt", (0, 0, 64), errno.ENOPROTOOPT),  # IPT_SO_GET_INFO
        ("chmod", (0, 0o4755), errno.EPERM),
        ("fchmodat", (0, 0, 0o4755), errno.EPERM),
        ("openat", (0, 0, os.O_CREAT, 0o4755), errno.EPERM),
        ("openat", (0, 0, os.O_TMPFILE, 0o4755), errno.EPERM),
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_what_an_attacker_would_ask_for_is_refused(
    call: str, arguments: tuple[int, ...], error: int, loopback: bool
) -> None:
    assert (
        answer(filter_program(machine="x86_64", loopback=loopback), NUMBER[call], *arguments)
        == REFUSE | error
    )


def test_opening_a_file_that_is_there_looks_at_no_mode(program: bytes) -> None:
    assert answer(program, NUMBER["openat"], 0, 0, os.O_RDWR, 0o4755) == ALLOW


def test_larger_buffers_are_refused_where_nothing_counts_them(program: bytes) -> None:
    sol_socket, buffers = 1, (7, 8)  # SO_SNDBUF, SO_RCVBUF
    without = filter_program(counted=False, machine="x86_64")
    for option in buffers:
        assert answer(program, NUMBER["setsockopt"], 0, sol_socket, option) == ALLOW
        assert answer(without, NUMBER["setsockopt"], 0, sol_socket, option) == REFUSE | errno.ENOPROTOOPT


def test_set_group_id_is_refused_where_the_group_is_the_platforms(program: bytes) -> None:
    assert answer(program, NUMBER["fchmod"], 0, 0o2775) == ALLOW
    shared = filter_program(machine="x86_64", own_uid=False)
    assert answer(shared, NUMBER["fchmod"], 0, 0o2775) == REFUSE | errno.EPERM


def test_high_half_of_an_argument_changes_nothing(program: bytes) -> None:
    assert answer(program, NUMBER["socket"], (1 << 32) | 2) == REFUSE | errno.EAFNOSUPPORT
    assert answer(program, NUMBER["prctl"], (1 << 32) | 22) == REFUSE | errno.EINVAL


def test_box_without_a_memory_group_gets_no_files_in_memory() -> None:
    without = filter_program(counted=False, machine="x86_64")
    assert answer(without, NUMBER["memfd_create"]) == REFUSE | errno.EPERM


def test_pinned_box_may_not_leave_its_core() -> None:
    pinned = filter_program(pinned=True, machine="x86_64")
    assert answer(pinned, NUMBER["sched_setaffinity"]) == REFUSE | errno.EPERM
    assert answer(pinned, NUMBER["sched_getaffinity"]) == ALLOW


def test_pinned_box_gets_no_timers_by_the_thousand() -> None:
    pinned = filter_program(pinned=True, machine="x86_64")
    assert answer(pinned, NUMBER["timerfd_create"]) == REFUSE | errno.EPERM
    assert answer(pinned, NUMBER["setitimer"]) == ALLOW


def test_machine_without_a_table_gets_no_filter() -> None:
    with pytest.raises(HostUnfit, match="no seccomp table for aarch64"):
        filter_program(machine="aarch64")


def test_what_gives_up_privileges_is_allowed(program: bytes) -> None:
    for name in ("setresuid", "setresgid", "setgroups", "capset", "capget", "prlimit64", "execve"):
        assert answer(program, NUMBER[name]) == ALLOW
