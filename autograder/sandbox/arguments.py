"""System calls that a box may make with some arguments and not with others: the lists, with reasons.

Contract: a `Rule` says which arguments are fine. Everything else gets the rule's error, which is the one
that a kernel without that feature gives: programs know what to do with it. All lists are of what may pass;
what a later kernel adds is refused until somebody adds it here.

Only the low half of an argument is looked at. Each one named here is an int to the kernel, or a set of
flags whose high half means nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

EVERY_BIT = 0xFFFFFFFF


@dataclass(frozen=True)
class Condition:
    """Argument number ``index``, of which only the bits of ``mask`` count, is one of ``values``."""

    index: int
    values: tuple[int, ...]
    mask: int = EVERY_BIT


@dataclass(frozen=True)
class Rule:
    """Each of ``calls`` may be made where all conditions of one of ``ways`` hold.

    Otherwise it ends in ``error``. ``others`` come before that: a condition, and the error where it holds.
    """

    calls: tuple[str, ...]
    ways: tuple[tuple[Condition, ...], ...]
    error: int
    others: tuple[tuple[Condition, int], ...] = ()


def _one_of(calls: str, index: int, values: Iterable[int], error: int, mask: int = EVERY_BIT) -> Rule:
    return Rule(tuple(calls.split()), ((Condition(index, tuple(values), mask),),), error)


def _none_of(calls: str, index: int, bits: int, error: int) -> Rule:
    return _one_of(calls, index, (0,), error, mask=bits)


ADDRESSES_FIXED = 0x40000  # ADDR_NO_RANDOMIZE
_AF_NETLINK = 16

# In a user namespace of its own a program would be root again, with all that root can reach.
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET

# Terminals, and how many bytes wait. Refused are, among others: TIOCSTI and TIOCLINUX, which type into
# a terminal; TIOCSETD, which loads a line discipline's module; whatever a driver or file system offers.
_REQUESTS = (
    *(0x5401, 0x5402, 0x5403, 0x5404),  # TCGETS, TCSETS, TCSETSW, TCSETSF
    *(0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D),  # the same of newer C libraries: TCGETS2, …
    *(0x5409, 0x5425, 0x540A, 0x540B, 0x5411),  # TCSBRK, TCSBRKP, TCXONC, TCFLSH, TIOCOUTQ
    *(0x540E, 0x5422, 0x540F, 0x5410, 0x5429),  # TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID
    *(0x5413, 0x5414),  # TIOCGWINSZ, TIOCSWINSZ
    *(0x80045430, 0x40045431, 0x5441),  # TIOCGPTN, TIOCSPTLCK, TIOCGPTPEER: a new terminal pair
    *(0x541B, 0x5421, 0x5450, 0x5451),  # FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
)

# Refused are, among others: F_SETLEASE and F_NOTIFY, by which a box that shares its uid with the platform
# holds up whoever writes the files it was shown, and sees them at it; signals about descriptors (F_SETSIG).
_DESCRIPTOR_COMMANDS = (
    *(fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL),
    *(fcntl.F_GETLK, fcntl.F_SETLK, fcntl.F_SETLKW),
    *(36, 37, 38),  # F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW
    *(1031, 1032, 1033, 1034),  # F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS
)

# Refused are, among others: PR_SET_SECCOMP (the compiler of filters is attack surface), PR_SET_MM,
# PR_SCHED_CORE, PR_SET_MEMORY_MERGE (merged pages tell what others have in memory),
# PR_SET_SPECULATION_CTRL, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_PTRACER.
_PROCESS_OPTIONS = (
    *(1, 2, 3, 4),  # PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE
    *(15, 16, 0x53564D41),  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory
    *(21, 38, 39),  # PR_GET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS
    *(23, 24, 27, 47),  # PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_GET_SECUREBITS, PR_CAP_AMBIENT: for setpriv
    *(7, 8),  # PR_GET_KEEPCAPS, PR_SET_KEEPCAPS: for setpriv; nothing after it has any to keep
    *(29, 30, 41, 42),  # PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE
)

# Refused are, among others: MADV_MERGEABLE (as PR_SET_MEMORY_MERGE), MADV_PAGEOUT and MADV_COLD (throw out
# pages of files that others use too), MADV_HWPOISON.
_ADVICE = (0, 1, 2, 3, 4, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25)

# A thread's own pointer, what the processor has, and its wide registers (AMX). Refused: ARCH_MAP_VDSO_….
_MACHINE_OPTIONS = (0x1001, 0x1002, 0x1003, 0x1004, 0x1011, 0x1021, 0x1022, 0x1023)

# Wait, wake, requeue and their kin. Refused: futexes that lend priority (PI), which nothing in Python
# makes and which gave away the kernel twice (CVE-2014-3153, CVE-2021-3347).
_FUTEX_OPERATIONS = (0, 1, 3, 4, 5, 9, 10)
_FUTEX_FLAGS = 0x180  # FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME

_MAP_HUGETLB = 0x40000
_FILE_IN_MEMORY_FLAGS = 0x1B  # MFD_CLOEXEC, ALLOW_SEALING, NOEXEC_SEAL, EXEC
_RWF_NOWAIT = 0x8
_MAKES_A_FILE = os.O_CREAT | 0x400000  # and the bit that O_TMPFILE has for itself
_FILE_TYPES, _FILE_TYPE = (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK), 0xF000

# What may be set at a socket. Refused are, among others: programs at it (SO_ATTACH_FILTER, SO_ATTACH_BPF
# and their kin), what loads a module (TCP_ULP, TCP_CONGESTION), the packet filter's tables, and a
# descriptor of the process at the other end, which may be the platform's (SO_PASSPIDFD).
_SOCKET_OPTIONS = (
    *(2, 5, 6, 7, 8, 9, 10),  # REUSEADDR, DONTROUTE, BROADCAST, SNDBUF, RCVBUF, KEEPALIVE, OOBINLINE
    *(12, 13, 15, 16, 18, 19, 20, 21),  # PRIORITY, LINGER, REUSEPORT, PASSCRED, RCVLOWAT, SNDLOWAT, timeouts
    *(29, 63, 66, 67),  # TIMESTAMP, TIMESTAMP_NEW, RCVTIMEO_NEW, SNDTIMEO_NEW
)
_BUFFER_SIZES = (socket.SO_SNDBUF, socket.SO_RCVBUF)
_IP_OPTIONS = (1, 2, 8, 10, 11, 24)  # TOS, TTL, PKTINFO, MTU_DISCOVER, RECVERR, BIND_ADDRESS_NO_PORT
_IPV6_OPTIONS = (16, 23, 25, 26, 49, 67)  # UNICAST_HOPS, MTU_DISCOVER, RECVERR, V6ONLY, RECVPKTINFO, TCLASS
_TCP_OPTIONS = (*range(1, 11), 12, 18, 23, 25)  # NODELAY to WINDOW_CLAMP, QUICKACK, USER_TIMEOUT, …
_BELOW_64 = EVERY_BIT & ~0x3F  # SO_PEERPIDFD is 77; the packet filter's tables begin at 64

_FIXED = (
    _one_of("futex", 1, _FUTEX_OPERATIONS, errno.ENOSYS, mask=EVERY_BIT & ~_FUTEX_FLAGS),
    # Huge pages that an administrator set aside are counted against no box's memory.
    _none_of("mmap", 3, _MAP_HUGETLB, errno.ENOMEM),
    _one_of("madvise", 2, _ADVICE, errno.EINVAL),
    _one_of("fcntl", 1, _DESCRIPTOR_COMMANDS, errno.EINVAL),
    _one_of("ioctl", 1, _REQUESTS, errno.ENOTTY),
    # Out-of-band bytes on unix sockets gave away the kernel to a browser's sandbox (CVE-2025-38236).
    _none_of("sendto recvfrom sendmmsg recvmmsg", 3, socket.MSG_OOB, errno.EOPNOTSUPP),
    _none_of("sendmsg recvmsg", 2, socket.MSG_OOB, errno.EOPNOTSUPP),
    _none_of("clone", 0, _NEW_NAMESPACES, errno.EPERM),
    _one_of("prctl", 0, _PROCESS_OPTIONS, errno.EINVAL),
    _one_of("arch_prctl", 0, _MACHINE_OPTIONS, errno.EINVAL),
    # Its own limits only: as an ordinary user the box's first process has the program's uid too.
    _one_of("prlimit64", 0, (0,), errno.EPERM),
    _none_of("memfd_create", 1, EVERY_BIT & ~_FILE_IN_MEMORY_FLAGS, errno.EINVAL),
    # It answers whether others have read a file lately, as mincore does.
    _none_of("preadv2", 5, _RWF_NOWAIT, errno.EOPNOTSUPP),
    _one_of("socketpair", 0, (socket.AF_UNIX,), errno.EAFNOSUPPORT),
)


def _files(*, own_uid: bool) -> Iterator[Rule]:
    """No set-uid file, and no device.

    In a folder that outlives the box, somebody with an account on the host could run a set-uid file as
    the box's user: without a uid of its own that is the platform's, and so is its group. Devices need a
    capability that nothing in a box has; this is the second lock on that door.
    """
    bits = stat.S_ISUID | (0 if own_uid else stat.S_ISGID)
    for calls, mode in (("chmod fchmod creat", 1), ("fchmodat fchmodat2", 2)):
        yield _none_of(calls, mode, bits, errno.EPERM)
    for call, flags in (("open", 1), ("openat", 2)):
        opened = (Condition(flags, (0,), mask=_MAKES_A_FILE),)
        yield Rule((call,), (opened, (Condition(flags + 1, (0,), mask=bits),)), errno.EPERM)
    for call, mode in (("mknod", 1), ("mknodat", 2)):
        plain = (Condition(mode, _FILE_TYPES, mask=_FILE_TYPE), Condition(mode, (0,), mask=bits))
        yield Rule((call,), (plain,), errno.EPERM)


def _sockets(*, loopback: bool) -> Iterator[Rule]:
    """Unix sockets, and with ``loopback`` TCP and UDP.

    The network namespace does not cover every family (AF_VSOCK reaches the hypervisor), and families
    and protocols load modules, among which are the kernel's least read.
    """
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    unix = (Condition(0, (socket.AF_UNIX,)), _kind(*kinds, socket.SOCK_SEQPACKET))
    internet = Condition(0, (socket.AF_INET, socket.AF_INET6))
    protocol = Condition(2, (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP))
    ways = (unix, (internet, _kind(*kinds), protocol)) if loopback else (unix,)
    known = Condition(0, (socket.AF_UNIX, *(internet.values if loopback else ())))
    # libzmq asks netlink for the interfaces and aborts the kernel on any error but EOPNOTSUPP.
    others = ((Condition(0, (_AF_NETLINK,)), errno.EOPNOTSUPP), (known, errno.EPROTONOSUPPORT))
    yield Rule(("socket",), ways, errno.EAFNOSUPPORT, others)


def _kind(*kinds: int) -> Condition:
    return Condition(1, kinds, mask=EVERY_BIT & ~(socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK))


def _socket_options(*, loopback: bool, counted: bool) -> Iterator[Rule]:
    # Where nothing counts them, larger buffers let one process take gigabytes of the host's memory.
    plain = tuple(one for one in _SOCKET_OPTIONS if counted or one not in _BUFFER_SIZES)
    levels = (
        (socket.SOL_SOCKET, plain),
        *(((socket.IPPROTO_IP, _IP_OPTIONS),) if loopback else ()),
        *(((socket.IPPROTO_IPV6, _IPV6_OPTIONS),) if loopback else ()),
        *(((socket.IPPROTO_TCP, _TCP_OPTIONS),) if loopback else ()),
    )
    ways = tuple((Condition(1, (level,)), Condition(2, options)) for level, options in levels)
    yield Rule(("setsockopt",), ways, errno.ENOPROTOOPT)
    timeouts = (Condition(1, (socket.SOL_SOCKET,)), Condition(2, (66, 67)))
    asked = (Condition(1, tuple(level for level, _ in levels)), Condition(2, (0,), mask=_BELOW_64))
    yield Rule(("getsockopt",), (asked, timeouts), errno.ENOPROTOOPT)


def rules(*, loopback: bool, own_uid: bool, counted: bool, pinned: bool = False) -> tuple[Rule, ...]:
    """Every rule of a box.

    ``loopback`` is as in `BoxSpec`; ``own_uid``: nobody else has the box's uid; ``counted``: a control
    group counts what the kernel keeps for the box; ``pinned``: it has cores of its own, for a race.
    """
    # PER_LINUX, or the question which one it is. Others turn address randomisation off, which a race wants:
    # where a program's memory lies decides how fast it is.
    personalities = (0x0, 0xFFFFFFFF, *((ADDRESSES_FIXED,) if pinned else ()))
    return (
        *_FIXED,
        _one_of("personality", 0, personalities, errno.EPERM),
        *_files(own_uid=own_uid),
        *_sockets(loopback=loopback),
        *_socket_options(loopback=loopback, counted=counted),
    )
