"""Pushes an assignment's grades into its column there: plan, send, read back, reconcile.

Contract: run again it does nothing that is done. What is sent is read back with one request for all, and a
platform that says yes and shows something else is reported. One push of a course at a time. Interrupted
anywhere, the same push goes on: the platform is read first, so nothing that arrived is sent again.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from autograder.errors import PlatformError
from autograder.gradebook.gradetable import Grade
from course.tree import STATE
from hub.coursework import Busy
from hub.lti.lineitems import choose, create, read_line_items, require_ours
from hub.lti.log import Outcome, Past
from hub.lti.matching import match
from hub.lti.passback import Passback
from hub.lti.planning import Choices, Planned, plan
from hub.lti.records import LineItem, Participant, Result
from hub.lti.scores import read_results, same
from hub.lti.sending import Batch, Progress, Sender, Sent
from hub.lti.text import shown

LOCK = "lti-push.lock"


@dataclass(frozen=True)
class Order:
    """What is to be pushed. ``line_item``: the column's id, found by the assignment's id unless given;
    ``feedback``: with the comment; ``by_email``: match by e-mail address, too."""

    assignment: str
    title: str
    maximum: float
    choices: Choices = field(default_factory=Choices)
    line_item: str = ""
    feedback: bool = False
    by_email: bool = False


@dataclass(frozen=True)
class Preview:
    """What a push would do. ``item`` None: the column is made first. ``strangers``: active learners there
    whom nobody here is. ``notes``: for people."""

    order: Order
    item: LineItem | None
    rows: tuple[Planned, ...]
    past: dict[str, Past]
    strangers: tuple[Participant, ...]
    notes: tuple[str, ...] = ()

    @property
    def sending(self) -> tuple[Planned, ...]:
        return tuple(each for each in self.rows if each.sends)


class Verdict(StrEnum):
    """What came of a score. CONFIRMED: the platform shows it. SILENT: it said yes and shows what it showed
    before. DIFFERS: it shows something else. CONFLICT: it has a later one. REFUSED. UNKNOWN: nobody knows."""

    CONFIRMED = "confirmed"
    SILENT = "silently refused"
    DIFFERS = "differs"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Delivery:
    """One score and what came of it; ``there``: what the platform shows since."""

    planned: Planned
    verdict: Verdict
    there: Result | None = None
    status: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Report:
    """``deliveries``: of all that was sent; ``broken``: why it ended before all was."""

    preview: Preview
    deliveries: tuple[Delivery, ...] = ()
    broken: PlatformError | None = None
    declined: bool = False  # a person said no: nothing was sent

    @property
    def failed(self) -> tuple[Delivery, ...]:
        return tuple(each for each in self.deliveries if each.verdict is not Verdict.CONFIRMED)


def push(
    passback: Passback,
    order: Order,
    grades: Sequence[Grade],
    *,
    confirm: Callable[[Preview], bool] = lambda preview: True,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Pushes the grades. ``confirm`` is asked between plan and sending; ``progress`` told after each portion.

    Raises AuthorError for a choice that staff have to make, Busy, and PlatformError where nothing was
    sent; what went wrong later is in the report.
    """
    with _one_at_a_time(passback):
        preview = look(passback, order, grades)
        if not preview.sending:
            return Report(preview)
        if not confirm(preview):
            return Report(preview, declined=True)
        item = preview.item or _made(passback, order)
        run = secrets.token_hex(8)
        sender = Sender(passback, item, run, preview.past, feedback=order.feedback)
        batch = sender.send(preview.sending, progress)
        return _read_back(passback, item, preview, batch)


def look(passback: Passback, order: Order, grades: Sequence[Grade]) -> Preview:
    """What a push would do now: reads, and changes nothing. Raises as ``push`` does."""
    passback.require_scopes()
    item = _item(passback, order)
    members = passback.members()
    results = read_results(passback.client, item) if item is not None else {}
    past = passback.log.past(item) if item is not None else {}
    matching = match([each.student for each in grades], members, passback.logins(), by_email=order.by_email)
    rows = plan(grades, matching, results, past, order.choices)
    return Preview(order, item, rows, past, matching.strangers, tuple(_notes(order, item)))


def _item(passback: Passback, order: Order) -> LineItem | None:
    """The assignment's column: the chosen one, that of the last push, or the one with its id."""
    url = passback.require_lineitems()
    items = read_line_items(passback.client, url)
    last = passback.log.last_item(order.assignment, passback.launch.context)
    wanted = order.line_item or next((each.id for each in items if each.id == last), "")
    item = choose(items, order.assignment, wanted)
    return require_ours(item, passback.client.wire.hosts) if item is not None else None


def _made(passback: Passback, order: Order) -> LineItem:
    made = create(passback.client, passback.require_lineitems(), order.assignment, order.title, order.maximum)
    return require_ours(made, passback.client.wire.hosts)


def _notes(order: Order, item: LineItem | None) -> Iterator[str]:
    if item is None:
        yield f"the column {order.title!r} of {order.maximum:g} points will be made"
    elif item.maximum != order.maximum:
        yield (
            f"the column {shown(item.label)!r} has {item.maximum:g} points, {order.assignment} has "
            f"{order.maximum:g}: the platform rescales, which is right unless somebody meant otherwise"
        )


def _read_back(passback: Passback, item: LineItem, preview: Preview, batch: Batch) -> Report:
    """Compares what the platform shows with what was sent: one look at the column."""
    out = [each for each in batch.sent if each.id is not None]
    if not out or passback.client.wire.stop.is_set():
        return Report(preview, tuple(_delivery(each, None, read=False) for each in batch.sent), batch.broken)
    try:
        results = read_results(passback.client, item)
    except PlatformError as error:
        unread = tuple(_delivery(each, None, read=False) for each in batch.sent)
        return Report(preview, unread, batch.broken or error)
    passback.log.seen(
        [(each.id, results.get(each.planned.user_id)) for each in out if each.id is not None],
        passback.clock(),
    )
    read = tuple(_delivery(each, results.get(each.planned.user_id), read=True) for each in batch.sent)
    return Report(preview, read, batch.broken)


def _delivery(sent: Sent, there: Result | None, *, read: bool) -> Delivery:
    planned = sent.planned
    assert planned.score is not None  # noqa: S101  # only planned scores are sent
    if sent.outcome is Outcome.ACCEPTED and not read:
        verdict = Verdict.UNKNOWN
    elif read and same(planned.score, planned.grade.maximum, there):
        verdict = Verdict.CONFIRMED
    elif sent.outcome is not Outcome.ACCEPTED:
        verdict = Verdict(sent.outcome.value)
    else:
        is_as_before = _shown(there) == _shown(planned.there)
        verdict = Verdict.SILENT if is_as_before else Verdict.DIFFERS
    return Delivery(planned, verdict, there, sent.status, sent.note)


def _shown(result: Result | None) -> float | None:
    return None if result is None else result.share


@contextlib.contextmanager
def _one_at_a_time(passback: Passback) -> Iterator[None]:
    """The lock ends with the process that holds it. Raises Busy."""
    file = passback.exchange.course_dir / STATE / LOCK
    try:
        file.parent.mkdir(exist_ok=True)
        lock = file.open("a")
    except OSError as error:
        raise PlatformError(f"{file}: {error.strerror}; see to the disk, then run it again") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "grades of this course are being pushed already; wait until that ends, or stop it"
            ) from None
        yield
