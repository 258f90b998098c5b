"""Races through the court: memory and growth, what may stand in a check, and hosts that can't measure."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from autograder.errors import PlatformError
from autograder.judge import Court, RaceKind, Settings, Verdict, hearing, plan_notebook
from autograder.judge import court as courts
from autograder.sandbox import DEFAULT_LIMITS, BoxSpec, open_box
from autograder.sandbox.policy import this_host
from autograder.sandbox.turnstile import OUT_OF_TURN
from tests.autograder.judge.notebooks import check, notebook, solve

pytestmark = [pytest.mark.slow, pytest.mark.lane]

SOFTMAX = """
import numpy as np
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
IN_PLACE = """
import numpy as np
def softmax(x):
    np.subtract(x, x.max(axis=1, keepdims=True), out=x)
    np.exp(x, out=x)
    x /= x.sum(axis=1, keepdims=True)
    return x
"""
TWICE = """
import numpy as np
def softmax(x):
    shifted = x - x.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    copy = e.copy()
    return copy / e.sum(axis=1, keepdims=True)
"""
POOLED = """
import numpy as np
pool = np.ones((4, 1000, 1000))
def softmax(x):
    if x.shape != (1000, 1000):
        return np.full(x.shape, 1 / x.shape[1])
    a, b, c, d = pool
    np.subtract(x, x.max(axis=1, keepdims=True), out=a)
    np.exp(a, out=b)
    c[:] = b
    return np.divide(c, b.sum(axis=1, keepdims=True), out=d)
"""
IN_A_CHILD = """
import os
import numpy as np
def softmax(x):
    pid = os.fork()
    if pid == 0:
        parts = [x - x.max(axis=1, keepdims=True) for _ in range(4)]
        e = np.exp(parts[0])
        x[:] = e / e.sum(axis=1, keepdims=True)
        os._exit(0)
    os.waitpid(pid, 0)
    return x
"""
INPUTS = "lambda rng: (rng.normal(size=(1000, 1000)),)"
DISTANCES = """
import numpy as np
def distances(x):
    squares = (x * x).sum(axis=1)
    return (squares[:, None] + squares[None, :] - 2 * (x @ x.T)).min(axis=1)
"""
MARKS = "bands={0.75: 1, 1.33: 3}"
BY_RATIO = f"race_memory(softmax, {INPUTS}, bands={{0.7: 1, 0.9: 2, 4: 3}})"
SORTED = "def middle(values):\n    return sorted(values)[len(values) // 2]"
QUADRATIC = """
def middle(values):
    half = len(values) // 2
    return next(v for v in values if sum(other < v for other in values) == half)
"""
GROWTH = (
    "race_growth(middle, lambda rng, n: (rng.normal(size=n).tolist(),), [250, 500, 1000, 2000], 'n log n')"
)

DEFAULT = Settings()


def judged(
    court: Court, name: str, reference: str, answer: str, race: str, settings: Settings = DEFAULT
) -> Any:
    def made(source: str) -> Any:
        probe = {
            "softmax": "import numpy as np\nassert np.allclose(softmax(np.zeros((2, 4))), 0.25)",
            "faults": "assert faults is not None",
            "places": "assert places is not None",
            "deepest": "import numpy as np\nassert deepest(np.ones(9)) > 900",
            "distances": "import numpy as np\nassert len(distances(np.ones((3, 2)))) == 3",
        }
        return notebook(
            solve(name, source),
            check(name, probe.get(name, "assert middle([3.0, 1.0, 2.0]) == 2"), points=1),
            check("race", race, points=3, question=name, speed=True),
        )

    plan = plan_notebook(made(answer), made(reference))
    return court.judge_for_staff(plan, settings, b"seed", open_pass=False)


@pytest.mark.parametrize(
    ("answer", "points"),
    [(SOFTMAX, 2), (IN_PLACE, 3), (TWICE, 0), (POOLED, 0)],
    ids=["as the reference", "in place", "twice as much", "a pool held before the call"],
)
def test_extra_memory_is_a_ratio_to_the_references(court: Court, answer: str, points: float) -> None:
    found = judged(court, "softmax", SOFTMAX, answer, BY_RATIO).result.checks[1]
    assert (found.points, found.race.kind) == (points, RaceKind.MEMORY)


@pytest.mark.parametrize("size", [60, 110, 160, 210, 400])
def test_what_a_box_allocated_before_does_not_slow_a_race(court: Court, size: int) -> None:
    """The same code on both sides: only the student's box has seen larger arrays."""
    race = f"distances(np.ones(({2 * size}, 99)))\nrace(distances, lambda rng: (rng.normal(size=({size}, 99)),), {MARKS})"
    found = judged(court, "distances", DISTANCES, DISTANCES, race).result.checks[1]
    assert found.points == 1, found.race


def test_memory_of_small_objects_stays_with_a_race_box(court: Court) -> None:
    """Python gives it back by the megabyte, or doesn't, by what else lies there: a loop's page faults tell."""
    answer = """
import resource
def faults(x):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    x.tolist()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
"""
    agreed = "check=lambda arguments, faults: faults < 700"
    race = f"race(faults, lambda rng: (rng.normal(size=200_000),), bands={{0.1: 3}}, {agreed})"
    assert judged(court, "faults", answer, answer, race).result.checks[1].points == 3


def test_boxes_of_a_race_have_the_same_addresses(court: Court) -> None:
    """One process in twenty is a tenth slower than all others with the same program, by where things lie."""
    answer = """
def places(x):
    stack = int(open("/proc/self/stat").read().split()[27])
    return [stack, id(places), hash("a")]
"""
    race = "race(places, lambda rng: (rng.normal(size=9),), bands={0.1: 3}, rtol=0, atol=0)"
    assert judged(court, "places", answer, answer, race).result.checks[1].points == 3


DEEPEST_CALL = """
def deepest(x):
    return deepest(x) if x is None else 1 + inner(x)
def inner(x):
    try:
        return 1 + inner(x)
    except RecursionError:
        return 0
"""


def test_a_race_for_memory_leaves_a_function_the_same_depth_each_time(court: Court) -> None:
    """One that recurses to the limit is right in each turn. (In a race for time it gets as far at least: see
    test_heap.)"""
    race = "race_memory(deepest, lambda rng: (rng.normal(size=9),), bands={0.1: 3}, rtol=0, atol=0)"
    found = judged(court, "deepest", DEEPEST_CALL, DEEPEST_CALL, race).result.checks[1]
    assert found.points == 3, found.message


def ended_with(status: int) -> hearing.BoxedNotebook:
    """A student's box whose turnstile has ended."""
    nobody: Any = None
    notebook = hearing.BoxedNotebook(nobody, Settings(), "student")
    notebook.box = open_box(BoxSpec(argv=("/bin/sleep", "60"), limits=DEFAULT_LIMITS))
    notebook.turnstile = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({status})"])
    notebook.turnstile.wait()
    return notebook


def test_a_turnstile_that_fails_is_no_fault_of_the_students() -> None:
    with pytest.raises(PlatformError, match="turnstile of the student's box failed"):
        ended_with(1).verdict_of_end("closed")


def test_a_race_that_stays_undecided_ends_before_its_check_is_out_of_time(court: Court) -> None:
    """Wherever its ratio is, some mark is within its interval."""
    marks = {round(0.5 + n / 200, 3): round(3 * n / 300, 2) for n in range(1, 301)}
    race = f"race(softmax, lambda rng: (rng.normal(size=(200, 200)),), bands={marks})"
    judgement = judged(court, "softmax", SOFTMAX, SOFTMAX, race, Settings(check_seconds=10.0))
    [_, raced] = judgement.result.checks
    assert raced.race is not None and not raced.race.decided, raced.message
    assert raced.verdict is Verdict.WRONG  # some points are missing, whichever
    assert raced.points == max(points for mark, points in marks.items() if mark <= raced.race.high)


@pytest.mark.parametrize("status", [0, OUT_OF_TURN])
def test_who_cannot_be_kept_to_turns_is_known(status: int) -> None:
    notebook = ended_with(status)
    assert notebook.verdict_of_end("closed") is Verdict.CRASH
    assert notebook.out_of_turn is (status == OUT_OF_TURN)


@pytest.mark.skipif(this_host().place is None, reason="nothing counts them without a control group")
def test_memory_of_a_process_that_came_and_went_counts(court: Court) -> None:
    found = judged(court, "softmax", SOFTMAX, IN_A_CHILD, BY_RATIO.replace("0.7", "0.95"))
    assert found.result.checks[1].points == 0


@pytest.mark.parametrize(("answer", "points"), [(IN_PLACE, 3), (SOFTMAX, 0)])
def test_in_place_is_all_or_nothing(court: Court, answer: str, points: float) -> None:
    race = f"race_memory(softmax, {INPUTS}, at_most=0)"
    assert judged(court, "softmax", SOFTMAX, answer, race).result.checks[1].points == points


@pytest.mark.parametrize(("answer", "points"), [(SORTED, 3), (QUADRATIC, 0)])
def test_growth_keeps_to_a_claim(court: Court, answer: str, points: float) -> None:
    found = judged(court, "middle", SORTED, answer, GROWTH).result.checks[1]
    assert (found.points, found.race.kind) == (points, RaceKind.GROWTH)
    assert (found.race.ratio <= found.race.marks[0][0]) is (points > 0)


@pytest.mark.parametrize(
    ("race", "words"),
    [
        ("race(middle, lambda rng: ([1.0],))", "give one of bands="),
        ("race(middle, lambda rng: ([1.0],), bands={1: 3}, smooth={1: 1, 2: 3})", "give one of bands="),
        ("race(middle, lambda rng: ([1.0],), bands={0.5: 2, 0.8: 1})", "points that rise"),
        ("race(middle, lambda rng: (object(),), bands={1: 3})", "handed over in a timed call"),
        ("race(middle, lambda rng: ([1.0],), bands={0.001: 99})", "more than its 3"),
        ("race_memory(middle, lambda rng: ([1.0],), at_most=-1)", "at_most is a number"),
        ("race_growth(middle, lambda rng, n: ([1.0],), [10, 20, 30], 'n log n')", "8 times"),
        ("race_growth(middle, lambda rng, n: ([1.0],), [10, 20, 80], 'n!')", "is no claim"),
        ("race(max, lambda rng: ([1.0],), bands={1: 3}); race(middle, None)", "exactly one race"),
    ],
)
def test_an_authors_slip_is_named(court: Court, race: str, words: str) -> None:
    found = judged(court, "middle", SORTED, SORTED, race)
    assert found.result.checks[1].points == 0
    assert words in found.staff["check-race"]


def test_a_host_that_cannot_measure_grades_no_speed(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Court] = []

    def unfit(court: Court) -> str:
        asked.append(court)
        return "this host can't measure speed fairly now"

    monkeypatch.setattr(courts, "fit_for_races", unfit)
    race = "race(middle, lambda rng: ([1.0],), bands={0.5: 3})"
    found = judged(court, "middle", SORTED, SORTED, race)
    assert {each.verdict for each in found.result.checks} == {Verdict.FAULT}
    assert "can't measure" in found.staff["check-race"]
    assert len(asked) == 1, "its passes were judged twice for the same answer"


def test_a_race_in_the_open_pass_says_when_speed_is_measured(court: Court) -> None:
    cells = (solve("middle", SORTED), check("race", "race(middle, None, bands={1: 3})", speed=True, points=3))
    plan = plan_notebook(notebook(*cells), notebook(*cells))
    (found,) = court.judge_visible(plan, Settings(), b"seed").checks
    assert (found.verdict, found.race) == (Verdict.OK, None)
    assert "measured when your notebook is graded" in found.message
