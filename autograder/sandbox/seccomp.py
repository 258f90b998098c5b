"""The seccomp filter of a box: an allow-list of system calls, as BPF made here, without libseccomp.

Theory of operation. The kernel runs the filter on each system call of everything in the box, with
the call's number, machine and arguments. What no group below allows is refused: with ENOSYS where a
C library then takes an older way (clone3, pidfd_open, anything newer than our table), with EPERM
elsewhere. A call of another machine's ABI ends the process. Calls that do many things are allowed
with the arguments that `arguments` lists, and only those.

bubblewrap installs the filter before it runs the first program in the box, so the filter also has to
let that program (util-linux's setpriv) give up its privileges: setresuid, setgroups and capset are
harmless to whoever has none.

Trusts: the numbers in `syscalls`. A machine without a table there gets a HostUnfit, never a box.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from autograder.sandbox.arguments import EVERY_BIT, Condition, Rule, rules
from autograder.sandbox.errors import HostUnfit
from autograder.sandbox.syscalls import TABLES, SyscallTable

# Each group with the reason it may be called. A call in no group is refused.
ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "files, within what is mounted in the box": """
            read write open close stat fstat lstat lseek pread64 pwrite64 readv writev access pipe dup dup2
            sendfile fcntl flock fsync fdatasync truncate ftruncate getdents getcwd chdir fchdir rename mkdir
            rmdir creat link unlink symlink readlink chmod fchmod chown fchown lchown umask utime statfs
            fstatfs readahead getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr getdents64
            fadvise64 utimes openat mkdirat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat
            readlinkat fchmodat faccessat sync_file_range utimensat fallocate dup3 pipe2 preadv pwritev
            renameat2 copy_file_range preadv2 pwritev2 statx close_range faccessat2 fchmodat2 ioctl
            """,
        "named pipes, but no devices": "mknod mknodat",
        "memory of its own": """
            mmap mprotect munmap brk mremap msync madvise mlock munlock mlock2 mseal
            """,
        "processes and threads, which the limits count": """
            fork vfork clone execve exit exit_group wait4 waitid kill tkill tgkill set_tid_address
            set_robust_list futex rseq restart_syscall getpid getppid gettid setpgid getpgid getpgrp
            setsid getsid arch_prctl prctl personality
            """,
        "signals, within the box's own pid namespace": """
            rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo
            rt_sigsuspend rt_tgsigqueueinfo sigaltstack pause
            """,
        "waiting for descriptors": """
            poll select pselect6 ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
            epoll_pwait2 eventfd eventfd2 signalfd signalfd4
            """,
        "sockets, of few families and kinds": """
            socket socketpair connect accept accept4 bind listen shutdown sendto recvfrom sendmsg recvmsg
            sendmmsg recvmmsg getsockname getpeername setsockopt getsockopt
            """,
        "time, read only": """
            gettimeofday time times clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer
            alarm
            """,
        "scheduling; without privileges a process can only give way": """
            sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler
            sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getaffinity
            getpriority setpriority getcpu
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
# Leaving the core it was put on, and setting a thousand timers at once, each of which interrupts whoever has
# the core when it is due. A box pinned for a race may not.
UNPINNED = ("sched_setaffinity", "timerfd_create", "timerfd_settime", "timerfd_gettime")

# Refused with ENOSYS, so that C libraries and programs fall back to something allowed; each with its reason.
ABSENT: Mapping[str, str] = MappingProxyType(
    {
        "flags in memory, which a filter can't read": "clone3 openat2",
        "a second way past this filter, with a long history of holes": """
            io_uring_setup io_uring_enter io_uring_register
            """,
        "other processes by descriptor": "pidfd_open pidfd_getfd pidfd_send_signal",
        "pages of other files in pipes (CVE-2022-0847)": "splice tee vmsplice",
        "more filters: their compilers are attack surface": """
            seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
            """,
        "programs that have no path": "execveat",
        "counted by user id, which an ordinary user's boxes share with the platform": """
            inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
            """,
        "whether others have read a file lately": "mincore cachestat",
        "interrupts on every core, for nothing that Python needs": "membarrier",
        "timers with a history of holes (CVE-2025-38352); setitimer does what programs here need": """
            timer_create timer_settime timer_gettime timer_getoverrun timer_delete
            """,
        "placing memory on nodes, and clock speeds": """
            mbind set_mempolicy get_mempolicy set_mempolicy_home_node sched_setattr sched_getattr
            """,
        "newer forms of what is there": """
            futex_waitv futex_wake futex_wait futex_requeue map_shadow_stack statmount listmount
            """,
    }
)

_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_X32_ABI = 0x40000000
_LONGEST_PROGRAM = 4096

_Instruction = tuple[int, int, int, int]


def filter_program(
    *,
    counted: bool = True,
    pinned: bool = False,
    loopback: bool = False,
    own_uid: bool = True,
    machine: str | None = None,
) -> bytes:
    """The filter as the ``struct sock_filter[]`` that ``bwrap --seccomp`` reads.

    ``counted=False`` is for boxes without a memory group, ``pinned=True`` for those of a race,
    ``loopback=True`` for servers that talk to each other over TCP in the box's own network namespace,
    ``own_uid=False`` for boxes whose files are the platform's user's.

    Raises HostUnfit where the machine (this one by default) has no table.
    """
    table = syscall_table(machine or platform.machine())
    allowed = {*_names(ALLOWED), *(MEMORY_FILES if counted else ()), *(() if pinned else UNPINNED)}
    checked = rules(loopback=loopback, own_uid=own_uid, counted=counted, pinned=pinned)
    program = [
        *_check_machine(table),
        *_check_arguments(table, checked, allowed),
        *_answered(table, allowed, _answer(_ALLOW)),
        *_answered(table, _names(ABSENT), _refuse(errno.ENOSYS)),
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


def _check_arguments(
    table: SyscallTable, checked: Iterable[Rule], allowed: Iterable[str]
) -> Iterator[_Instruction]:
    """Allowed calls that a rule speaks of; every other falls through, with its number still loaded."""
    for rule in checked:
        body = _body(rule)
        # A machine may lack old calls (aarch64 has no open); one that it lacks is refused anyhow.
        for call in [name for name in rule.calls if name in allowed and name in table.numbers]:
            yield (_JUMP_EQUAL, 0, len(body), table.numbers[call])
            yield from body


def _body(rule: Rule) -> list[_Instruction]:
    """Instructions that end in an answer, whatever the arguments are."""
    ways = [step for way in rule.ways for step in _if_all(way, _answer(_ALLOW))]
    others = [step for one, error in rule.others for step in _if_all((one,), _refuse(error))]
    return [*ways, *others, _refuse(rule.error)]


def _if_all(conditions: Iterable[Condition], answer: _Instruction) -> list[_Instruction]:
    """The answer where all conditions hold; falls through where one doesn't."""
    steps = [answer]
    for one in reversed(list(conditions)):
        head = [_load(_ARGUMENTS_AT + 8 * one.index)]
        head += [(_AND, 0, 0, one.mask)] if one.mask != EVERY_BIT else []
        # One that holds leaves for the next condition, and the last that doesn't for the end of all this.
        last = len(one.values) - 1
        compare = [
            (_JUMP_EQUAL, last - place, len(steps) if place == last else 0, int(value))
            for place, value in enumerate(one.values)
        ]
        steps = [*head, *compare, *steps]
    return steps


def _answered(table: SyscallTable, names: Iterable[str], answer: _Instruction) -> Iterator[_Instruction]:
    for first, last in _runs(sorted({table.numbers[name] for name in names if name in table.numbers})):
        yield (_JUMP_AT_LEAST, 0, 2, first)
        yield (_JUMP_AT_LEAST, 1, 0, last + 1)
        yield answer


def _names(groups: Mapping[str, str]) -> Iterator[str]:
    return (name for group in groups.values() for name in group.split())


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
