"""What students see of their work, and what they don't see before it was given back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.gradebook import Receipt
from autograder.gradebook.summary import FILE
from autograder.judge import CheckResult, NotebookResult, RaceResult, Verdict
from course.records import Feedback, When
from hub.board import Board
from hub.checks.report import CheckReport, QuestionReport, Report
from hub.exchange.exchange import Exchange
from hub.exchange.receipts import check_receipt, read_receipt
from hub.exchange.records import Member
from tests.autograder.gradebook.gradings import result
from tests.hub.pages.school import DUE, LATER, NOTEBOOK, NOW, PREFIX, School, small_course

OK, WRONG = Verdict.OK, Verdict.WRONG


def course_page(school: School, name: str = "ada") -> str:
    return school.visitor(name).page("/").text


def test_chapters_come_in_the_books_order_and_those_without_an_assignment_are_folded(school: School) -> None:
    sheet = school.visitor("ada").page("/")
    assert sheet.text.index("AI Frameworks") < sheet.text.index("AI Acceleration")
    assert "1 chapter without an assignment" in sheet.text
    assert len(sheet.all("details")) == 1


def test_an_assignment_goes_from_open_to_returned(school: School) -> None:
    assert "● open" in course_page(school)
    school.submit()
    assert "↑ submitted" in course_page(school)
    school.grade()
    assert "◐ graded" in course_page(school)
    school.give_back()
    assert "✓ returned" in course_page(school)
    school.submit(extra=b" ")
    assert "↑ submitted" in course_page(school)


def test_an_assignment_is_not_open_before_its_date_nor_after_its_last_day(school: School) -> None:
    school.exchange.release("kernels", {"kernels.ipynb": NOTEBOOK})
    assert "○ not released" in course_page(school)
    assert "Come back" in school.visitor("ada").page("/a/kernels").text
    school.now[0] = DUE + timedelta(days=3)
    assert "✗ closed" in course_page(school)
    school.now[0] = LATER
    school.exchange.withdraw("kernels")
    assert "has still to put it out" in school.visitor("ada").page("/a/kernels").text


def test_a_fault_of_ours_is_not_a_grade(school: School) -> None:
    school.submit()
    school.grade(fault="no box in /srv")
    assert "↑ submitted" in course_page(school)
    assert "/srv" not in school.visitor("ada").page("/a/layers").html


def test_what_is_due_next_is_on_top_with_its_extension(school: School) -> None:
    due = DUE + timedelta(days=3)
    school.exchange.extend("ada", "layers", due, by="alan")
    sheet = school.visitor("ada").page("/")
    assert "in 5 days" in sheet.text and "extended" in sheet.text
    assert due.isoformat() in [each["datetime"] for each in sheet.all("time")]
    assert "in 2 days" in course_page(school, "grace")
    assert "extended" not in course_page(school, "grace")


def test_times_are_in_the_courses_zone_and_say_so(school: School) -> None:
    assert "Tue 1 Sep 2026, 08:00 EDT" in course_page(school)
    assert "America/New_York" in course_page(school)


def test_points_and_messages_show_only_after_feedback_was_given_back(school: School) -> None:
    school.submit()
    school.grade()
    before = school.visitor("ada").page("/a/layers")
    assert "not given the feedback back yet" in before.text
    for words in ("Words about check-relu-zero.", "10", "check-relu"):
        assert words not in before.text.replace("10 Sep", "")
    school.give_back(titles={"relu": "The rectifier"})
    after = school.visitor("ada").page("/a/layers")
    for words in (
        "The rectifier",
        "Words about check-relu-zero.",
        "10 of 15 points",
        "4 / 6",
        "300 MB",
        "1.5 s",
    ):
        assert words in after.text, words
    assert "A person still has to grade this." in after.text


def report(*verdicts: Verdict | None) -> Report:
    """Of a notebook whose visible checks ended so."""
    checks = tuple(
        CheckReport(f"check-{number}", f"{number}", 2, verdict, f"Ended {verdict}", f"Words of {number}.")
        for number, verdict in enumerate(verdicts)
    )
    return Report("layers", "Layers", "layers", (QuestionReport("relu", "The rectifier", 6, checks),))


def tell(school: School, *reports: Report) -> Board:
    """As the grading server does for Ada's newest submission."""
    newest = school.exchange.submissions("ada", "layers")[-1]
    board = Board(school.course_dir)
    board.tell(Receipt("ada", "layers", newest.received, newest.sha256, (), (), "."), reports)
    return board


def test_the_newest_submission_is_followed_from_received_to_visible_results(school: School) -> None:
    school.submit()
    ada = school.visitor("ada")
    assert "waits to be graded" in ada.page("/a/layers").text
    board = tell(school)
    assert "waits to be graded" in ada.page("/a/layers").text  # whoever judged it is gone
    with board.held():
        assert "is being judged now" in ada.page("/a/layers").text
    tell(school, report(OK, WRONG, None))
    sheet = ada.page("/a/layers")
    assert "◐ checked" in sheet.text
    assert "Points are shown when your instructor gives the feedback back." in sheet.text
    for words in ("1 of 2 visible checks passed", "The rectifier", "Ended WRONG", "Words of 1.", "– / 6"):
        assert words in sheet.text, words
    assert "Words of 1." not in school.visitor("grace").page("/a/layers").text
    school.submit(extra=b" ")
    assert "Words of 1." not in ada.page("/a/layers").text


def test_visible_results_stay_until_feedback_comes(school: School) -> None:
    school.submit()
    tell(school, report(WRONG))
    school.grade()
    sheet = school.visitor("ada").page("/a/layers")
    assert "not given the feedback back yet" in sheet.text and "Words of 0." in sheet.text
    school.give_back()
    sheet = school.visitor("ada").page("/a/layers")
    assert "Words of 0." not in sheet.text and "10 of 15 points" in sheet.text
    assert not [each for each in sheet.all("div") if "data-events" in each]


@pytest.mark.parametrize(
    ("visible", "late", "shown"),
    [
        (When.AT_ONCE, False, True),
        (When.AFTER_DUE, False, False),
        (When.AFTER_DUE, True, True),
        (When.RETURNED, True, False),
    ],
)
def test_the_course_says_when_visible_results_are_shown(
    course: Path, tmp_path: Path, visible: When, late: bool, shown: bool
) -> None:
    with school_of(course, tmp_path, Feedback(visible, When.RETURNED)) as school:
        school.submit()
        tell(school, report(WRONG))
        school.now[0] = DUE + timedelta(minutes=1) if late else school.now[0]
        sheet = school.visitor("ada").page("/a/layers")
        assert ("Words of 0." in sheet.text) == shown
        assert ("◐ checked" in sheet.text) == shown


@contextmanager
def school_of(course_dir: Path, folder: Path, feedback: Feedback) -> Iterator[School]:
    """The school, with this policy."""
    taught = small_course(folder)
    entries = tuple(replace(each, feedback=feedback) for each in taught.entries)
    now = [NOW]
    with Exchange(replace(taught, entries=entries), course_dir, clock=lambda: now[0]) as exchange:
        exchange.enrol([Member("ada")])
        exchange.release("layers")
        yield School(course_dir, exchange, now)


def test_that_it_is_graded_is_told_by_the_minute(school: School) -> None:
    """To the second, it would tell how long hidden tests took, which a student can decide."""
    school.submit()
    school.now[0] = NOW + timedelta(seconds=7)
    school.grade()
    for seconds, words in ((7, "waits to be graded"), (59, "waits to be graded"), (60, "It is graded")):
        school.now[0] = NOW + timedelta(seconds=seconds)
        assert words in school.visitor("ada").page("/a/layers").text


def test_only_the_students_own_page_hears_of_it(school: School) -> None:
    school.submit()
    events = "/a/layers/events"
    other_page = {"sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
    assert school.visitor("ada").get(events, **other_page).status_code == 403
    assert school.visitor("").get(events, **other_page).status_code == 401


def test_a_regrading_shows_only_after_it_was_given_back_too(school: School) -> None:
    school.submit()
    school.grade()
    school.give_back()
    school.grade(result(WRONG, WRONG, WRONG))
    assert "10 of 15 points" in school.visitor("ada").page("/a/layers").text
    school.give_back()
    sheet = school.visitor("ada").page("/a/layers")
    assert "0 of 15 points" in sheet.text
    assert "Earlier feedback" in sheet.text


def test_feedback_without_data_is_still_linked(school: School) -> None:
    school.exchange.give_back("ada", "layers", {"layers.html": b"<p>x"}, sha256="0" * 64, attempt=1)
    school.exchange.give_back(
        "ada", "layers", {"layers.html": b"<p>y", FILE: b"{}"}, sha256="1" * 64, attempt=2
    )
    sheet = school.visitor("ada").page("/a/layers")
    assert [link for link in sheet.links() if link.endswith("/layers.html")]
    assert "of 15 points" not in sheet.text


def test_a_race_is_drawn_with_words_for_those_who_cannot_see_it(school: School) -> None:
    race = RaceResult(0.8, 0.7, 0.9, 12, True, marks=((0.5, 4.0), (0.95, 6.0)), overhead=0.15)
    raced = CheckResult("check-relu", "relu", OK, 4, 4, "Speed: 0.80", race=race)
    school.submit()
    school.grade(NotebookResult((raced, *result().checks[1:])))
    school.give_back()
    sheet = school.visitor("ada").page("/a/layers")
    assert "0.80 times the reference's speed" in next(each["aria-label"] for each in sheet.all("svg"))
    assert "0.95 → 6 points" in sheet.text and "15.0 % of the reference's turns" in sheet.text
    assert "Speed: 0.80" not in sheet.text
    assert any("/chart.css?v=" in str(each["href"]) for each in sheet.all("link"))


def test_a_receipt_can_be_kept_and_verified(school: School) -> None:
    school.submit()
    answer = school.visitor("ada").get("/a/layers/receipts/1")
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="receipt-ada-layers-1.json"'
    )
    check_receipt(read_receipt(answer.text), school.exchange.public_key)


def test_what_was_handed_in_comes_back_byte_for_byte(school: School) -> None:
    school.submit(name="Übung (1).ipynb")
    sheet = school.visitor("ada").page("/a/layers")
    link = next(each for each in sheet.links() if "/submissions/" in each)
    answer = school.visitor("ada").get(link.removeprefix(PREFIX))
    assert answer.content == NOTEBOOK
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "filename*=UTF-8''%C3%9Cbung" in answer.headers["content-disposition"]


def test_attempts_used_and_left_are_counted(school: School) -> None:
    for number in range(3):
        school.submit(extra=b" " * number)
    assert "3 used, 2 left" in course_page(school)


def test_a_late_submission_says_so_and_what_it_cost(school: School) -> None:
    school.now[0] = DUE + timedelta(hours=5)
    school.submit()
    school.grade(penalty=1.0, late_seconds=18_000.0)
    school.give_back()
    text = school.visitor("ada").page("/a/layers").text
    assert "5 hours late" in text
    assert "1 points were taken off" in text


def test_somebody_new_sees_the_course(school: School) -> None:
    sheet = school.visitor("zoe").page("/")
    assert "● open" in sheet.text
    assert Member("zoe") in school.exchange.roster()
    assert "You have not submitted anything." in school.visitor("zoe").page("/a/layers").text


@pytest.mark.parametrize("path", ["/", "/a/layers"])
def test_a_student_is_offered_nothing_of_the_staffs(school: School, path: str) -> None:
    school.submit()
    sheet = school.visitor("ada").page(path)
    assert not [link for link in sheet.links() if "/staff" in link or "formgrader" in link]
    assert not sheet.all("form")


def test_the_data_given_back_is_what_the_page_shows(school: School) -> None:
    school.submit()
    school.grade()
    school.give_back()
    returned = school.exchange.returned("ada")[0]
    files = school.exchange.read_returned(returned)
    assert {each.sha256 for each in returned.files} == {
        hashlib.sha256(data).hexdigest() for data in files.values()
    }
    assert json.loads(files[FILE])["points"] == 10
