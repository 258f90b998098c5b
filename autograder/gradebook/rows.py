"""Between records and rows: a grading becomes an attempt's rows, and rows an ``Attempt``.

Contract: writes in the caller's session, and never commits. A notebook's checks are those of its source, each
once: a check without a result is a PlatformError, never a missing row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.attempts import (
    Aside,
    Attempt,
    AttemptNotebook,
    AttemptState,
    GradedNotebook,
    Grading,
    package_version,
    repairs_record,
)
from autograder.gradebook.tables import AttemptRow, CheckRow, NotebookRow, Table, insert_into
from autograder.judge import CheckResult, NotebookResult, RaceResult, Usage, Verdict, checks_of
from autograder.repair import Repair, RepairKind

# The fields that a row has as an attempt has them.
_COPIED = (
    "student assignment number sha256 submitted graded late_seconds penalty points max_points message "
    "source_version package_version"
).split()


def complete(graded: GradedNotebook) -> NotebookResult:
    """The notebook's result; for one that couldn't be read, 0 for each check of its source."""
    wanted = checks_of(graded.source)
    if graded.result is None:
        words = graded.problem or "The notebook could not be read."
        zero = (CheckResult(c.check, c.question, Verdict.ERROR, 0.0, c.points, words) for c in wanted)
        return NotebookResult(checks=tuple(zero))
    found = {check.check: check.max_points for check in graded.result.checks}
    if found != {check.check: check.points for check in wanted}:
        raise PlatformError(f"{graded.name}: the judgement is not of this notebook's checks; grade it again")
    return graded.result


def attempt_notebook(graded: GradedNotebook, answers: Mapping[str, str]) -> AttemptNotebook:
    """What is kept of a judged notebook."""
    result = complete(graded)
    repairs = graded.repaired.repairs if graded.repaired else ()
    return AttemptNotebook(graded.name, graded.problem, result.checks, result.usage, repairs, answers)


def planned_attempt(
    grading: Grading, number: int, version: str, answered: Mapping[str, Mapping[str, str]]
) -> Attempt:
    """The attempt that a grading is to be. It has no id yet. ``version``: of its sources; ``answered``: for
    each notebook, what became of each answer."""
    fault = grading.state is AttemptState.FAULT
    notebooks = [] if fault else [attempt_notebook(each, answered[each.name]) for each in grading.notebooks]
    checks = [check for notebook in notebooks for check in notebook.checks]
    problems = [each.problem for each in grading.notebooks if each.problem]
    return Attempt(
        id=0,
        student=grading.student,
        assignment=grading.assignment,
        number=number,
        sha256=grading.sha256,
        submitted=grading.submitted,
        graded=grading.graded,
        late_seconds=grading.late_seconds,
        penalty=grading.penalty,
        state=grading.state,
        points=sum(check.points for check in checks),
        max_points=sum(check.max_points for check in checks),
        message=grading.fault or _fault_words(grading) or "\n".join(problems),
        source_version=version,
        package_version=package_version(),
        counts=False,
        notebooks=tuple(notebooks),
    )


def keep_attempt(session: Session, attempt: Attempt) -> int:
    """Writes an attempt's rows; returns the id that the database gives it."""
    row = {name: getattr(attempt, name) for name in _COPIED}
    row.update(state=attempt.state.value, verdict=attempt.verdict.value)
    key = _inserted(session, AttemptRow, row)
    for notebook in attempt.notebooks:
        part = _inserted(session, NotebookRow, _notebook_row(notebook, key))
        checks = [_check_row(check, part, position) for position, check in enumerate(notebook.checks)]
        if checks:
            session.execute(insert_into(CheckRow), checks)
    return key


def _inserted(session: Session, entity: type[Table], row: Mapping[str, object]) -> int:
    done: Any = session.execute(insert_into(entity), row)
    return int(done.inserted_primary_key[0])


def read_attempt(row: AttemptRow, counts: bool, aside: Aside | None = None) -> Attempt:
    """The record of an attempt's rows."""
    return Attempt(
        id=row.id,
        student=row.student,
        assignment=row.assignment,
        number=row.number,
        sha256=row.sha256,
        submitted=row.submitted,
        graded=row.graded,
        late_seconds=row.late_seconds,
        penalty=row.penalty,
        state=AttemptState(row.state),
        points=row.points,
        max_points=row.max_points,
        message=row.message,
        source_version=row.source_version,
        package_version=row.package_version,
        counts=counts,
        notebooks=tuple(_read_notebook(each) for each in row.notebooks),
        aside=aside,
    )


def _fault_words(grading: Grading) -> str:
    results = [each.result for each in grading.notebooks if each.result is not None]
    words = [c.message for result in results for c in result.checks if c.verdict is Verdict.FAULT]
    return words[0] if words else ""


def _notebook_row(notebook: AttemptNotebook, attempt: int) -> dict[str, object]:
    return {
        "attempt_id": attempt,
        "name": notebook.name,
        "problem": notebook.problem,
        "cpu_seconds": notebook.usage.cpu_seconds,
        "peak_bytes": notebook.usage.peak_bytes,
        "wall_seconds": notebook.usage.wall_seconds,
        "repairs": repairs_record(notebook.repairs),
        "answers": dict(notebook.answers),
    }


def _check_row(check: CheckResult, notebook: int, position: int) -> dict[str, object]:
    return {
        "notebook_id": notebook,
        "position": position,
        "name": check.check,
        "question": check.question,
        "verdict": check.verdict.value,
        "points": check.points,
        "max_points": check.max_points,
        "message": check.message,
        "seconds": check.seconds,
        "race": json.dumps(check.race.as_plain()) if check.race else None,
    }


def _read_notebook(row: NotebookRow) -> AttemptNotebook:
    return AttemptNotebook(
        name=row.name,
        problem=row.problem,
        checks=tuple(_read_check(each) for each in row.checks),
        usage=Usage(row.cpu_seconds, row.peak_bytes, row.wall_seconds),
        repairs=tuple(
            Repair(RepairKind(each["kind"]), each["cell"], each["sentence"]) for each in row.repairs
        ),
        answers=row.answers,
    )


def _read_check(row: CheckRow) -> CheckResult:
    return CheckResult(
        check=row.name,
        question=row.question,
        verdict=Verdict(row.verdict),
        points=row.points,
        max_points=row.max_points,
        message=row.message,
        seconds=row.seconds,
        race=_read_race(row),
    )


def _read_race(row: CheckRow) -> RaceResult | None:
    return None if row.race is None else RaceResult.from_plain(json.loads(row.race))
