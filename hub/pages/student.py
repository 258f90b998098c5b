"""What a student sees: the course, one assignment, and the files that are theirs.

Contract: every question to the exchange names the visitor as the student; no part of the path or
the query can name another.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from course.records import Entry
from hub.exchange.records import Returned, Submission
from hub.pages.overview import Card, Given, by_part, card, next_due, total
from hub.pages.responses import caged, download, page
from hub.pages.site import Site, Visit, not_found


def course(visit: Visit) -> Response:
    """The course by chapter."""
    cards = cards_of(visit.site, visit.member.name)
    return page(
        visit,
        "course.html.j2",
        parts=by_part(visit.site.course, cards),
        upcoming=next_due(cards, visit.site.now()),
        total=total(cards),
    )


def assignment(visit: Visit) -> Response:
    """One assignment: terms, what was handed in, what came back."""
    shown = card_of(visit)
    return page(visit, "assignment.html.j2", card=shown, mark=mark(shown))


def card_of(visit: Visit) -> Card:
    """Where the assignment stands for the visitor now."""
    return cards_of(visit.site, visit.member.name, [visit.entry])[0]


def mark(card: Card) -> str:
    """Changes whenever what the page of an assignment says of the newest submission does."""
    newest = card.submissions[-1].number if card.submissions else 0
    given = card.newest.returned.id if card.newest else 0
    return f"{newest} {card.stage.value} {len(card.checked)} {given}"


def receipt(visit: Visit) -> Response:
    """The receipt of one submission, to keep."""
    return receipt_of(visit, visit.member.name)


def handed_in(visit: Visit) -> Response:
    """A file of one submission."""
    return file_of(visit, visit.member.name)


def feedback(visit: Visit) -> Response:
    """A feedback page."""
    return feedback_of(visit, visit.member.name)


def cards_of(site: Site, student: str, entries: Sequence[Entry] | None = None) -> list[Card]:
    """Where assignments stand for a student; all of the course unless ``entries`` are given."""
    submissions: dict[str, list[Submission]] = {}
    for taken in site.exchange.submissions(student):
        submissions.setdefault(taken.assignment, []).append(taken)
    given: dict[str, list[Given]] = {}
    wanted = {entry.id for entry in entries or site.course.entries}
    for each in site.exchange.returned(student):
        if each.assignment in wanted:
            given.setdefault(each.assignment, []).append(Given(each, site.records.summary(each)))
    judged = site.records.judged_of(student, site.now())
    return [
        card(
            entry,
            site.material.outline(entry),
            site.exchange.terms(student, entry.id),
            submissions.get(entry.id, ()),
            given.get(entry.id, ()),
            judged,
            site.now(),
            site.records.board.notice(student, entry.id),
        )
        for entry in entries or site.course.entries
    ]


def receipt_of(visit: Visit, student: str) -> Response:
    found = _submission(visit, student)
    name = f"receipt-{student}-{found.assignment}-{found.number}.json"
    text = visit.site.exchange.receipt(found).text()
    return download(name, text.encode(), "application/json")


def file_of(visit: Visit, student: str) -> Response:
    found = _submission(visit, student)
    name = visit.part("name")
    if name not in {each.name for each in found.files}:
        raise not_found()
    return download(name, visit.site.exchange.read_submission(found)[name])


def feedback_of(visit: Visit, student: str) -> Response:
    """A page shows in a cage; any other file is a download."""
    found, name = _returned(visit, student), visit.part("name")
    if name not in {each.name for each in found.files}:
        raise not_found()
    data = visit.site.exchange.read_returned(found)[name]
    return caged(data) if name.lower().endswith(".html") else download(name, data)


def _submission(visit: Visit, student: str) -> Submission:
    """The student's submission that the path names."""
    for each in visit.site.exchange.submissions(student, visit.entry.id):
        if str(each.number) == visit.part("number"):
            return each
    raise not_found()


def _returned(visit: Visit, student: str) -> Returned:
    """The student's feedback that the path names."""
    for each in visit.site.exchange.returned(student, visit.entry.id):
        if str(each.id) == visit.part("returned"):
            return each
    raise not_found()
