"""What instructors see: the course at a glance, one assignment, one student, the roster, the export."""

from __future__ import annotations

from starlette.responses import Response

from hub.exchange.records import Member
from hub.exporting import dry_run
from hub.lti.launches import is_launched
from hub.pages import student as pages_of_student
from hub.pages.classroom import Classroom
from hub.pages.plots import histogram, scatter, spread
from hub.pages.responses import download, page
from hub.pages.roll import Line, Mark, chosen, count
from hub.pages.site import Visit, not_found
from hub.pages.tables import TABLES, table_csv

PER_PAGE = 100
MEGABYTE = 1 << 20


def glance(visit: Visit) -> Response:
    """The course at a glance."""
    lines = Classroom(visit.site).lines()
    released = {each.assignment for each in visit.site.exchange.releases()}
    rows = []
    for entry in visit.site.course.entries:
        counts = count(lines[entry.id])
        rows.append(
            {
                "entry": entry,
                "outline": visit.site.material.outline(entry),
                "counts": counts,
                "plot": histogram(counts.scores, counts.max_points),
                "released": entry.id in released,
            }
        )
    students = len(visit.site.records.students())
    return page(
        visit, "glance.html.j2", rows=rows, students=students, running=visit.site.jobs.running(), Mark=Mark
    )


def assignment(visit: Visit) -> Response:
    """One assignment: what can be done, its checks, its plots, its students."""
    entry, site = visit.entry, visit.site
    lines = Classroom(site).lines([entry.id])[entry.id]
    counts, costs = count(lines), site.records.costs(entry.id)
    mark = visit.asked("state") if visit.asked("state") in list(Mark) else ""
    shown = chosen(lines, mark, visit.asked("q"))
    extensions = site.exchange.extensions(entry.id)
    return page(
        visit,
        "staff_assignment.html.j2",
        entry=entry,
        outline=site.material.outline(entry),
        released=next((each for each in site.exchange.releases() if each.assignment == entry.id), None),
        counts=counts,
        plot=histogram(counts.scores, counts.max_points),
        rates=site.records.check_rates(entry.id),
        costs=scatter(
            [(c.student, c.wall_seconds, c.peak_bytes, c.points >= c.max_points > 0) for c in costs]
        ),
        spreads=[
            each
            for each in (
                spread("Time", "s", [cost.wall_seconds for cost in costs]),
                spread("Processor", "s", [cost.cpu_seconds for cost in costs]),
                spread("Memory", "MB", [cost.peak_bytes / MEGABYTE for cost in costs]),
            )
            if each is not None
        ],
        slowest=sorted(costs, key=lambda cost: -cost.wall_seconds)[:10],
        lines=_sheet(visit, shown),
        found=len(shown),
        sheet=_sheet_number(visit, len(shown)),
        sheets=max(1, -(-len(shown) // PER_PAGE)),
        mark=mark,
        text=visit.asked("q"),
        extensions=extensions,
        extended={each.student for each in extensions},
        grading=site.jobs.grading(entry.id),
        launched=is_launched(site.exchange.database),
        history=[job for job in site.jobs.jobs() if job.order.assignment == entry.id][:5],
        Mark=Mark,
    )


def student(visit: Visit) -> Response:
    """One student in all assignments."""
    site, member = visit.site, _somebody(visit)
    lines = Classroom(site).lines()
    own = {
        name: next((line for line in each if line.student == member.name), None)
        for name, each in lines.items()
    }
    cards = pages_of_student.cards_of(site, member.name)
    attempts = site.records.attempts(member.name)
    return page(
        visit,
        "staff_student.html.j2",
        person=member,
        rows=[
            {
                "card": card,
                "line": own[card.entry.id],
                "attempts": [each for each in reversed(attempts) if each.assignment == card.entry.id],
            }
            for card in cards
        ],
        Mark=Mark,
    )


def receipt(visit: Visit) -> Response:
    """A student's receipt."""
    return pages_of_student.receipt_of(visit, _somebody(visit).name)


def handed_in(visit: Visit) -> Response:
    """A file that a student handed in."""
    return pages_of_student.file_of(visit, _somebody(visit).name)


def feedback(visit: Visit) -> Response:
    """A feedback page as the student has it."""
    return pages_of_student.feedback_of(visit, _somebody(visit).name)


def roster(visit: Visit) -> Response:
    """Everybody on the roster."""
    wanted = visit.asked("q").casefold()
    people = visit.site.exchange.roster()
    shown = [
        each
        for each in people
        if any(wanted in text.casefold() for text in (each.name, each.full_name, each.email))
    ]
    return page(visit, "roster.html.j2", people=shown, everybody=people, text=visit.asked("q"))


def jobs(visit: Visit) -> Response:
    """The newest jobs."""
    return page(visit, "jobs.html.j2", jobs=visit.site.jobs.jobs())


def export(visit: Visit) -> Response:
    """What an export would hold, and the files."""
    site = visit.site
    roster = [each.name for each in site.records.students()]
    report = dry_run(site.records.standings(), [entry.id for entry in site.course.entries], roster)
    return page(visit, "export.html.j2", report=report, tables=TABLES)


def export_table(visit: Visit) -> Response:
    """One table of the export."""
    name, gradebook = visit.part("table"), visit.site.records.gradebook()
    if name not in TABLES or gradebook is None:
        raise not_found()
    data = table_csv(name, gradebook, visit.site.records.standings())
    return download(f"{visit.site.course.id}-{name}.csv", data, "text/csv; charset=utf-8")


def _somebody(visit: Visit) -> Member:
    """The member that the path names; one who left the roster but has grades is shown too."""
    name = visit.part("student")
    for each in visit.site.exchange.roster():
        if each.name == name:
            return each
    if any(each.student == name for each in visit.site.records.standings()):
        return Member(name)
    raise not_found()


def _sheet(visit: Visit, lines: list[Line]) -> list[Line]:
    first = (_sheet_number(visit, len(lines)) - 1) * PER_PAGE
    return lines[first : first + PER_PAGE]


def _sheet_number(visit: Visit, count: int) -> int:
    """Which hundred of the list, from 1; a number that is none is the first."""
    asked = visit.asked("page")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    return max(1, min(number, -(-count // PER_PAGE) or 1))
