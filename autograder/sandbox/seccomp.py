"""The seccomp filter of a box: an allow-list of system calls, as BPF made here, without libseccomp.

Theory of operation. The kernel runs the filter on each system call of everything in the box, with
the call's number, machine and arguments. What no group below allows is refused: with ENOSYS where a
C library then takes an older way (clone3, pidfd_open, anything newer than our table), with EPERM
elsewhere. A call of another machine's ABI ends the process.

bubblewrap installs the filter before it runs the first program in the box, so the filter also has to
let that program (util-linux's setpriv) give up its privileges: setresuid, setgroups and capset are
harmless to whoever has none.

Trusts: the numbers in `syscalls`. A machine without a table there gets a HostUnfit, never a box.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from autograder.sandbox.errors import HostUnfit
from autograder.sandbox.syscalls import TABLES, SyscallTable

# Each group with the reason it may be called. A call in no group is refused.
ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "files, within what is mounted in the box": """
            read write open close stat fstat lstat lseek pread64 pwrite64 readv writev access pipe dup dup2
            sendfile fcntl flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir
            rmdir creat link unlink symlink readlink chmod fchmod chown fchown lchown umask utime statfs
            fstatfs sync readahead getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr getdents64
            fadvise64 utimes openat mkdirat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat
            readlinkat fchmodat faccessat sync_file_range utimensat fallocate dup3 pipe2 preadv pwritev
            syncfs renameat2 copy_file_range preadv2 pwritev2 statx close_range openat2 faccessat2 fchmodat2
            """,
        "named pipes; device nodes need a capability that nothing in the box has": "mknod mknodat",
        "memory of its own": """
            mmap mprotect munmap brk mremap msync mincore madvise mlock munlock mlock2 membarrier
            get_mempolicy mbind mseal
            """,
        "processes and threads, which the limits count": """
            fork vfork execve exit exit_group wait4 waitid kill tkill tgkill set_tid_address
            set_robust_list get_robust_list futex futex_waitv rseq restart_syscall getpid getppid gettid
            setpgid getpgid getpgrp setsid getsid arch_prctl set_thread_area get_thread_area
            """,
        "signals, within the box's own pid namespace": """
            rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo
            rt_sigsuspend rt_tgsigqueueinfo sigaltstack pause
            """,
        "waiting for descriptors": """
            poll select pselect6 ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
            epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime
            timerfd_gettime inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
            """,
        "unix sockets; which families may be made is checked below": """
            connect accept accept4 bind listen shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
            getsockname getpeername setsockopt getsockopt
            """,
        "time, read only": """
            gettimeofday time times clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer
            alarm timer_create timer_settime timer_gettime timer_getoverrun timer_delete
            """,
        "scheduling; without privileges a process can only give way": """
            sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler
            sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getaffinity
            sched_setattr sched_getattr getpriority setpriority getcpu
            """,
        "who and where it is": """
            uname sysinfo getrusage getrlimit getrandom getuid getgid geteuid getegid getgroups getresuid
            getresgid capget
            """,
        "giving privileges and limits up; taking them needs what nothing in the box has": """
            setuid setgid setreuid setregid setgroups setresuid setresgid capset setrlimit prlimit64
            """,
    }
)

# Files without a name, in memory: charged to the box's memory group, and to nothing else.
MEMORY_FILES = ("memfd_create",)
# Leaving the core it was put on. A box pinned for a race may not.
AFFINITY = ("sched_setaffinity",)

# Refused in the way that makes C libraries and Python fall back to something allowed.
_ABSENT = """
    clone3 io_uring_setup io_uring_enter io_uring_register pidfd_open pidfd_getfd pidfd_send_signal
    splice tee landlock_create_ruleset landlock_add_rule landlock_restrict_self execveat seccomp
    """

_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_X32_ABI = 0x40000000
_LONGEST_PROGRAM = 4096

_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_AF_NETLINK = 16
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # both type into somebody's terminal
_PR_SET_SECCOMP = 22
_PERSONALITY_LINUX, _PERSONALITY_ASK = 0x0, 0xFFFFFFFF

_Instruction = tuple[int, int, int, int]


def filter_program(
    *, memory_files: bool = True, affinity: bool = True, loopback: bool = False, machine: str | None = None
) -> bytes:
    """The filter as the ``struct sock_filter[]`` that ``bwrap --seccomp`` reads.

    ``memory_files=False`` is for boxes without a memory group, ``affinity=False`` for pinned ones,
    ``loopback=True`` for servers that talk to each other over TCP in the box's own network namespace.
    Raises HostUnfit where the machine (this one by default) has no table.
    """
    table = syscall_table(machine or platform.machine())
    extra = (*(MEMORY_FILES if memory_files else ()), *(AFFINITY if affinity else ()))
    program = [
        *_check_machine(table),
        *_check_arguments(table, loopback=loopback),
        *_absent(table),
        *_allowed(table, extra),
        *_newer_or_refused(table),
    ]
    if len(program) > _LONGEST_PROGRAM:
        raise HostUnfit(f"a seccomp filter of {len(program)} instructions; Linux takes {_LONGEST_PROGRAM}")
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def syscall_table(machine: str) -> SyscallTable:
    """The machine's call numbers, or a HostUnfit: a guessed filter would allow the wrong calls."""
    try:
        return TABLES[machine]
    except KeyError:
        raise HostUnfit(
            f"no seccomp table for {machine}; boxes need one of: {', '.join(TABLES)}."
            " Grade on such a machine, or add the table to autograder/sandbox/syscalls.py"
        ) from None


def _load(offset: int) -> _Instruction:
    return (_LOAD_WORD, 0, 0, offset)


def _argument(index: int) -> _Instruction:
    # The low half. Each argument checked below is an int in the kernel, which drops the high half too.
    return _load(_ARGUMENTS_AT + 8 * index)


def _answer(value: int) -> _Instruction:
    return (_RETURN, 0, 0, value)


def _refuse(error: int) -> _Instruction:
    return _answer(_REFUSE | error)


def _check_machine(table: SyscallTable) -> list[_Instruction]:
    return [
        _load(_ARCH_AT),
        (_JUMP_EQUAL, 1, 0, table.audit_arch),
        _answer(_KILL_PROCESS),
        _load(_NUMBER_AT),
        (_JUMP_AT_LEAST, 0, 1, _X32_ABI),
        _answer(_KILL_PROCESS),
    ]


def _on(number: int, body: list[_Instruction]) -> list[_Instruction]:
    """The body, which ends in an answer, for one call; falls through for every other."""
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def _check_arguments(table: SyscallTable, *, loopback: bool) -> Iterator[_Instruction]:
    """Calls that are allowed with some arguments and refused with others."""
    number = table.numbers
    yield from _on(
        number["clone"],
        [_argument(0), (_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(errno.EPERM), _answer(_ALLOW)],
    )
    for call in ("socket", "socketpair"):
        # libzmq asks netlink for the interfaces and aborts the kernel on any error but EOPNOTSUPP.
        # The network namespace does not cover AF_VSOCK, so the families are an allow-list here.
        families = (socket.AF_UNIX, *((socket.AF_INET, socket.AF_INET6) if loopback else ()))
        family = [
            _argument(0),
            *(step for each in families for step in ((_JUMP_EQUAL, 0, 1, int(each)), _answer(_ALLOW))),
            (_JUMP_EQUAL, 0, 1, _AF_NETLINK),
            _refuse(errno.EOPNOTSUPP),
            _refuse(errno.EAFNOSUPPORT),
        ]
        yield from _on(number[call], family)
    yield from _unless(number["ioctl"], 1, (_TIOCSTI, _TIOCLINUX))
    # A second filter could hide from the first nothing that matters, but its compiler is attack surface.
    yield from _unless(number["prctl"], 0, (_PR_SET_SECCOMP,))
    yield from _only(number["personality"], 0, (_PERSONALITY_LINUX, _PERSONALITY_ASK))


def _unless(number: int, index: int, values: tuple[int, ...]) -> list[_Instruction]:
    tests = [(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return _on(number, [_argument(index), *tests, _answer(_ALLOW), _refuse(errno.EPERM)])


def _only(number: int, index: int, values: tuple[int, ...]) -> list[_Instruction]:
    tests = [(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return _on(number, [_argument(index), *tests, _refuse(errno.EPERM), _answer(_ALLOW)])


def _absent(table: SyscallTable) -> Iterator[_Instruction]:
    for name in _ABSENT.split():
        yield from _on(table.numbers[name], [_refuse(errno.ENOSYS)])


def _allowed(table: SyscallTable, extra: Iterable[str]) -> Iterator[_Instruction]:
    names = [name for group in ALLOWED.values() for name in group.split()]
    # A machine may lack old calls (aarch64 has no open); one that it lacks is refused anyhow.
    numbers = {table.numbers[name] for name in (*names, *extra) if name in table.numbers}
    for first, last in _runs(sorted(numbers)):
        yield (_JUMP_AT_LEAST, 0, 2, first)
        yield (_JUMP_AT_LEAST, 1, 0, last + 1)
        yield _answer(_ALLOW)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring numbers as (first, last): a run costs as many instructions as one number."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _newer_or_refused(table: SyscallTable) -> list[_Instruction]:
    return [
        (_JUMP_AT_LEAST, 0, 1, table.last + 1),
        _refuse(errno.ENOSYS),
        _refuse(errno.EPERM),
    ]
