"""What instructors see of a class, and what they can do."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from autograder.gradebook import latest_receipt
from autograder.judge import Verdict
from hub.exchange.records import Member
from hub.pages.classroom import Classroom
from hub.pages.roll import Mark, count
from hub.pages.site import PageSettings, Site
from tests.autograder.gradebook.gradings import result
from tests.autograder.notebooks import cell_of, right, two_questions
from tests.hub.pages.school import DUE, School

OK, WRONG = Verdict.OK, Verdict.WRONG


def without_essay() -> Any:
    nb = right(two_questions())
    nb.cells.remove(cell_of(nb, "why"))
    return nb


def finished(school: School, student: str = "ada") -> None:
    """A submission whose grade is final."""
    school.submit(student)
    school.grade(student=student, submitted=without_essay())


def marks(school: School) -> dict[str, Mark]:
    lines = Classroom(Site.of_exchange(school.exchange, PageSettings())).lines()["layers"]
    return {line.student: line.mark for line in lines}


def test_every_state_is_told_apart(school: School) -> None:
    school.exchange.enrol([Member(name) for name in ("bea", "carl", "dan", "eve")])
    finished(school, "ada")
    school.submit("bea")
    school.submit("carl")
    school.grade(student="carl", fault="no box started")
    school.submit("dan")
    school.grade(student="dan")
    school.submit("eve")
    school.grade(student="eve", problem="layers.ipynb is empty.")
    assert marks(school) == {
        "ada": Mark.GRADED, "bea": Mark.TO_GRADE, "carl": Mark.FAULT, "dan": Mark.TO_MARK,
        "eve": Mark.UNREADABLE, "grace": Mark.MISSING,
    }  # fmt: skip
    text = school.visitor("alan").page("/staff/a/layers").text
    assert "no box started" in text and "layers.ipynb is empty." in text


def test_a_newer_submission_is_to_grade_and_the_grade_stands(school: School) -> None:
    finished(school)
    school.submit(extra=b" ")
    (line, *_) = Classroom(Site.of_exchange(school.exchange, PageSettings())).lines()["layers"]
    assert (line.mark, line.points) == (Mark.TO_GRADE, 10)


def test_counts_are_of_the_whole_roster(school: School) -> None:
    finished(school)
    counts = count(Classroom(Site.of_exchange(school.exchange, PageSettings())).lines()["layers"])
    assert (counts.students, counts.submitted, counts.max_points) == (2, 1, 15)
    assert counts.scores == pytest.approx([10 / 15])
    assert counts.median == pytest.approx(10)


def test_the_glance_has_a_row_an_assignment(school: School) -> None:
    finished(school)
    sheet = school.visitor("alan").page("/staff")
    assert "2 students on the roster" in sheet.text
    assert "1 / 2" in sheet.text and "10 / 15" in sheet.text
    assert any("1 grades, from 10 to 10 of 15" in each.get("aria-label", "") for each in sheet.all("svg"))


def test_pages_are_there_before_anything_was_released(school: School) -> None:
    (school.course_dir / "gradebook.db").unlink()
    alan = school.visitor("alan")
    for path in (
        "/staff",
        "/staff/a/layers",
        "/staff/s/ada",
        "/staff/export",
        "/staff/jobs",
        "/staff/roster",
    ):
        alan.page(path)
    school.visitor("ada").page("/")
    assert "no grades yet" in alan.page("/staff").text
    assert "nothing to export" in alan.page("/staff/export").text


def test_each_checks_pass_rate_is_told(school: School) -> None:
    finished(school, "ada")
    school.submit("grace")
    school.grade(result(OK, OK, WRONG), student="grace")
    text = school.visitor("alan").page("/staff/a/layers").text
    assert "relu relu 2 of 2 100 % (2 of 2) 4 / 4" in text
    assert "relu-zero relu 1 of 2 50 % (1 of 2) 1 / 2 1 wrong" in text
    assert "Time and memory of 2 submissions" in text or "2.5" in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"ada", "grace"}),
        ("?q=HOPPER", {"grace"}),
        ("?q=ad", {"ada"}),
        ("?state=graded", {"ada"}),
        ("?state=nothing+submitted", {"grace"}),
        ("?q=grace&state=graded", set()),
        ("?state=nonsense&page=nonsense", {"ada", "grace"}),
    ],
)
def test_the_list_is_filtered(school: School, query: str, shown: set[str]) -> None:
    finished(school)
    sheet = school.visitor("alan").page(f"/staff/a/layers{query}")
    links = {link.rpartition("/")[2] for link in sheet.links() if "/staff/s/" in link}
    # Ada stands in the table of the slowest, too.
    assert links & {"ada", "grace"} == shown | {"ada"}


def test_many_students_come_in_sheets(school: School) -> None:
    school.exchange.enrol([Member(f"s{number:03}") for number in range(250)])
    alan = school.visitor("alan")
    sheet = alan.page("/staff/a/layers?page=3")
    assert "252 students, page 3 of 3" in sheet.text
    assert len([link for link in sheet.links() if "/staff/s/" in link]) == 52
    assert "page 3 of 3" in alan.page("/staff/a/layers?page=99").text


def test_the_number_of_questions_to_the_database_does_not_grow_with_the_class(school: School) -> None:
    def asked() -> int:
        site = Site.of_exchange(school.exchange, PageSettings())
        gradebook = site.records.gradebook()
        assert gradebook is not None
        statements: list[str] = []
        engine = gradebook.database._reader
        event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        Classroom(site).lines()
        site.records.check_rates("layers")
        site.records.costs("layers")
        return len(statements)

    finished(school, "ada")
    few = asked()
    for name in ("grace", "bea", "carl"):
        finished(school, name)
    assert asked() == few


def test_what_was_read_is_read_again_when_the_gradebook_changes(school: School) -> None:
    site = Site.of_exchange(school.exchange, PageSettings())
    assert site.records.standings() == ()
    finished(school)
    assert [each.points for each in site.records.standings()] == [10]
    assert site.records.standings() is site.records.standings()


def test_one_student_shows_gradings_and_what_the_student_reads(school: School) -> None:
    school.submit()
    school.grade()
    school.grade(result(OK, OK, OK))
    text = school.visitor("alan").page("/staff/s/ada").text
    assert "Ada Lovelace" in text and "ada@example.org" in text
    assert "✓ counts" in text and "Checks of attempt 2" in text
    assert "Receipt 1" in text


def test_somebody_who_left_the_roster_is_still_shown(school: School) -> None:
    finished(school)
    with school.exchange._database.writing("member ada") as session:
        from hub.exchange.tables import MemberRow

        session.delete(session.get_one(MemberRow, "ada"))
    assert "✓ counts" in school.visitor("alan").page("/staff/s/ada").text


def test_an_extension_is_granted_in_the_courses_time_and_ended(school: School) -> None:
    alan = school.visitor("alan")
    answer = alan.post("/staff/a/layers/extend", student="ada", due="2026-09-05T18:30", reason="ill")
    assert answer.headers["location"].endswith("/staff/a/layers?said=extended")
    (extension,) = school.exchange.extensions("layers")
    assert extension.due == datetime(2026, 9, 5, 18, 30, tzinfo=ZoneInfo("America/New_York"))
    assert (extension.by, extension.reason) == ("alan", "ill")
    assert "The extension is granted." in alan.page("/staff/a/layers?said=extended").text
    ended = alan.post("/staff/a/layers/end-extension", **{"student": "ada", "from": "student"})
    assert ended.headers["location"].endswith("/staff/s/ada?said=ended")
    assert school.exchange.extensions("layers") == ()


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"student": "ada", "due": ""}, 400, "choose one in the form"),
        ({"student": "ada", "due": "tomorrow"}, 400, "is no date and time"),
        ({"student": "ada", "due": "2026-08-31T12:00"}, 400, "not after the due date"),
        ({"student": "nobody", "due": "2026-09-05T12:00"}, 404, "nobody on the roster"),
        ({"student": "../x", "due": "2026-09-05T12:00"}, 400, "is not a student id"),
    ],
)
def test_an_extension_that_makes_no_sense_is_refused_with_words(
    school: School, fields: dict[str, str], status: int, words: str
) -> None:
    answer = school.visitor("alan").post("/staff/a/layers/extend", **fields)
    assert answer.status_code == status
    assert words in answer.text.replace("&#39;", "'")
    assert school.exchange.extensions() == ()


def test_collecting_lays_submissions_out_and_says_so(school: School) -> None:
    school.submit()
    alan = school.visitor("alan")
    assert alan.post("/staff/a/layers/collect").headers["location"].endswith("said=collected")
    assert latest_receipt(school.course_dir, "ada", "layers") is not None
    assert alan.post("/staff/a/layers/collect").headers["location"].endswith("said=nothing-new")


def test_an_assignment_is_released_and_withdrawn(school: School) -> None:
    alan = school.visitor("alan")
    alan.post("/staff/a/layers/withdraw")
    assert school.exchange.releases() == ()
    assert "○ not released" in school.visitor("ada").page("/").text
    alan.post("/staff/a/layers/release")
    assert [each.assignment for each in school.exchange.releases()] == ["layers"]
    refused = alan.post("/staff/a/kernels/release")
    assert refused.status_code == 400 and "mlsys release kernels" in refused.text


def test_the_export_says_what_is_not_final_and_gives_the_files(school: School) -> None:
    finished(school, "ada")
    school.submit("grace")
    school.grade(student="grace")
    alan = school.visitor("alan")
    text = alan.page("/staff/export").text
    assert "2 grades of 2 students" in text
    assert "layers: 1 not final (grace)" in text
    assert "kernels is not in the gradebook" in text
    answer = alan.get("/staff/export/grades.csv")
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert (rows["ada"]["state"], rows["ada"]["points"]) == ("graded", "10")
    assert (rows["grace"]["state"], rows["grace"]["points"]) == ("pending", "")
    assert answer.headers["content-disposition"].startswith('attachment; filename="mls-grades.csv"')
    for table in ("wide-table", "questions"):
        assert alan.get(f"/staff/export/{table}.csv").status_code == 200


def test_links_lead_into_formgrader(school: School) -> None:
    links = school.visitor("alan").page("/staff/a/layers").links()
    assert "/hub/user-redirect/formgrader/manage_submissions/layers" in links


def test_settings_come_from_the_hubs_environment() -> None:
    assert PageSettings.of_environment({"JUPYTERHUB_BASE_URL": "/ml/"}) == PageSettings(
        "/ml/hub/user-redirect/lab", "/ml/hub/user-redirect/formgrader"
    )
    assert PageSettings.of_environment({"MLSYS_FORMGRADER_URL": "/x/"}).formgrader_url == "/x"


def test_the_clock_of_pages_is_the_exchanges(school: School) -> None:
    school.now[0] = DUE + timedelta(days=40)
    assert "40 days ago" in school.visitor("alan").page("/staff").text
