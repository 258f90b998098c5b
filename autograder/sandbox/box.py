"""A box: one program and its descendants, isolated, limited, measured and ended from outside.

Theory of operation. `launch` starts bubblewrap with the policy's command line and takes hold of the
box's first process. A descriptor of that process is the handle on everything inside: it is the init of
a pid namespace, so when it is gone the kernel has ended all the others. The box's control group, where
there is one, counts and is swept afterwards.

A box that is ``twice`` can be vacated: its program ends, and with it all else but the init, which mounts its
folders in memory anew. Then it's as good as new for a second program, which is a `Box` of its own. Only a box
that stayed well within its limits is kept, so that how the second program ends can be told by the same
counters.

Contract for callers:
- The box dies with the THREAD that opened it (the kernel's parent-death signal goes by thread). Open it
  in one that lives as long as the box: the main thread, or a worker that serves the box to its end.
- Close what you passed in ``pass_fds`` on your side after `open_box`: then a dead box shows as
  end-of-file on your end of the socket.
- The end of a socket comes a moment before the end of the box. ``kill(grace=1)`` lets it end by itself
  first, so that `ending` names the cause rather than the kill.
- Methods may be called from several threads.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from autograder.sandbox.accounting import Sample, descendants, sample, signal_children
from autograder.sandbox.cgroup import Group
from autograder.sandbox.descriptors import drain, ready
from autograder.sandbox.ending import BoxUsage, Ending, Evidence, conclude
from autograder.sandbox.entry import EMPTY, STAY
from autograder.sandbox.errors import BoxFailed
from autograder.sandbox.launch import Started, reports, start
from autograder.sandbox.policy import Footing, group_limits, this_host
from autograder.sandbox.spec import BoxSpec

_SAMPLE_SECONDS = 0.1
_AFTER_KILL_SECONDS = 60.0  # a million files in memory take seconds to go, on a busy host
_OOM_GRACE_SECONDS = 0.5
_VACATING_SECONDS = 10.0
_MODEST = 0.5  # of its memory: a box that has used more isn't kept for a second program


class Box:
    """A running box. Made by `open_box`; a context manager that frees everything at its end."""

    def __init__(self, spec: BoxSpec, started: Started, group: Group | None, cpu_before: float = 0.0) -> None:
        """``cpu_before``: seconds that its first program used, where this is the second."""
        self.spec = spec
        self._started = started
        self._cpu_before = cpu_before
        self._vacated = False
        self.uid = started.uid
        self.init_pid = started.init_pid
        self._process = started.process
        self._group = group
        self._status = started.status
        self._words = started.words
        self._init = started.init
        self._monitor = started.monitor
        self._held = started.held
        self._lock = threading.RLock()
        self._killed = False
        self._closed = False
        self._sample = Sample()
        self._usage: BoxUsage | None = None
        self._ending: Ending | None = None
        self._diagnosis = ""

    @property
    def meters(self) -> tuple[Path, ...]:
        """The control group's folders with the counters of CPU time and memory; none without a group."""
        return () if self._group is None else self._group.meters

    @property
    def running(self) -> bool:
        return self._ending is None and not self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the box has ended, after waiting for that as long as ``timeout`` says (None: for ever)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._ending is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._ended_within(left):
                self._settle()
            elif left is not None and left <= 0:
                return False
        return True

    def kill(self, grace: float = 0.0) -> None:
        """End everything in the box and wait until it is gone; does nothing where it is.

        A box that ends by itself within ``grace`` seconds is not said to be killed by us.
        """
        if self.wait(grace) or self._dying_of_memory():
            return
        with self._lock:
            if self._ending is None:
                self._killed = True
                self._look()
                self._signal_init()
                self._settle()

    def interrupt(self) -> None:
        """Send SIGINT to the program itself, as Ctrl-C would; nothing where it has ended."""
        with self._lock:
            if self._ending is None:
                signal_children(self.init_pid, signal.SIGINT, most=1)

    def terminate(self, grace: float) -> None:
        """Send SIGTERM to the program itself, and end the box after ``grace`` seconds at the latest."""
        with self._lock:
            if self._ending is None:
                signal_children(self.init_pid, signal.SIGTERM, most=1)
        self.kill(grace)

    def fileno(self) -> int:
        """A descriptor that can be read when the box has ended, for an event loop to watch."""
        return self._monitor

    def usage(self) -> BoxUsage:
        """What the box has used so far, or did use in all."""
        with self._lock:
            if self._usage is not None:
                return self._usage
            self._look()
            return self._measured()

    def ending(self) -> Ending:
        """How the box ended. Raises RuntimeError while it runs."""
        if self._ending is None and not self.wait(0):
            raise RuntimeError(f"box {self.spec.name} is still running; wait for it or kill it first")
        assert self._ending is not None  # noqa: S101 - for the type checker; wait() has set it
        return self._ending

    def diagnosis(self) -> str:
        """The last words on stderr, once the box has ended: for our log, never for a student or a verdict."""
        return self._diagnosis

    def vacate(self) -> bool:
        """End the program, as ``kill`` does; whether the box is kept for ``second``, or closed after that.

        It is kept where it was asked for, its program hadn't ended by itself, and no limit was reached.
        """
        with self._lock:
            if self._started.line is None or not self.running:
                return False
            if not self._is_modest() or not self._emptied():
                return False
            self._killed = True
            self._usage = self.usage()
            self._ending = conclude(self._evidence([], self._usage))
            self._vacated = True
            return True

    def second(self, spec: BoxSpec) -> Box:
        """The box, which was vacated, with a second run of its program, whose descriptors ``spec`` passes.

        Nothing else may differ. Raises BoxFailed; then all is closed.
        """
        if not self._vacated or self._started.line is None:
            raise RuntimeError(f"box {self.spec.name} was not vacated")
        if replace(spec, argv=self.spec.argv, pass_fds=self.spec.pass_fds, twice=True) != self.spec:
            self.close()
            raise BoxFailed(f"box {self.spec.name} has other limits than its second program is to have")
        with self._lock:
            try:
                socket.send_fds(self._started.line, [STAY], spec.pass_fds)
            except OSError as error:
                self.close()
                raise BoxFailed(f"box {self.spec.name} ended when it was empty: {error}") from error
            self._vacated, self._closed = False, True
            started = replace(self._started, held=self._held.pop_all(), line=None)
            used = self._usage.cpu_seconds if self._usage else 0.0
            return Box(spec, started, self._group, self._cpu_before + used)

    def close(self) -> None:
        """End the box and free everything of it. Raises BoxFailed where something outlives SIGKILL."""
        try:
            if self._vacated:
                self._vacated, self._ending = False, None
            self.kill()
        finally:
            with self._lock:
                if not self._closed:
                    self._closed = True
                    self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_modest(self) -> bool:
        """Whether what the group has counted says nothing yet about how a program ends."""
        if self._group is None:
            return True  # and never will
        used = self.usage()
        within = used.peak_bytes < _MODEST * (self.spec.limits.memory_mb << 20)
        return within and not used.oom_kills and not used.refused_forks

    def _emptied(self) -> bool:
        """Have the init end everything else; whether it says so, and nothing else can be seen from here."""
        assert self._started.line is not None  # noqa: S101 - for the type checker
        deadline = time.monotonic() + _VACATING_SECONDS
        said = b""
        with contextlib.suppress(OSError):
            self._started.line.send(STAY)
            signal_children(self.init_pid, signal.SIGKILL)
            while not any(EMPTY in report for report in reports(said)):
                left = deadline - time.monotonic()
                received = os.read(self._status, 4096) if left > 0 and ready(self._status, left) else b""
                if not received:
                    return False
                said += received
            if self._group is not None:
                return self._group.processes() == {self.init_pid}
            return list(descendants(self.init_pid)) == [self.init_pid]
        return False

    def _ended_within(self, seconds: float | None) -> bool:
        if self._group is not None:
            return ready(self._monitor, seconds)
        with self._lock:
            self._look()
        return ready(self._monitor, _SAMPLE_SECONDS if seconds is None else min(seconds, _SAMPLE_SECONDS))

    def _dying_of_memory(self) -> bool:
        """The kernel counts an out-of-memory kill before the program's end can be seen from here."""
        with self._lock:
            killed = self._ending is None and self._group is not None and self._group.oom_kills() > 0
        return killed and self.wait(_OOM_GRACE_SECONDS)

    def _look(self) -> None:
        if self._group is None and self._ending is None:
            self._sample = self._sample.merged(sample(self.init_pid))

    def _measured(self) -> BoxUsage:
        used = self._sample.usage()
        if self._group is not None:
            counted = self._group.usage()
            used = BoxUsage(counted.cpu_seconds, counted.peak_bytes, counted.oom_kills, counted.refused_forks)
        return replace(used, cpu_seconds=max(0.0, used.cpu_seconds - self._cpu_before))

    def _signal_init(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._init, signal.SIGKILL)

    def _settle(self) -> None:
        """Sweep up after the program's end, then conclude from what is left."""
        with self._lock:
            if self._ending is not None:
                return
            self._reap()
            if self._group is not None:
                self._group.kill()
            said = reports(drain(self._status))
            waited = max((report.get("cpu-ms", 0) for report in said), default=0) / 1000
            self._sample = self._sample.merged(Sample(cpu_seconds=waited))
            self._usage = self._measured()
            self._diagnosis = drain(self._words).decode(errors="replace").strip()
            self._ending = conclude(self._evidence(said, self._usage))
            if self._group is not None:
                self._group.remove()

    def _reap(self) -> None:
        """Wait for bubblewrap and for the box's init; note the CPU seconds that bubblewrap waited for."""
        if self._process is not None and not ready(self._monitor, _AFTER_KILL_SECONDS):
            self._process.kill()
        if self._process is not None and self._process.returncode is None:
            _, status, used = os.wait4(self._process.pid, 0)
            # Popen did not see that it ended, and would wait for it again.
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._sample = self._sample.merged(Sample(cpu_seconds=used.ru_utime + used.ru_stime))
        # bubblewrap leaves when its program does; what the program left running ends here.
        self._signal_init()
        if not ready(self._init, _AFTER_KILL_SECONDS):
            raise BoxFailed(f"box {self.spec.name}: its processes outlive SIGKILL; the host needs a look")

    def _evidence(self, said: list[dict[str, int]], usage: BoxUsage) -> Evidence:
        return Evidence(
            status=next((report["exit-code"] for report in said if "exit-code" in report), None),
            killed=self._killed,
            usage=usage,
            cpu_limit=self.spec.limits.cpu_seconds,
            memory_limit=self.spec.limits.memory_mb << 20,
        )


def open_box(spec: BoxSpec, footing: Footing | None = None) -> Box:
    """Start the box; its program has begun. Raises HostUnfit or BoxFailed; then nothing of it is left.

    See the module's contract: the calling thread must outlive the box.
    """
    ground = footing or this_host()
    group = ground.place.make(*group_limits(spec.limits)) if ground.place else None
    try:
        return Box(spec, start(spec, ground, group), group)
    except BaseException:
        if group is not None:
            group.kill()
            group.remove()
        raise
