"""Memory of one box more: a warm box, a cold one, and the bare Jupyter kernel that nbgrader starts.

Run: ``.venv/bin/python -m benchmarks.box_memory [numpy] [torch] [--boxes 8]``.

So many of each kind are open at the same time, each having run the same cell: an import, and eight megabytes
of numbers. The proportional share (PSS) counts a page that several processes hold by its part for each; what
is private to a box is what one more of them costs. A warm box shares what its zygote has loaded; what that
one holds is told beside it, and is there once however many boxes there are.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jupyter_client.manager import start_new_kernel
from rich.console import Console
from rich.table import Table

from autograder.sandbox import DEFAULT_LIMITS, Box, BoxSpec, interpreter, open_box
from autograder.sandbox.warm import WarmBoxes
from autograder.sandbox.warmth import AGENT_BINDS, HOME
from autograder.sandbox.wire import Channel
from tests.autograder.faults.disturber import descendants

CELLS = {
    "numpy": "import numpy\nheld = numpy.ones(1 << 20)\nheld.sum()",
    "torch": "import torch\nheld = torch.ones(1 << 20, dtype=torch.float64)\nheld.sum()",
}
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Held:
    """Bytes: the proportional share, and what no other process holds."""

    share: int = 0
    private: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(self.share + other.share, self.private + other.private)


def held_by(pids: Iterable[int]) -> Held:
    total = Held()
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = {words[0].rstrip(":"): int(words[1]) << 10 for line in lines[1:] if (words := line.split())}
        total += Held(found["Pss"], found["Private_Clean"] + found["Private_Dirty"])
    return total


def tree(pid: int) -> list[int]:
    return [pid, *(each.pid for each in descendants(pid))]


def agent(kind: ExitStack, boxes: WarmBoxes | None, name: str) -> Box:
    """A box that has run the cell; forked where there are ``boxes``, started anew otherwise."""
    line, theirs = socket.socketpair()
    kind.callback(line.close)
    spec = BoxSpec(
        argv=(interpreter().executable, "-m", "autograder.sandbox.agent", str(theirs.fileno())),
        limits=replace(DEFAULT_LIMITS, cpu_seconds=600),
        binds=AGENT_BINDS,
        env={"PYTHONPATH": HOME},
        pass_fds=(theirs.fileno(),),
        name="measured",
    )
    with theirs:
        box = kind.enter_context(open_box(spec) if boxes is None else boxes.open(spec, (name,)))
    channel, until = Channel(line), time.monotonic() + PATIENCE_SECONDS
    channel.receive(until)  # its greeting
    channel.send([1, "cell", [], CELLS[name], 1 << 16])
    said = channel.receive(until).message
    if "ok" not in str(said).lower():
        sys.exit(f"the cell of {name} failed: {said}")
    return box


@contextmanager
def agents(name: str, count: int, *, warm: bool) -> Iterator[tuple[list[int], list[int]]]:
    """The first processes of so many boxes, and of what they were forked from."""
    with ExitStack() as kind:
        boxes = kind.enter_context(WarmBoxes()) if warm else None
        opened = [agent(kind, boxes, name).init_pid for _ in range(count)]
        parents = [each.box.init_pid for each in boxes.zygotes.values()] if boxes else []
        yield opened, parents


@contextmanager
def kernels(name: str, count: int) -> Iterator[tuple[list[int], list[int]]]:
    """As nbgrader runs a notebook, without a box."""
    with ExitStack() as kind:
        pids = []
        for _ in range(count):
            manager, client = start_new_kernel(kernel_name="python3", startup_timeout=PATIENCE_SECONDS)
            kind.callback(manager.shutdown_kernel, now=True)
            kind.callback(client.stop_channels)
            reply = client.execute_interactive(
                CELLS[name], timeout=PATIENCE_SECONDS, output_hook=lambda _: None
            )
            if reply["content"]["status"] != "ok":
                sys.exit(f"the cell of {name} failed: {reply['content']}")
            pids.append(manager.provisioner.pid)
        yield pids, []


def measure(name: str, count: int) -> list[tuple[str, Held, Held]]:
    """(kind, of one box, of what it was forked from) each."""
    kinds = {
        "warm box": agents(name, count, warm=True),
        "cold box": agents(name, count, warm=False),
        "Jupyter kernel, no box": kernels(name, count),
    }
    found = []
    for kind, opened in kinds.items():
        with opened as (boxes, parents):
            total = held_by(pid for box in boxes for pid in tree(box))
            own = {pid for box in boxes for pid in tree(box)}
            above = held_by(pid for parent in parents for pid in tree(parent) if pid not in own)
            found.append((kind, Held(total.share // count, total.private // count), above))
    return found


def show(name: str, count: int, rows: Sequence[tuple[str, Held, Held]], console: Console) -> None:
    table = Table(title=f"{name}: {count} at the same time, MB", header_style="bold")
    for column in ("", "share (PSS)", "private", "forked from: share", "kernels for one"):
        table.add_column(column, justify="left" if not column else "right")
    kernel = rows[-1][1].private
    for kind, one, above in rows:
        table.add_row(
            kind, f"{one.share / 2**20:.1f}", f"{one.private / 2**20:.1f}",
            f"{above.share / 2**20:.1f}" if above.share else "", f"{kernel / max(1, one.private):.1f}",
        )  # fmt: skip
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*CELLS, []], help="both by default")
    parser.add_argument("--boxes", type=int, default=8)
    given = parser.parse_args()
    for name in given.names or CELLS:
        show(name, given.boxes, measure(name, given.boxes), Console(width=110))
    return 0


if __name__ == "__main__":
    sys.exit(main())
