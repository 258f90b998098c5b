"""The full size: ``python -m tests.autograder.faults [--submissions 200] [--kills 150] [--seed 0]``.

With ``--cluster N`` on a Dask cluster of so many workers, whose scheduler and workers are killed too.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.autograder.faults.canonical import canonical, require_whole
from tests.autograder.faults.classroom import ID, Classroom, grade, mixed, open_classroom
from tests.autograder.faults.disturber import Field, cluster, disturb, require_nothing_left


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.autograder.faults", description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--driver-kills", type=int, default=6)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between kills, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cluster", type=int, default=0, metavar="WORKERS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        first = open_classroom(Path(name) / "undisturbed", mixed(given.submissions, given.seed))
        second = first.copy(Path(name) / "disturbed")
        begin = time.monotonic()
        grade(first)
        print(f"undisturbed: {time.monotonic() - begin:.0f} s", flush=True)
        place = cluster(Path(name), given.cluster) if given.cluster else contextlib.nullcontext(Field())
        with place as field:
            report = disturb(
                second,
                seed=given.seed,
                kills=given.kills,
                driver_kills=given.driver_kills,
                every=given.every,
                field=field,
            )
        print(f"disturbed: {report.seconds:.0f} s, {report.runs} runs, exit codes {dict(report.endings)}")
        print(f"kills: {report.kills.total()}: {dict(sorted(report.kills.items()))}")
        for words, count in Counter(report.said).most_common():
            print(f"said {count} x {words[-600:]}")
        traced(second)
        require_whole(second)
        require_nothing_left(second, report)
        same = canonical(first) == canonical(second)
        print(f"gradebooks: {'equal' if same else 'DIFFERENT'}")
        if not same:
            differences(canonical(first), canonical(second))
        raise SystemExit(0 if same else 1)


def traced(room: Classroom) -> None:
    """What the faults say."""
    said: Counter[str] = Counter()
    for path in (room.course_dir / "attempts").glob(f"*/{ID}/*/fault.txt"):
        said[path.read_text().strip()] += 1
    for words, count in said.most_common():
        print(f"fault {count} x {words}")


def differences(first: dict[str, object], second: dict[str, object]) -> None:
    for student in first:
        if first[student] != second.get(student):
            print(student, first[student], second.get(student), sep="\n  ")


if __name__ == "__main__":
    main()
