"""Mutated notebooks through the whole pipeline, each to a clear end.

``python -m tests.fuzz.notebooks --count 10000 --workers 2 --record FILE`` takes every mutant in,
judges it in real boxes, records it, writes its feedback and exports the gradebook. The record gets a
line of JSON for each; what is in it already isn't run again. Exits with 1 if a mutant broke a rule.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.batch import GradingRoom, Job, LocalBench
from autograder.errors import SubmissionError
from autograder.gradebook import Attempt, AttemptState, Gradebook, take_in
from autograder.gradebook.export import long_table, write_csv
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.folders import notebook_bytes
from autograder.gradebook.standings import read_standings
from autograder.gradebook.summary import FILE, read_summary
from autograder.judge import Court, Verdict
from course.gradebook import gradebook_url
from tests.autograder.conftest import CONFIG, nbgrader
from tests.fuzz.mutants import Mutant, mutant, source

NAME = "target"
BATCH = 50
DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)
ENDS = (AttemptState.GRADED, AttemptState.UNREADABLE)
INTERNAL = re.compile(
    r"Traceback|Exception\b|\wError\b|object has no attribute|<class |0x[0-9a-f]{6}|\.py\b|NoneType",
    re.IGNORECASE,
)
HIDDEN = "double(-4)"


@dataclass(frozen=True)
class End:
    """What became of one mutant; ``broken`` are the rules that it broke."""

    seed: int
    state: str
    verdict: str
    points: float
    earned: float
    seconds: float
    edits: tuple[str, ...]
    broken: tuple[str, ...]


class Pipeline:
    """A course directory with a judge: what a mutant goes through."""

    def __init__(self, course: Path, court: Court) -> None:
        self.course = course
        self.gradebook = Gradebook(gradebook_url(course), course)
        self.room = GradingRoom(course, LocalBench(court), {NAME: source()}, b"secret")

    def close(self) -> None:
        self.gradebook.close()

    def run(self, seed: int) -> End:
        """Takes one mutant through everything. What an honest pipeline never raises is reported."""
        given, start = mutant(seed), time.monotonic()
        blank = End(seed, "none", "none", 0.0, given.earned, 0.0, given.edits, ())
        try:
            attempt = self.grade(f"s{seed}", given.data)
            end = replace(
                blank, state=str(attempt.state), verdict=str(attempt.verdict), points=attempt.points
            )
            broken = (*self.wrong_end(given, attempt), *self.wrong_words(attempt))
        except SubmissionError as error:  # at the door: no attempt, and the student is told at once
            end, broken = replace(blank, state="refused"), tuple(internal_words([str(error)]))
        except Exception:  # a fuzzer's edge: whatever came out is the finding
            end, broken = blank, (traceback.format_exc()[-2000:],)
        return replace(end, broken=broken, seconds=round(time.monotonic() - start, 2))

    def grade(self, student: str, data: bytes) -> Attempt:
        received = DUE + timedelta(seconds=1)
        receipt = take_in(self.course, student, NAME, {f"{NAME}.ipynb": data}, clock=lambda: received)
        self.gradebook.record_submission(receipt)
        attempt = self.gradebook.record_attempt(self.room.grade(Job(receipt)))
        write_feedback(self.gradebook, student, NAME)
        write_csv(long_table(read_standings(self.gradebook)), self.course / "grades.csv")
        return attempt

    def wrong_end(self, given: Mutant, attempt: Attempt) -> Iterator[str]:
        if attempt.state not in ENDS:
            yield f"ended in {attempt.state}: {attempt.message}"
        if attempt.points > given.earned:
            yield f"gained points: {attempt.points} of {given.earned}"
        if given.intact and attempt.points != given.earned:
            yield f"lost points: {attempt.points} of {given.earned}"
        problems = [each.problem for each in attempt.notebooks]
        if (attempt.state is AttemptState.UNREADABLE) != all(problems):
            yield f"{attempt.state} with the problems {problems}"
        for check in (check for each in attempt.notebooks for check in each.checks):
            if check.verdict is Verdict.FAULT or (check.verdict is not Verdict.OK and not check.message):
                yield f"{check.check} ended in {check.verdict} without a word"

    def wrong_words(self, attempt: Attempt) -> Iterator[str]:
        """The pages as the student reads them."""
        folder = self.course / "feedback" / attempt.student / NAME
        summary = read_summary((folder / FILE).read_bytes())
        page = (folder / f"{NAME}.html").read_text(encoding="utf-8")
        said = [
            words
            for each in attempt.notebooks
            for words in (each.problem, *(r.sentence for r in each.repairs))
        ]
        yield from internal_words(said)
        if summary.points != attempt.points:
            yield f"the page says {summary.points} points, not {attempt.points}"
        if HIDDEN in page:
            yield "a hidden test is on the page"
        if attempt.state is AttemptState.UNREADABLE and not any(each.problem for each in summary.notebooks):
            yield "the page doesn't say why"


def internal_words(said: Iterable[str]) -> Iterator[str]:
    """What a student can make nothing of."""
    return (f"internal words: {words}" for words in said if INTERNAL.search(words))


def released_course(folder: Path) -> Path:
    """A course directory in which the stock nbgrader has released the notebook."""
    (folder / "source" / NAME).mkdir(parents=True)
    (folder / "source" / NAME / f"{NAME}.ipynb").write_bytes(notebook_bytes(source()))
    (folder / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(folder, "generate_assignment", NAME)
    return folder


def run_batch(released: Path, seeds: list[int]) -> list[End]:
    """A batch of mutants in a course directory and with a judge of its own, in this process."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, Court() as court:
        pipeline = Pipeline(shutil.copytree(released, Path(folder) / "course"), court)
        try:
            return [pipeline.run(seed) for seed in seeds]
        finally:
            pipeline.close()


def read_record(path: Path) -> list[dict[str, object]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def run_all(seeds: list[int], workers: int, record: Path) -> None:
    """Runs what isn't in the record yet, and tells how far it is."""
    done = {each["seed"] for each in read_record(record) if not each["broken"]}
    left = [seed for seed in seeds if seed not in done]
    batches = [left[n : n + BATCH] for n in range(0, len(left), BATCH)]
    start, count, broken = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="released-") as folder, ProcessPoolExecutor(workers) as pool:
        released = released_course(Path(folder) / "course")
        for future in as_completed([pool.submit(run_batch, released, batch) for batch in batches]):
            ends = future.result()
            with record.open("a") as file:
                file.writelines(json.dumps(asdict(end)) + "\n" for end in ends)
            count, broken = count + len(ends), broken + sum(bool(end.broken) for end in ends)
            rate = count / (time.monotonic() - start)
            print(
                f"{count} of {len(left)}, {rate:.2f} a second, {broken} broken", file=sys.stderr, flush=True
            )


def report(record: Path, seeds: list[int]) -> int:
    """Prints what the record says of these seeds, the newest line of each; how many broke a rule."""
    newest = {each["seed"]: each for each in read_record(record)}
    ends = [newest[seed] for seed in seeds if seed in newest]
    for state, number in Counter(f"{end['state']} {end['verdict']}" for end in ends).most_common():
        print(f"{number:6} {state}")
    broken = [end for end in ends if end["broken"]]
    for end in broken[:20]:
        print(json.dumps(end))
    print(f"{len(ends)} mutants of {len(seeds)}, {len(broken)} broke a rule")
    return len(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="the first mutant's number")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--record", type=Path, default=Path(tempfile.gettempdir()) / "mutants.jsonl")
    given = parser.parse_args()
    seeds = list(range(given.seed, given.seed + given.count))
    run_all(seeds, given.workers, given.record)
    return 1 if report(given.record, seeds) else 0


if __name__ == "__main__":
    raise SystemExit(main())
