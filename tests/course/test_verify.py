from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from autograder.judge import (
    CheckResult,
    Court,
    Judgement,
    NotebookResult,
    Plan,
    RaceResult,
    RunStep,
    Settings,
    Verdict,
)
from course.verify import Claim, Proof, Row, cases, verify
from tests.course.sample import SOLUTION, WRONG, Sample

Ruler = Callable[[Plan, int], dict[str, float]]


def honest(plan: Plan, _: int) -> dict[str, float]:
    """Marks as the fixtures deserve them, told from the answers' text."""
    text = "\n".join(step.source for step in plan.steps if isinstance(step, RunStep))
    if "_chameleon" in text or "NotImplementedError" in text:
        return {}
    marks = {check.check: check.points for check in plan.checks}
    return marks | ({"check-relu": 0} if "np.abs(x)" in text else {})


@dataclass
class Bench:
    """Stands in for the judge: rules by a function of the plan and the number of the hearing."""

    ruler: Ruler = honest
    race: RaceResult | None = None
    verdict: Verdict = Verdict.WRONG
    seeds: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def judge_for_staff(self, plan: Plan, settings: Settings, seed: bytes, *, open_pass: bool) -> Judgement:
        assert not open_pass
        assert settings.limits.cell_seconds == 4
        with self.lock:
            self.seeds.append(seed)
            marks = self.ruler(plan, len(self.seeds))
        checks = tuple(
            CheckResult(
                check=check.check,
                question=check.question,
                verdict=Verdict.OK if marks.get(check.check, 0) == check.points else self.verdict,
                points=marks.get(check.check, 0),
                max_points=check.points,
                message="a hint",
                race=self.race if check.check == "check-relu" else None,
            )
            for check in plan.checks
        )
        return Judgement(NotebookResult(checks), {"check-relu": "a traceback"})


def rows(sample: Sample, bench: Bench, workers: int = 2) -> dict[tuple[Claim, str], Row]:
    return {(row.claim, row.name): row for row in verify(sample.assignment, bench, workers=workers)}


def test_every_claim_about_an_assignment_is_proved(sample: Sample) -> None:
    found = rows(sample, Bench())
    assert {row.proof for row in found.values()} == {Proof.PROVED}
    assert {claim for claim, _ in found} == set(Claim)
    assert found[Claim.WRONG, "abs"].got == (80,)
    assert found[Claim.REPEAT, "10 times"].got == (100,) * 9


def test_there_is_a_row_for_each_case(sample: Sample) -> None:
    every = {(case.claim, case.name) for case in cases(sample.assignment)}
    assert rows(sample, Bench()).keys() == every


def test_no_two_judgements_share_hidden_inputs_but_verifying_again_does(sample: Sample) -> None:
    one, two = Bench(), Bench()
    rows(sample, one, workers=1)
    rows(sample, two, workers=1)
    assert one.seeds == two.seeds
    assert len(set(one.seeds)) == len(one.seeds)


def test_a_mistake_with_another_mark_is_refuted(sample: Sample) -> None:
    sample.edit(WRONG, "mark = 80", "mark = 70")
    row = rows(sample, Bench())[Claim.WRONG, "abs"]
    assert (row.proof, row.reason) == (Proof.REFUTED, "got 80, not 70")
    assert [(each.check, each.message, each.staff) for each in row.failures] == [
        ("check-relu", "a hint", "a traceback")
    ]


def test_a_mistake_that_costs_points_elsewhere_is_refuted(sample: Sample) -> None:
    sample.edit(WRONG, '["relu"]', '["unit"]')
    row = rows(sample, Bench())[Claim.WRONG, "abs"]
    assert (row.proof, "in relu" in row.reason) == (Proof.REFUTED, True)


def test_a_stub_that_earns_points_is_refuted(sample: Sample) -> None:
    found = rows(sample, Bench(lambda plan, _: {check.check: check.points for check in plan.checks}))
    assert found[Claim.STUB, "stub"].reason == "got 100, not 0"
    assert {found[claim, name].proof for claim, name in found if claim is Claim.CHAMELEON} == {Proof.REFUTED}
    assert found[Claim.REFERENCE, "reference"].proof is Proof.PROVED


def test_a_reference_that_fails_now_and_then_is_refuted(sample: Sample) -> None:
    bench = Bench(lambda plan, number: honest(plan, number) if number != 5 else {})
    proving = verify(sample.assignment, bench, workers=1, only=[Claim.REFERENCE, Claim.REPEAT])
    found = {row.claim: row for row in proving}  # they come as they end
    assert {claim: row.proof for claim, row in found.items()} == {
        Claim.REFERENCE: Proof.PROVED,
        Claim.REPEAT: Proof.REFUTED,
    }
    assert found[Claim.REPEAT].reason == "got 0, not 100"


RACE = RaceResult(0.2, 0.19, 0.21, 28, True, marks=((0.5, 10.0),))


def test_a_case_that_changes_a_raced_question_is_raced_three_times(sample: Sample) -> None:
    found = rows(sample, Bench(race=RACE))
    assert {claim: len(row.got) for (claim, name), row in found.items() if name in ("abs", "reference")} == {
        Claim.WRONG: 3,
        Claim.REFERENCE: 1,
    }
    assert {row.proof for row in found.values()} == {Proof.PROVED}
    (race,) = found[Claim.WRONG, "abs"].races
    assert (race.check, race.races, race.ratio, race.points, race.changes) == ("check-relu", 3, 0.2, (0,), 0)
    assert found[Claim.REPEAT, "10 times"].races[0].races == 9


def test_without_repeats_every_case_is_judged_once(sample: Sample) -> None:
    bench = Bench(race=RACE)
    found = list(verify(sample.assignment, bench, repeats=1))
    assert {len(row.got) for row in found} == {1}
    assert len(bench.seeds) == len(found)


def test_a_race_with_other_points_each_time_is_refuted_with_both(sample: Sample) -> None:
    def wavering(plan: Plan, number: int) -> dict[str, float]:
        return honest(plan, number) | ({"check-relu": 3} if number == 2 else {})

    bench = Bench(wavering, race=RACE)
    (row,) = verify(sample.assignment, bench, workers=1, only=[Claim.WRONG], name="abs")
    assert row.got == (80, 83, 80)
    assert (row.proof, row.reason) == (
        Proof.REFUTED,
        "check-relu got 0 and 3 points for the same code (1 of 3 differ)",
    )


def test_a_fault_of_the_platform_is_no_refutation(sample: Sample) -> None:
    found = rows(sample, Bench(lambda plan, number: {}, verdict=Verdict.FAULT))
    assert {row.proof for row in found.values()} == {Proof.FAULT}


def test_cases_can_be_chosen_by_kind_and_name(sample: Sample) -> None:
    found = [
        row.name for row in verify(sample.assignment, Bench(), only=[Claim.WRONG, Claim.RIGHT], name="a")
    ]
    assert found == ["abs"]


def test_closing_early_drops_what_has_not_begun(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            dropped.set()
            super().shutdown(wait)

    def ruler(plan: Plan, number: int) -> dict[str, float]:
        """The second judgement may have begun by then; it ends when the others are dropped."""
        assert number == 1 or dropped.wait(60)
        return honest(plan, number)

    monkeypatch.setattr("course.verify.ThreadPoolExecutor", Pool)
    bench = Bench(ruler)
    proving = verify(sample.assignment, bench, workers=1)
    next(proving)
    proving.close()
    assert len(bench.seeds) <= 2 < sum(len(case.seeds) for case in cases(sample.assignment))


@pytest.mark.slow
def test_the_judge_proves_the_sample(sample: Sample, court: Court) -> None:
    refuted = [row for row in verify(sample.assignment, court, repeats=2) if row.proof is not Proof.PROVED]
    assert refuted == []


@pytest.mark.slow
def test_the_judge_refutes_a_wrong_reference(sample: Sample, court: Court) -> None:
    sample.edit(SOLUTION, "np.asarray(x) > 0", "np.asarray(x) < 0")
    row = next(verify(sample.assignment, court, only=[Claim.REFERENCE]))
    assert (row.proof, row.got) == (Proof.REFUTED, (40,))
    assert row.failures[0].staff
