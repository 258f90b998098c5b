"""A deadline: 1,000 submissions of 200 kB from 300 students within a minute, through the real service.

Run: ``.venv/bin/python -m benchmarks.deadline_burst [--kill]``. The service process is the one that
JupyterHub runs, on SQLite and local files; the hub's API is a stand-in that answers who has which
token. Submissions come ever more often towards the end, twice the mean rate in the last second.
A client tries again as the plug-ins do. Each receipt's signature and hashes are checked, and in the end
the exchange's own data: a receipt without its submission, byte for byte, is a lost submission. With
``--kill`` the service dies by SIGKILL in the middle; its supervisor starts another. Target: none lost,
p95 under 2 s (without ``--kill``) on two cores that have nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from autograder.errors import GraderError
from course.reader import read_course
from hub.exchange.exchange import Exchange
from hub.exchange.receipts import SignedReceipt, check_files, check_receipt, receipt_of
from tests.hub.exchange.serving import Hub, Service

ASSIGNMENT = "01-layers"
FILE = "layers.ipynb"
TARGET_SECONDS = 2.0
AGAIN = (429, 502, 503, 504)
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
PATIENCE = 120.0


@dataclass(frozen=True)
class Load:
    """What is sent."""

    submissions: int = 1000
    students: int = 300
    seconds: float = 60.0
    bytes: int = 200_000
    kill: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Sent:
    """One submission and what became of it; ``receipt`` is None where none came."""

    student: str
    data: bytes
    seconds: float
    tries: int
    receipt: SignedReceipt | None


@dataclass(frozen=True)
class Outcome:
    """``lost``: acknowledged, and not there or not as it was. ``untrue``: receipts that don't verify."""

    load: Load
    sent: tuple[Sent, ...]
    lost: int
    untrue: int
    down_seconds: float
    idle: float

    @property
    def acknowledged(self) -> int:
        return sum(each.receipt is not None for each in self.sent)

    def percentile(self, share: float) -> float:
        """Seconds from the first byte of the first try to the receipt."""
        ordered = sorted(each.seconds for each in self.sent)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def is_good(self) -> bool:
        kept = not self.lost and not self.untrue and self.acknowledged == self.load.submissions
        return kept and (self.load.kill or self.percentile(0.95) < TARGET_SECONDS)


def run(load: Load, folder: Path) -> Outcome:
    """Starts a service in ``folder``, sends the load, and counts."""
    idle = idle_share()
    with Hub() as hub, Service(folder, hub) as service:
        with Exchange(read_course(service.course_file), service.course_dir) as exchange:
            exchange.release(ASSIGNMENT, {FILE: b"{}"})
            key = exchange.public_key
        tokens = [hub.token(f"student-{n:03}") for n in range(load.students)]
        down, sent = asyncio.run(_burst(load, service, hub, tokens))
        untrue = sum(not _is_true(each, key) for each in sent if each.receipt is not None)
        with Exchange(read_course(service.course_file), service.course_dir) as exchange:
            lost = sum(not _is_kept(each, exchange) for each in sent if each.receipt is not None)
    return Outcome(load, tuple(sent), lost, untrue, down, idle)


def idle_share() -> float:
    """How much of the processors nobody used in the last second."""
    first = _ticks()
    time.sleep(1)
    used = [now - before for now, before in zip(_ticks(), first, strict=True)]
    return (used[3] + used[4]) / max(1, sum(used))


def _ticks() -> list[int]:
    """user, nice, system, idle, iowait … of all processors together."""
    return [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]


async def _burst(load: Load, service: Service, hub: Hub, tokens: Sequence[str]) -> tuple[float, list[Sent]]:
    random_numbers = random.Random(load.seed)  # noqa: S311 - a load, no secret
    begin = time.monotonic()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=service.url, limits=limits, timeout=60, trust_env=False) as client:
        killer = asyncio.create_task(_kill(load, service)) if load.kill else None
        jobs = []
        for number in range(load.submissions):
            at = begin + load.seconds * random_numbers.random() ** 0.5
            token = tokens[number % len(tokens)]
            data = (
                b'{"number": %d, "data": "' % number
                + random_numbers.randbytes(load.bytes // 2).hex().encode()
            )
            jobs.append(_submit(client, at, token, str(hub.tokens[token]["name"]), data))
        sent = await asyncio.gather(*jobs)
        return (await killer if killer is not None else 0.0), list(sent)


async def _submit(client: httpx.AsyncClient, at: float, token: str, student: str, data: bytes) -> Sent:
    await asyncio.sleep(max(0.0, at - time.monotonic()))
    begin, wait, tries = time.monotonic(), FIRST_WAIT, 0
    while time.monotonic() - begin < PATIENCE:
        tries += 1
        try:
            answer = await client.post(
                f"/api/v1/assignments/{ASSIGNMENT}/submissions",
                headers={"Authorization": f"token {token}"},
                files=[("file", (FILE, data))],
            )
        except httpx.TransportError:
            pass
        else:
            if answer.status_code == 200:
                receipt = receipt_of(answer.json())
                return Sent(student, data, time.monotonic() - begin, tries, receipt)
            if answer.status_code not in AGAIN:
                break
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
    return Sent(student, data, time.monotonic() - begin, tries, None)


async def _kill(load: Load, service: Service) -> float:
    """Seconds from the kill to the first answer after it."""
    await asyncio.sleep(load.seconds / 2)
    begin = time.monotonic()
    service.kill()
    await asyncio.to_thread(service.answers)
    return time.monotonic() - begin


def _is_true(sent: Sent, key: str) -> bool:
    assert sent.receipt is not None  # noqa: S101 - only such are asked
    try:
        check_receipt(sent.receipt, key)
        check_files(sent.receipt, {FILE: sent.data})
    except GraderError:
        return False
    return sent.receipt.submission.student == sent.student


def _is_kept(sent: Sent, exchange: Exchange) -> bool:
    assert sent.receipt is not None  # noqa: S101 - only such are asked
    try:
        kept = exchange.submission(sent.receipt.submission.id)
        return kept == sent.receipt.submission and exchange.read_submission(kept) == {FILE: sent.data}
    except GraderError:
        return False


def report(outcome: Outcome) -> str:
    load = outcome.load
    state = "ok" if outcome.is_good else "NOT GOOD ENOUGH"
    target = "none lost" if load.kill else f"none lost, p95 under {TARGET_SECONDS:.0f} s"
    lines = [
        f"{load.submissions} submissions of {load.bytes / 1000:.0f} kB from {load.students} students "
        f"in {load.seconds:.0f} s",
        f"acknowledged {outcome.acknowledged}, lost {outcome.lost}, untrue receipts {outcome.untrue}, "
        f"sent again {sum(each.tries - 1 for each in outcome.sent)}",
        f"seconds to the receipt: p50 {outcome.percentile(0.5):.3f}, p95 {outcome.percentile(0.95):.3f}, "
        f"max {outcome.percentile(1):.3f}",
        f"target: {target}: {state}",
        f"idle before: {outcome.idle:.0%} of the cores; a busy machine decides nothing",
    ]
    if load.kill:
        lines.append(f"killed once; it answered again after {outcome.down_seconds:.1f} s")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A deadline: many submissions within a minute.")
    parser.add_argument("--kill", action="store_true", help="kill -9 the service in the middle")
    parser.add_argument("--submissions", type=int, default=Load.submissions)
    parser.add_argument("--seconds", type=float, default=Load.seconds)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        load = Load(submissions=given.submissions, seconds=given.seconds, kill=given.kill)
        outcome = run(load, Path(folder))
    print(report(outcome))
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
