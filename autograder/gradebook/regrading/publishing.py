"""Publishes a regrading, and takes the last one back: each is one transaction.

Contract: whoever is killed leaves all of it or nothing in the database; ``mend`` then makes ``autograded/``
fit. Nothing is published that isn't what was planned: whatever the plan rested on and has changed since is a
``Stale``. Attempts are never removed: what is taken back is set aside.
The caller holds the assignment's grading lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from autograder.errors import AuthorError
from autograder.gradebook.attempts import Aside, Attempt, AttemptState
from autograder.gradebook.gradebook import Gradebook, read_attempts
from autograder.gradebook.regrading.audit import Regrading, Warrant, regrading
from autograder.gradebook.regrading.cells import cells
from autograder.gradebook.regrading.ledger import (
    COUNTING,
    Change,
    Ledger,
    differences,
    layout_digest,
    pack,
    read_ledger,
    unpack,
    write,
)
from autograder.gradebook.regrading.plan import NOISE, Held, Move, Plan, Revision, revise
from autograder.gradebook.released import require_released
from autograder.gradebook.rows import keep_attempt
from autograder.gradebook.tables import AttemptRow, RegradedRow, RegradingRow, SubmissionRow

NAMED = 5
PERSONS = ("manual_score", "extra_credit", "manual_comment")
UNDO = "undo"


class Stale(AuthorError):
    """The gradebook or the submissions aren't any more what was looked at."""


def plan_revision(gradebook: Gradebook, revision: Revision) -> Plan:
    """What publishing would do now; reads only. Raises PlatformError."""
    with gradebook.database.reading() as session:
        return revise(read_held(session, revision.assignment), revision)


def read_held(session: Session, assignment: str) -> Held:
    """What the gradebook has of an assignment. Raises PlatformError where it doesn't know it."""
    attempts: dict[str, list[Attempt]] = {}
    for each in read_attempts(session, None, assignment):
        attempts.setdefault(each.student, []).append(each)
    return Held(read_ledger(session, assignment), attempts)


def publish(
    gradebook: Gradebook,
    revision: Revision,
    planned: Plan,
    warrant: Warrant,
    seen: Mapping[str, str] | None = None,
) -> Regrading:
    """Writes what was planned. ``seen``: what people looked at, if they did (``Plan.seen``).

    Raises Stale, and PlatformError where the gradebook can't be written.
    """
    with gradebook.database.writing() as session:
        plan = revise(read_held(session, revision.assignment), revision)
        require_seen(plan.seen, planned.seen if seen is None else seen)
        if plan.added != planned.added:
            raise Stale(f"other attempts at {revision.assignment} were recorded meanwhile; run it again")
        _note_submissions(session, plan.added)
        ids = _record(session, plan.added)
        for row in plan.after.rows(COUNTING):
            row["attempt_id"] = ids.get(row["attempt_id"], row["attempt_id"])
        changes = differences(plan.before, plan.after)
        write(session, revision.assignment, changes)
        require_released(session, revision.assignment, revision.sources)
        audit = _audit_row(session, plan, revision, warrant, changes)
        session.add(audit)
        session.flush()
        session.add_all(
            RegradedRow(attempt_id=ids[each.id], regrading_id=audit.id, lower=each.aside is Aside.LOWER)
            for each in plan.added
        )
        session.flush()
        return regrading(audit, undone=False)


def require_seen(now: Mapping[str, str], seen: Mapping[str, str]) -> None:
    """Raises Stale where something isn't what people looked at."""
    changed = sorted(key for key in now.keys() | seen.keys() if now.get(key) != seen.get(key))
    if not changed:
        return
    what = named([each for each in changed if each]) or "the questions in the gradebook"
    raise Stale(
        f"since you looked, something changed of {what} (a new submission, a grading, a mark by hand). "
        "Nothing was published: look again with --dry-run, then publish"
    )


def named(names: Sequence[str]) -> str:
    """Some names, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def counts_of(moves: Sequence[Move]) -> dict[str, int]:
    """How many students go up and down, are graded for the first time, and stay; and how many of those that
    stay keep an attempt that is worth more."""
    found = dict.fromkeys(("up", "down", "first", "unchanged", "kept"), 0)
    for each in moves:
        found[direction(each)] += 1
        found["kept"] += each.kept
    return found


def direction(move: Move) -> str:
    if move.before is None or move.after is None:
        return "first" if move.before is None else "down"
    difference = move.after.total - move.before.total
    return "unchanged" if abs(difference) <= NOISE else "up" if difference > 0 else "down"


def undo(gradebook: Gradebook, assignment: str, warrant: Warrant) -> Regrading:
    """Takes the last regrading of an assignment back.

    Raises AuthorError where there is none, or where somebody has built on it since.
    """
    with gradebook.database.writing() as session:
        row = _last(session, assignment)
        require_not_built_on(session, row)
        now = read_ledger(session, assignment)
        if layout_digest(now) != row.layout:
            raise AuthorError(
                f"{assignment}: other questions were released after the regrading of {row.at:%Y-%m-%d %H:%M} "
                "UTC; it can't be taken back. Publish a regrading by the tests that shall hold instead"
            )
        changes = _backwards(now, unpack(row.changes))
        write(session, assignment, changes)
        taking_back = RegradingRow(
            assignment=assignment,
            undoes=row.id,
            by=warrant.by,
            at=warrant.at,
            reason=warrant.reason,
            policy=UNDO,
            source_before=row.source_after,
            source_after=row.source_before,
            code_version=warrant.code_version,
            environment=warrant.environment,
            counts=row.counts,
            layout=layout_digest(read_ledger(session, assignment)),
            last_attempt=_newest_attempt(session),
            changes=pack(()),
        )
        session.add(taking_back)
        session.flush()
        return regrading(taking_back, undone=False)


def require_not_built_on(session: Session, row: RegradingRow) -> None:
    """Raises AuthorError where submissions were graded after a regrading."""
    since = [
        each.student
        for each in read_attempts(session, None, row.assignment)
        if each.id > row.last_attempt and each.aside is None and each.state is not AttemptState.FAULT
    ]
    if since:
        whose = named(sorted(set(since)))
        raise AuthorError(
            f"{row.assignment}: {len(since)} submissions were graded after the regrading of "
            f"{row.at:%Y-%m-%d %H:%M} UTC ({whose}); it can't be taken back. Build the earlier tests and "
            "publish a regrading by them instead"
        )


def _last(session: Session, assignment: str) -> RegradingRow:
    taking_back = aliased(RegradingRow)
    taken = select(taking_back.undoes).where(taking_back.undoes.is_not(None))
    wanted = (
        select(RegradingRow)
        .where(RegradingRow.assignment == assignment, RegradingRow.undoes.is_(None))
        .where(RegradingRow.id.not_in(taken))
        .order_by(RegradingRow.id.desc())
    )
    row = session.scalars(wanted).first()
    if row is None:
        raise AuthorError(f"no regrading of {assignment} was published that could be taken back")
    return row


def _backwards(now: Ledger, changes: Sequence[Change]) -> list[Change]:
    """The way back, but for columns that people have written since.

    Raises AuthorError where marks by hand would be lost with the questions that they are of.
    """
    _require_no_marks(now, changes)
    found = []
    for each in (change.reversed for change in changes):
        row = now.tables[each.table].get(each.key)
        if each.before is None:
            found += [each] if row is None and _has_parent(now, each) else []
        elif row is None or each.table == "student":
            continue
        elif each.after is None:
            found.append(Change(each.table, each.key, row, None))
        else:
            kept = {name: value for name, value in each.after.items() if row[name] == each.before[name]}
            found += [Change(each.table, each.key, {name: row[name] for name in kept}, kept)] if kept else []
    return found


def _require_no_marks(now: Ledger, changes: Sequence[Change]) -> None:
    names = {row["id"]: f"{key[0]}/{key[2]}" for key, row in cells(now).items()}
    marked = set()
    for each in changes:
        row = now.tables[each.table].get(each.key) if each.before is None else None
        ours = each.table in ("grade", "comment")
        if ours and row is not None and any(row.get(column) is not None for column in PERSONS):
            marked.add(names[row["cell_id"]])
    if marked:
        raise AuthorError(
            f"{now.name}: people have marked answers to {named(sorted(marked))}, which would be lost with "
            "the regrading; remove those marks in the formgrader first, or publish another regrading instead"
        )


def _has_parent(now: Ledger, change: Change) -> bool:
    """Not where the student was removed from the gradebook meanwhile."""
    part = (change.after or {}).get("notebook_id")
    return change.table not in ("grade", "comment") or part in now.tables["submitted_notebook"]


def _note_submissions(session: Session, attempts: Sequence[Attempt]) -> None:
    names = {each.assignment for each in attempts}
    known = {
        (row.student, row.sha256, row.received)
        for row in session.scalars(select(SubmissionRow).where(SubmissionRow.assignment.in_(names)))
    }
    for each in attempts:
        key = each.student, each.sha256, each.submitted
        if key not in known:
            known.add(key)
            session.add(
                SubmissionRow(
                    student=each.student,
                    assignment=each.assignment,
                    sha256=each.sha256,
                    received=each.submitted,
                )
            )


def _record(session: Session, attempts: Sequence[Attempt]) -> dict[int, int]:
    """Records attempts; their planned ids -> those that the database gave."""
    return {each.id: keep_attempt(session, each) for each in attempts}


def _newest_attempt(session: Session) -> int:
    return session.scalars(select(func.max(AttemptRow.id))).one() or 0


def _audit_row(
    session: Session, plan: Plan, revision: Revision, warrant: Warrant, changes: Sequence[Change]
) -> RegradingRow:
    counting = [row["attempt_id"] for row in plan.before.rows(COUNTING)]
    before = select(AttemptRow.source_version).where(
        AttemptRow.assignment == revision.assignment, AttemptRow.id.in_(counting)
    )
    return RegradingRow(
        assignment=revision.assignment,
        undoes=None,
        by=warrant.by,
        at=warrant.at,
        reason=warrant.reason,
        policy=revision.keep.value,
        source_before=sorted(set(session.scalars(before))),
        source_after=sorted({each.source_version for each in plan.added}),
        code_version=warrant.code_version,
        environment=warrant.environment,
        counts=counts_of(plan.moves),
        layout=layout_digest(plan.after),
        last_attempt=_newest_attempt(session),
        changes=pack(changes),
    )
