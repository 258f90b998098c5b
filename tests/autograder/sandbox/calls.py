"""Makes system calls by number and says what the kernel answered: run inside a box by `test_calls`.

Contract: ``python calls.py FD``, with a JSON list of ``[number, argument…]`` at PLAN, writes a JSON list to
FD, an outcome for each: 0 where the call succeeded, the error's number, ``"signal N"`` where it ended its
process, ``"blocked"`` where it waited. Arguments are harmless numbers; a missing one is -1, which is no
descriptor, no address and no process. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import resource
import select
import signal
import sys
from pathlib import Path

PLAN = "/opt/probe/plan.json"
INT_80 = -80  # stands for a call of the 32-bit machine
_PATIENCE_SECONDS = 20.0
_BLOCKED_SECONDS = 0.5
_SYSCALL = ctypes.CDLL(None, use_errno=True).syscall
_SYSCALL.restype = ctypes.c_long
_GETPID_BY_INT_80 = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])  # mov eax, getpid of i386; int 0x80; ret


def outcome(number: int, arguments: list[int]) -> int | str:
    """One call, in a child of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _call_and_tell(number, arguments, writer)
    os.close(writer)
    waiting = _BLOCKED_SECONDS
    try:
        # A call that made a process leaves a second writer, whose word is the same.
        while True:
            if select.select([reader], [], [], waiting)[0]:
                said = os.read(reader, 64)
                return int(said) if said else _ended(child)
            if _asleep(child):
                return "blocked"
            waiting = _PATIENCE_SECONDS
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _call_and_tell(number: int, arguments: list[int], writer: int) -> None:
    if number == INT_80:
        _int_80()
    passed = [ctypes.c_long(each) for each in (*arguments, *[-1] * (6 - len(arguments)))]
    ctypes.set_errno(0)
    answer = _SYSCALL(ctypes.c_long(number), *passed)
    os.write(writer, str(ctypes.get_errno() if answer == -1 else 0).encode())
    os._exit(0)


def _int_80() -> None:
    """A call of the 32-bit machine, which this processor still makes."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(_GETPID_BY_INT_80)
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CFUNCTYPE(ctypes.c_int)(start)()
    os._exit(0)


def _ended(child: int) -> str:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"signal {-status}" if status < 0 else f"exited {status}"


def _asleep(child: int) -> bool:
    return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def main(descriptor: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    plan = json.loads(Path(PLAN).read_text())
    done = [outcome(number, arguments) for number, *arguments in plan]
    with open(descriptor, "w") as answers:
        json.dump(done, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]))
