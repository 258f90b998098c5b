"""Fresh files mean to each system what the grade table says: 3,000 students, by each importer's own rules."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import replace
from datetime import date

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys
from autograder.gradebook.lms.exporting import plan_fresh
from autograder.gradebook.lms.formats import FORMATS, Format
from autograder.gradebook.lms.plan import Options, Outcome, OverMaximum, Plan
from tests.autograder.gradebook.lms import importers
from tests.autograder.gradebook.lms.classes import (
    FEEDBACK,
    ITEM,
    TITLE,
    class_grades,
    expected,
    grade,
    student,
    students,
)

PEOPLE = students()
GRADES = class_grades(PEOPLE)
BY_NAME = {each.student.name: each for each in GRADES}
GRADED = [each for each in GRADES if each.score is not None]
PLACES = {"class": "C-1", "school": "S-1", "session": "T-1", "category": "K-1"}
MOODLE = Options(with_feedback=True)
ADA, BOB = student(1), student(2)


def only(plan: Plan) -> bytes:
    (data,) = plan.files.values()
    return data


def lines(plan: Plan) -> dict[str, Outcome]:
    return {line.student: line.outcome for line in plan.lines}


def canvas_course(**assignments: str) -> importers.Canvas:
    people = [(each.lms_id, each.sis_id, each.login, each.full_name) for each in PEOPLE]
    return importers.Canvas(people, {number.strip("_"): title for number, title in assignments.items()})


def moodle_course() -> importers.Moodle:
    return importers.Moodle([(each.sis_id, each.login, each.email) for each in PEOPLE])


def test_canvas_gets_each_score_and_no_empty_cell() -> None:
    course = canvas_course(_77=TITLE)
    plan = plan_fresh(GRADES, Format.CANVAS, Options(columns={ITEM: f"{TITLE} (77)"}))
    course.load(only(plan))
    by_id = expected(GRADES, "lms_id")
    assert course.scores == {(person, "77"): f"{score:.2f}" for person, score in by_id.items()}
    assert (course.unmatched, course.new) == ([], {})
    assert plan.count()[Outcome.WRITE] == len(GRADED)
    assert plan.count()[Outcome.MISSING] == len(GRADES) - len(GRADED)


def test_canvas_a_new_assignment_brings_its_points() -> None:
    course = canvas_course()
    course.load(only(plan_fresh([grade(ADA)], Format.CANVAS, Options())))
    assert course.new == {TITLE: "100"}
    assert course.scores == {(ADA.lms_id, TITLE): "8.50"}


def test_canvas_an_excused_student_is_ex_and_nobody_is_found_by_name_alone() -> None:
    gone = replace(BOB, lms_id="1", sis_id="x", login="y", full_name=student(14).full_name)
    course = canvas_course(_77=TITLE)
    grades = [grade(ADA, None, state=GradeState.EXCUSED), grade(gone)]
    course.load(only(plan_fresh(grades, Format.CANVAS, Options())))
    assert course.scores == {(ADA.lms_id, "77"): "EX"}
    assert len(course.unmatched) == 1


def test_canvas_an_id_that_it_would_change_is_not_used() -> None:
    spoilt = StudentKeys("cy", login="123.456.789")
    also = StudentKeys("di", login="12.5", sis_id="007")
    plan = plan_fresh([grade(spoilt), grade(also)], Format.CANVAS, Options())
    assert lines(plan) == {"cy": Outcome.UNMATCHED, "di": Outcome.WRITE}
    assert b"12.5" not in only(plan)
    assert importers.canvas_number("123.456.789") != "123.456.789"


@pytest.mark.parametrize("title", ["Final Score 1", "The Current Grade", "Override Points", "Lab (2)"])
def test_canvas_a_title_that_it_reads_otherwise_is_refused(title: str) -> None:
    with pytest.raises(AuthorError, match=ITEM):
        plan_fresh([grade(ADA, title=title)], Format.CANVAS, Options())


def test_canvas_a_title_in_brackets_keeps_its_meaning_with_a_number_behind() -> None:
    course = canvas_course(_2="Other", _78="Lab (2)")
    options = Options(columns={ITEM: "Lab (2) (78)"})
    course.load(only(plan_fresh([grade(ADA)], Format.CANVAS, options)))
    assert course.scores == {(ADA.lms_id, "78"): "8.50"}


def test_moodle_takes_the_file_whole_by_any_of_its_ids() -> None:
    data = only(plan_fresh(GRADES, Format.MOODLE, MOODLE))
    for by in ("ID number", "Username", "Email address"):
        course = moodle_course()
        course.load(data, by, TITLE, f"{TITLE} feedback")
        assert course.scores == expected(GRADES, "login")
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") >= len(GRADED)


@pytest.mark.parametrize("text", FEEDBACK)
def test_moodle_shows_the_feedback_that_was_written(text: str) -> None:
    course = moodle_course()
    data = only(plan_fresh([grade(ADA, feedback=text)], Format.MOODLE, MOODLE))
    course.load(data, "ID number", TITLE, f"{TITLE} feedback")
    shown = html.unescape(course.feedback[ADA.login])
    assert "<" not in course.feedback[ADA.login]
    assert squeezed(shown) == squeezed(text)
    assert not shown.startswith(("=", "+", "-", "@"))


def squeezed(text: str) -> str:
    """Without what a guard may add: an apostrophe before, a space behind a backslash; one kind of line end."""
    return text.lstrip("'").replace("\r\n", "\n").replace('\\ "', '\\"').replace(" ", "").replace("\t", "")


def test_moodle_would_refuse_the_same_feedback_as_every_standard_allows_it() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["x", "Username", "y"], ['C:\\"', "a", "1"], ["z", "b", "1"]])
    with pytest.raises(importers.Refused):
        importers.moodle_rows(out.getvalue().encode())


def test_moodle_has_no_empty_id_comment_or_grade_in_it() -> None:
    poor = replace(ADA, sis_id="")
    plan = plan_fresh([grade(poor), grade(BOB), grade(student(3))], Format.MOODLE, MOODLE)
    rows = importers.moodle_rows(only(plan))
    assert rows[0] == ["Username", "Email address", TITLE, f"{TITLE} feedback"]
    assert all(cell for row in rows for cell in row)
    none = replace(ADA, sis_id="", login="")
    others = [grade(replace(student(number), email="")) for number in (2, 3)]
    assert lines(plan_fresh([grade(none), *others], Format.MOODLE, Options())) == {
        "s0001": Outcome.UNMATCHED,
        "s0002": Outcome.WRITE,
        "s0003": Outcome.WRITE,
    }


def test_moodle_xml_is_by_id_numbers() -> None:
    course = moodle_course()
    course.load_xml(only(plan_fresh(GRADES, Format.MOODLE_XML, MOODLE)), ITEM)
    assert course.scores == expected(GRADES, "login")
    other = plan_fresh(GRADES, Format.MOODLE_XML, Options(columns={ITEM: "HW-7"}))
    moodle_course().load_xml(only(other), "HW-7")
    assert b"<feedback>" not in only(other)


def test_blackboard_needs_the_number_of_its_column() -> None:
    with pytest.raises(AuthorError, match="column of text"):
        plan_fresh(GRADES, Format.BLACKBOARD, Options())
    header = f"{TITLE} [Total Pts: 100] |664617"
    data = only(plan_fresh(GRADES, Format.BLACKBOARD, Options(columns={ITEM: header})))
    assert data.startswith(b"\xff\xfe")
    stored = importers.blackboard(data, {"664617": TITLE}, {each.login for each in PEOPLE})
    assert {user: float(score) for (user, _), score in stored.items()} == expected(GRADES, "login")


def test_brightspace_marks_ids_and_ends_of_lines() -> None:
    data = only(plan_fresh(GRADES, Format.BRIGHTSPACE, Options()))
    stored = importers.brightspace(data, {each.sis_id: each.login for each in PEOPLE})
    assert {user: float(score) for (user, _), score in stored.items()} == expected(GRADES, "login")
    assert {item for _, item in stored} == {TITLE}
    row = data.decode().splitlines()[1].split(",")
    assert row[0].startswith("#00") and row[-1] == "#"
    named = Options(columns={ITEM: "Talk Points Grade <Numeric MaxPoints:100 Category:Lecture>"})
    talk = only(plan_fresh(GRADES, Format.BRIGHTSPACE, named)).decode()
    assert talk.startswith(
        "OrgDefinedId,Username,Talk Points Grade <Numeric MaxPoints:100 Category:Lecture>,End-of-Line"
    )


def test_sakai_knows_headings_by_their_form() -> None:
    data = only(plan_fresh(GRADES, Format.SAKAI, MOODLE))
    scores, comments = importers.sakai(data, {each.login for each in PEOPLE})
    assert {user: score for (user, _), score in scores.items()} == expected(GRADES, "login")
    assert comments.keys() == scores.keys()
    assert not any(text.startswith(("=", "+", "-", "@")) for text in comments.values())
    for title in ("PS [1]", "* PS", "# PS"):
        with pytest.raises(AuthorError):
            plan_fresh([grade(ADA, title=title)], Format.SAKAI, Options())


def test_oneroster_is_a_bulk_of_line_items_and_results() -> None:
    grades = [
        *GRADES,
        grade(
            replace(student(1), name="x", sis_id="x", login="x", email="x", lms_id="x"),
            None,
            state=GradeState.EXCUSED,
        ),
    ]
    options = Options(with_feedback=True, places=PLACES, today=date(2027, 2, 3), missing_as_zero=True)
    data = only(plan_fresh(grades, Format.ONEROSTER, options))
    items, results = importers.oneroster(data)
    ((key, item),) = items.items()
    assert (item["title"], item["resultValueMax"], item["classSourcedId"]) == (TITLE, "100", "C-1")
    wanted = {each.student.sis_id: f"{each.score or 0:g}" for each in GRADES} | {"x": ""}
    assert {who: row["score"] for (_, who), row in results.items()} == wanted
    assert results[key, "x"]["scoreStatus"] == "exempt"
    assert {row["scoreStatus"] for row in results.values()} == {"exempt", "fully graded", "not submitted"}
    assert data == only(plan_fresh(grades, Format.ONEROSTER, options))
    with pytest.raises(AuthorError, match="--oneroster school=SOURCEDID"):
        plan_fresh(grades, Format.ONEROSTER, replace(options, places={"class": "C-1"}))


def test_csv_read_by_pandas_has_all_ids_and_no_formula() -> None:
    data = only(plan_fresh(GRADES, Format.CSV, MOODLE))
    table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert list(table["sis_id"]) == [each.student.sis_id for each in GRADED]
    assert [float(score) for score in table["score"]] == [each.score for each in GRADED]
    for column in ("full_name", "feedback"):
        texts = [text.lstrip() for text in table[column]]
        assert not any(text.startswith(("=", "+", "-", "@")) for text in texts)
    names = [each.student.full_name for each in GRADED]
    assert all(held in (name, f"'{name}") for held, name in zip(table["full_name"], names, strict=True))
    assert data.startswith(b"\xef\xbb\xbf")


def test_excel_keeps_text_as_text_and_numbers_as_numbers() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(only(plan_fresh(GRADES, Format.EXCEL, MOODLE)))).active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    header = [cell.value for cell in rows[0]]
    at = {name: header.index(name) for name in ("sis_id", "score", "full_name", "feedback", "maximum")}
    assert not any(cell.data_type == "f" for row in rows for cell in row)
    for row, each in zip(rows[1:], GRADED, strict=True):
        assert (row[at["sis_id"]].value, row[at["sis_id"]].data_type) == (each.student.sis_id, "s")
        assert (row[at["score"]].value, row[at["maximum"]].value) == (each.score, 100)
        assert row[at["full_name"]].value == each.student.full_name
        assert row[at["feedback"]].value == each.feedback.replace("\r\n", "\n") or "\r" in each.feedback


@pytest.mark.parametrize("to", list(Format))
def test_what_is_not_graded_is_in_no_file(to: Format) -> None:
    states = (GradeState.PENDING, GradeState.FAULT, GradeState.MISSING)
    column = f"{TITLE} |9" if to is Format.BLACKBOARD else TITLE
    options = Options(places=PLACES, columns={ITEM: column})
    grades = [grade(student(n), None, state=state) for n, state in enumerate(states)]
    plan = plan_fresh(grades, to, options)
    assert plan.files == {}
    assert lines(plan) == {"s0000": Outcome.PENDING, "s0001": Outcome.FAULT, "s0002": Outcome.MISSING}
    with pytest.raises(AuthorError, match="nothing was written"):
        plan.require_writable()
    zero = plan_fresh(grades, to, replace(options, missing_as_zero=True))
    assert lines(zero)["s0002"] is Outcome.WRITE
    assert zero.writes == 1


@pytest.mark.parametrize("to", [each for each, form in FORMATS.items() if not form.comments])
def test_feedback_is_not_dropped_in_silence(to: Format) -> None:
    with pytest.raises(AuthorError, match="takes no feedback"):
        plan_fresh(GRADES, to, MOODLE)


def test_more_than_the_maximum_is_refused_cut_or_kept() -> None:
    grades = [grade(ADA, 100.01), grade(BOB, 100.004)]
    plan = plan_fresh(grades, Format.SAKAI, Options())
    assert lines(plan) == {"s0001": Outcome.OVER, "s0002": Outcome.WRITE}
    with pytest.raises(AuthorError, match=r"s0001 in 07-autograd: 100\.01 of 100"):
        plan.require_writable()
    for over, score in ((OverMaximum.CAP, 100), (OverMaximum.KEEP, 100.01)):
        data = only(plan_fresh(grades, Format.SAKAI, Options(over=over)))
        assert importers.sakai(data, {ADA.login})[0] == {(ADA.login, TITLE): score}


def test_one_id_of_two_students_is_refused() -> None:
    twin = replace(BOB, email=ADA.email.upper())
    with pytest.raises(AuthorError, match="s0001 and s0002 both have the e-mail address"):
        plan_fresh([grade(ADA), grade(twin)], Format.MOODLE, Options())
    kelvin = replace(BOB, email="\u212a@x")  # the sign for kelvin is a small k to str.lower()
    plan_fresh([grade(replace(ADA, email="k@x")), grade(kelvin)], Format.MOODLE, Options())


def test_each_assignment_has_a_file_where_an_empty_cell_would_delete() -> None:
    grades = [
        grade(ADA),
        grade(BOB, None, item="b", title="B"),
        grade(ADA, 7.0, item="b", title="B"),
        grade(BOB),
    ]
    plan = plan_fresh(grades, Format.CANVAS, Options())
    assert list(plan.files) == ["mls-07-autograd-canvas.csv", "mls-b-canvas.csv"]
    assert all(
        b",," not in line or b"Points" in line or b"[s0" in line
        for line in plan.files["mls-b-canvas.csv"].splitlines()
    )
    assert b"s0002" not in plan.files["mls-b-canvas.csv"]


texts = st.text(max_size=60) | st.lists(
    st.sampled_from(["\\", '"', "\n", "a", ",", "=", " "]), max_size=12
).map("".join)


@given(st.lists(texts, min_size=1, max_size=6))
def test_moodle_reads_every_feedback_in_rows_of_one_width(said: list[str]) -> None:
    grades = [grade(student(number), 1, feedback=text) for number, text in enumerate(said)]
    course = moodle_course()
    course.load(only(plan_fresh(grades, Format.MOODLE, MOODLE)), "ID number", TITLE, f"{TITLE} feedback")
    assert set(course.feedback) == {student(number).login for number in range(len(said))}


@given(st.text(min_size=1, max_size=40), st.floats(0, 100))
def test_every_title_is_written_as_it_can_be_read_or_refused(title: str, score: float) -> None:
    grades: list[Grade] = [grade(ADA, score, title=title)]
    for to in (Format.CANVAS, Format.MOODLE, Format.BRIGHTSPACE, Format.SAKAI, Format.CSV):
        try:
            data = only(plan_fresh(grades, to, Options()))
        except AuthorError:
            continue
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
        assert rows[-1].count(rows[-1][-1]) >= 1
