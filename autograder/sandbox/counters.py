"""Instructions that a process and its descendants retire, counted by the processor, from outside.

Contract: a second figure beside the time, steadier than it, and never a grade's condition: ``read`` returns
None wherever the host doesn't count (a virtual machine without counters, a kernel that forbids it, another
user's process, a counter shared by too many). Only what runs in user mode counts.

Theory of operation: ``perf_event_open`` attaches a counter to a thread, and with ``inherit`` to every thread
and process that it starts from then on, so one is attached to each thread that it and its descendants
have. A counter's zero can't be set for children that have ended, hence ``reset`` remembers.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from autograder.sandbox.accounting import descendants, threads_of

PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
CLOEXEC = 8
INHERIT, EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6
ENABLED_AND_RUNNING = 1 | 2
# perf_event_attr, version 0: type, size, config, period, what to sample, what to read, flags, three unused.
ATTRIBUTES = struct.Struct("IIQQQQQIIQ")
COUNTED = struct.Struct("QQQ")


@dataclass(frozen=True)
class Event:
    """What a counter counts, in the kernel's numbers."""

    kind: int
    config: int
    flags: int

    def attributes(self) -> bytes:
        size, flags = ATTRIBUTES.size, self.flags | INHERIT
        return ATTRIBUTES.pack(self.kind, size, self.config, 0, 0, ENABLED_AND_RUNNING, flags, 0, 0, 0)


INSTRUCTIONS = Event(kind=0, config=1, flags=EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR)
TASK_CLOCK = Event(kind=1, config=1, flags=0)  # nanoseconds on a core, which every kernel counts


class Counter:
    """The sum of an event over a process, its threads and all that they start, from now on.

    What starts a thread while the counter is being attached may be missed. Close it.
    """

    def __init__(self, pid: int, event: Event) -> None:
        self.descriptors: list[int] = []
        self.base = 0
        try:
            for thread in (each for process in descendants(pid) for each in threads_of(process)):
                with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                    self.descriptors.append(attach(thread, event))
        except OSError:
            self.close()
        self.reset()

    def reset(self) -> None:
        """Counts from here."""
        self.base = self._sum() or 0

    def read(self) -> int | None:
        """What was counted since the last ``reset``; None where this host doesn't say."""
        counted = self._sum()
        return None if counted is None else counted - self.base

    def close(self) -> None:
        while self.descriptors:
            os.close(self.descriptors.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sum(self) -> int | None:
        """None where nothing is attached, or a counter was lent to others in between: no guesses."""
        total = 0
        for descriptor in self.descriptors:
            sent = os.read(descriptor, COUNTED.size)
            if len(sent) < COUNTED.size:
                return None
            value, enabled, running = COUNTED.unpack(sent)
            if running != enabled:
                return None
            total += value
        return total if self.descriptors else None


class Instructions(Counter):
    """Instructions retired in user mode."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid, INSTRUCTIONS)


def attach(thread: int, event: Event) -> int:
    """A descriptor of a counter on one thread. Raises OSError where the kernel has or allows none."""
    number = PERF_EVENT_OPEN.get(platform.machine())
    if number is None:
        raise OSError(f"no perf_event_open for {platform.machine()}")
    attributes = ctypes.create_string_buffer(event.attributes(), ATTRIBUTES.size)
    call = ctypes.CDLL(None, use_errno=True).syscall
    any_core = no_group = ctypes.c_int(-1)
    descriptor = call(
        ctypes.c_long(number), attributes, ctypes.c_int(thread), any_core, no_group, ctypes.c_ulong(CLOEXEC)
    )
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(descriptor)


def refusal() -> str | None:
    """Why instructions can't be counted here, in the kernel's words; None where they can."""
    try:
        os.close(attach(0, INSTRUCTIONS))
    except OSError as error:
        return error.strerror or str(error)
    return None
