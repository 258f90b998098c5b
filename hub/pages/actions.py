"""What the forms of staff do. Each is one call that a command offers too, or a job of commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from starlette.responses import Response

from autograder.errors import AuthorError
from autograder.gradebook.regrading import Keep
from course.release import release as build_release
from hub.pages.jobs import JobKind, Order
from hub.pages.responses import go
from hub.pages.site import Visit, not_found

PUSHES = frozenset({JobKind.LOOK.value, JobKind.PUSH.value})
LONGEST_REASON = 500
REGRADES = (JobKind.REGRADE, JobKind.PUBLISH, JobKind.UNDO)


def grade(visit: Visit) -> Response:
    """Collects and judges what is new."""
    return _start(visit, JobKind.GRADE)


def regrade(visit: Visit) -> Response:
    """Judges all again and shows what would change; then publishes that, or takes it back."""
    asked = visit.form.get("act", JobKind.REGRADE.value)
    if asked not in REGRADES:
        raise AuthorError(f"{asked[:40]!r} is nothing that can be done here; use the buttons of a regrading")
    return _start(visit, JobKind(asked))


def push(visit: Visit) -> Response:
    """Shows what the learning platform would get; then sends it."""
    asked = visit.form.get("act", JobKind.LOOK.value)
    if asked not in PUSHES:
        raise AuthorError(f"{asked[:40]!r} is nothing that can be done here; use the buttons of a preview")
    return _start(visit, JobKind(asked))


def give_back(visit: Visit) -> Response:
    """Writes feedback and lets students read it."""
    return _start(visit, JobKind.FEEDBACK)


def collect(visit: Visit) -> Response:
    """Lays submissions into the course directory."""
    gradebook = visit.site.records.gradebook()
    new = visit.site.exchange.collect(visit.entry.id)
    if gradebook is not None:
        for receipt in new:
            gradebook.record_submission(receipt)
    return go(visit, "staff_assignment", "collected" if new else "nothing-new", assignment=visit.entry.id)


def release(visit: Visit) -> Response:
    """Makes what students receive, if it isn't made yet, and puts it out."""
    if (visit.site.course.assignments_folder / visit.entry.id).is_dir():
        build_release(visit.site.course, visit.site.course_dir, (visit.entry.id,))
    visit.site.exchange.release(visit.entry.id)
    return go(visit, "staff_assignment", "released", assignment=visit.entry.id)


def withdraw(visit: Visit) -> Response:
    """Takes an assignment back from the list."""
    visit.site.exchange.withdraw(visit.entry.id)
    return go(visit, "staff_assignment", "withdrawn", assignment=visit.entry.id)


def extend(visit: Visit) -> Response:
    """Gives a student a later due date; the form's time is in the course's zone."""
    student, reason = visit.form.get("student", "").strip(), visit.form.get("reason", "").strip()
    due = _moment(visit, visit.form.get("due", ""))
    visit.site.exchange.extend(
        student, visit.entry.id, due, by=visit.member.name, reason=reason[:LONGEST_REASON]
    )
    return _back(visit, student, "extended")


def end_extension(visit: Visit) -> Response:
    """Ends an extension."""
    student = visit.form.get("student", "").strip()
    visit.site.exchange.end_extension(student, visit.entry.id)
    return _back(visit, student, "ended")


def stop(visit: Visit) -> Response:
    """Asks a job to stop."""
    try:
        visit.site.jobs.stop(visit.part("job"))
    except KeyError:
        raise not_found() from None
    return go(visit, "job", "stopping", job=visit.part("job"))


def _start(visit: Visit, kind: JobKind) -> Response:
    only = visit.form.get("student", "").strip()
    if only and only not in {each.name for each in visit.site.exchange.roster()}:
        raise not_found()
    everything = visit.form.get("everything") == "yes"
    order = Order(kind, visit.entry.id, (only,) if only else (), everything)
    if kind.is_signed:
        order = replace(order, keep=_keep(visit), reason=_reason(visit), by=visit.member.name)
    job = visit.site.jobs.start(order, visit.member.name)
    return go(visit, "job", job=job.id)


def _keep(visit: Visit) -> Keep:
    return Keep.NEVER_LOWER if visit.form.get("keep") == Keep.NEVER_LOWER else Keep.REPLACE


def _reason(visit: Visit) -> str:
    """One line, as it is kept in the record."""
    reason = " ".join(visit.form.get("reason", "").split())[:LONGEST_REASON]
    if not reason:
        raise AuthorError("Say why, in a few words: it is kept in the record of regradings")
    return reason


def _back(visit: Visit, student: str, said: str) -> Response:
    """To the page that the form was on."""
    if visit.form.get("from") == "student":
        return go(visit, "staff_student", said, student=student)
    return go(visit, "staff_assignment", said, assignment=visit.entry.id)


def _moment(visit: Visit, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=visit.site.course.timezone)
    except ValueError:
        raise AuthorError(
            f"{text[:40]!r} is no date and time; choose one in the form, such as 2027-03-01T18:00"
        ) from None
