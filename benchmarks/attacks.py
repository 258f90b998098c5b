"""Every hostile submission of tests/attacks, on this project and on the stock nbgrader, side by side.

Run: ``.venv/bin/python -m benchmarks.attacks [NAME …] [--json FILE] [--workers N]``. Ours goes through the
whole pipeline of `tests.autograder.pipeline`. The stock nbgrader is started in a box, with a throw-away
course. Exit code 0 where ours held all, 1 where it did not, 2 where this host can't tell.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import nbgrader
from rich.console import Console
from rich.table import Table

from autograder.errors import GraderError, SubmissionError
from autograder.judge import Court
from autograder.sandbox import SandboxError
from benchmarks.holding import Kind, Outcome, not_applicable, of_ours, of_stock
from benchmarks.stock import Facts, StockNbgrader
from tests.autograder.attack import KINDS, Attack, attacks
from tests.autograder.pipeline import HandedIn, Pipeline, Traces, open_pipeline
from tests.autograder.target import NAME, REFERENCE, assignment

WORKERS = 2
PIPE_WIDTH = 110
KIND_WORDS = {
    "forge": "forge a pass",
    "read": "read what is secret",
    "harm": "harm others or the grader",
    "escape": "escape from the box",
}
COLOURS = {True: "green", False: "red", None: "dim"}

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Row:
    """``facts`` are the stock nbgrader's, None where the attack doesn't apply to it."""

    attack: Attack
    stock: Outcome
    ours: Outcome
    facts: Facts | None


def compare(chosen: Sequence[Attack], folder: Path, court: Court, workers: int, tell: Tell) -> list[Row]:
    """Runs the attacks on both, ours first: a fork bomb on the stock nbgrader takes others' time.

    ``tell`` hears of each as it ends: whose grader it was, and the attack's name. Raises GraderError or
    SandboxError where the platform fails.
    """
    ours = {}
    with open_pipeline(folder, court) as pipeline:
        for attack in chosen:
            ours[attack.name] = on_ours(pipeline, attack)
            tell("ours", attack.name)
    unfit = {each.name: reason for each in chosen if (reason := not_applicable(each)) is not None}
    facts = on_stock([each for each in chosen if each.name not in unfit], workers, tell)
    return [
        Row(
            attack=each,
            stock=unfit[each.name] if each.name in unfit else of_stock(each, facts[each.name]),
            ours=ours[each.name],
            facts=facts.get(each.name),
        )
        for each in sorted(chosen, key=lambda each: (KINDS.index(each.kind), each.name))
    ]


def on_ours(pipeline: Pipeline, attack: Attack) -> Outcome:
    """Hands it in as `tests.autograder.test_attacks` does."""
    traces = Traces()
    got: HandedIn | SubmissionError
    try:
        got = pipeline.hand_in(attack.name, attack.files())
    except SubmissionError as refusal:
        return of_ours(attack, refusal, [], None)
    left = traces.left()
    beside = None
    if attack.kind == "harm":
        honest = {f"{NAME}.ipynb": nbformat.writes(assignment(REFERENCE)).encode()}
        beside = pipeline.hand_in(f"beside.{attack.name}", honest).attempt.points
    return of_ours(attack, got, left, beside)


def on_stock(chosen: Sequence[Attack], workers: int, tell: Tell) -> dict[str, Facts]:
    """What the stock nbgrader did with each, by name."""
    if not chosen:
        return {}
    stock = StockNbgrader(workers)
    facts: dict[str, Facts] = {}
    # A box ends with the thread that opened it, and these threads end after their boxes.
    with ThreadPoolExecutor(workers) as pool:
        try:
            pool.submit(stock.open).result()
            waiting = {pool.submit(_one, stock, each): each.name for each in chosen}
            for done in as_completed(waiting):
                facts[waiting[done]] = done.result()
                tell("stock", waiting[done])
        except BaseException:
            stock.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return facts


def _one(stock: StockNbgrader, attack: Attack) -> Facts:
    return stock.grade(attack.name, attack.files(), [attack.leak] if attack.leak else [])


def table(rows: Sequence[Row]) -> Table:
    """One row an attack, by kind."""
    made = Table(title="Hostile submissions", title_justify="left")
    for heading in ("attack", f"stock nbgrader {nbgrader.__version__}", "ours"):
        made.add_column(heading, overflow="fold")
    for kind in KINDS:
        of_kind = [row for row in rows if row.attack.kind == kind]
        if of_kind:
            made.add_row(f"[bold]{KIND_WORDS[kind]}")
        for row in of_kind:
            made.add_row(f"  {row.attack.name.replace('_', ' ')}", _cell(row.stock), _cell(row.ours))
        made.add_section()
    return made


def _cell(outcome: Outcome) -> str:
    return f"[{COLOURS[outcome.held]}]{outcome}"


def totals(rows: Sequence[Row]) -> list[str]:
    """The comparison in sentences."""
    stock, applied = _held(row.stock for row in rows)
    ours, of_all = _held(row.ours for row in rows)
    lines = [
        f"stock nbgrader held {stock} of {applied} applicable attacks; this project held {ours} of {of_all}"
    ]
    fell = [row.stock for row in rows if row.stock.held is False]
    kinds = Counter(kind for outcome in fell for kind in {each.kind for each in outcome.problems})
    lines += [f"stock nbgrader {kind}: {kinds[kind]}" for kind in Kind if kinds[kind]]
    told = [row for row in rows if row.facts is not None and row.facts.told]
    if told:
        lines.append(
            f"its feedback shows the hidden tests: {len(told)} times, counted where an attack asks for them"
        )
    if unsure := sum(row.stock.held is None for row in rows):
        lines.append(
            f"not counted for it: {unsure} that don't apply, or that the box around it may have held"
        )
    return lines


def _held(outcomes: Iterable[Outcome]) -> tuple[int, int]:
    """How many held, and of how many that can be told."""
    known = [each.held for each in outcomes if each.held is not None]
    return sum(known), len(known)


def as_json(rows: Sequence[Row], seconds: float) -> str:
    listed = [
        {
            "attack": row.attack.name,
            "kind": row.attack.kind,
            "mark": row.attack.mark,
            "stock": {"held": row.stock.held, "words": str(row.stock)},
            "ours": {"held": row.ours.held, "words": str(row.ours)},
            "facts": None if row.facts is None else asdict(row.facts),
        }
        for row in rows
    ]
    return json.dumps({"attacks": listed, "totals": totals(rows), "seconds": round(seconds, 1)}, indent=1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Hostile submissions, on stock nbgrader and on this project."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="attacks of tests/attacks; all of them if none"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was seen there")
    parser.add_argument("--workers", type=int, default=WORKERS, help="boxes of the stock nbgrader at a time")
    given = parser.parse_args(arguments)
    found = {each.name: each for each in attacks()}
    unknown = [name for name in given.names if name not in found]
    if unknown or given.workers < 1:
        parser.error(
            f"no attack {unknown[0]} in tests/attacks" if unknown else "--workers must be at least 1"
        )
    chosen = [found[name] for name in dict.fromkeys(given.names or found)]
    begin = time.monotonic()
    try:
        rows = _watched(chosen, given.workers)
    except (GraderError, SandboxError) as error:
        print(f"the comparison can't be made: {error}; see `mlsys doctor`", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; every box is closed", file=sys.stderr)
        return 130
    seconds = time.monotonic() - begin
    if given.json is not None:
        given.json.write_text(as_json(rows, seconds))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table(rows))
    print(*totals(rows), f"{seconds / 60:.1f} minutes", sep="\n")
    return 0 if all(row.ours.held for row in rows) else 1


def _watched(chosen: Sequence[Attack], workers: int) -> list[Row]:
    """Compares with a line that says how far it is."""
    console = Console(stderr=True)
    done: Counter[str] = Counter()
    words = {"ours": "this project", "stock": "stock nbgrader"}
    with tempfile.TemporaryDirectory() as folder, console.status("starting") as status:

        def tell(whose: str, name: str) -> None:
            done[whose] += 1
            status.update(f"{words[whose]}: {done[whose]} of {len(chosen)}, {name}")

        with Court() as court:
            return compare(chosen, Path(folder), court, workers, tell)


if __name__ == "__main__":
    sys.exit(main())
