"""A teacher's download is filled in: the right rows, no other byte, and nothing at all from a bad file."""

from __future__ import annotations

import codecs
import csv
import html
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys
from autograder.gradebook.lms.exporting import plan_template
from autograder.gradebook.lms.formats import Format
from autograder.gradebook.lms.plan import Options, Outcome, Plan
from autograder.gradebook.lms.sheet import Encoding, read_text
from tests.autograder.gradebook.lms import downloads, importers
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
GRADED = [each for each in GRADES if each.score is not None]
ADA, BOB, CY = student(1), student(2), student(3)
ONE = [grade(ADA)]


def plan(data: bytes | str, to: Format, grades: Sequence[Grade] = GRADES, **options: Any) -> Plan:
    body = data.encode() if isinstance(data, str) else data
    encoding = options.pop("encoding", Encoding.UTF_8)
    return plan_template(grades, to, read_text("download.csv", body, encoding), Options(**options))


def filled(found: Plan) -> bytes:
    assert list(found.files) == ["download.csv"]
    return found.files["download.csv"]


def outcomes(found: Plan) -> dict[str, Outcome]:
    return {line.student: line.outcome for line in found.lines}


def refused(data: bytes | str, to: Format, words: str, grades: Sequence[Grade] = ONE, **options: Any) -> None:
    with pytest.raises(AuthorError, match=words):
        plan(data, to, grades, **options)


def differing(before: bytes, after: bytes, codec: str = "utf-8") -> int:
    """How many lines differ; the files are of as many lines."""
    one, other = before.decode(codec).split("\n"), after.decode(codec).split("\n")
    assert len(one) == len(other)
    return sum(a != b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_canvas_3000_students(delimiter: str) -> None:
    data = downloads.canvas(PEOPLE, delimiter=delimiter).encode()
    found = plan(data, Format.CANVAS)
    course = importers.Canvas(
        [(who.lms_id, who.sis_id, who.login, who.full_name) for who in PEOPLE], {"77": TITLE, "70": "Old"}
    )
    course.load(filled(found))
    by_id = expected(GRADES, "lms_id")
    got = {person: score for (person, number), score in course.scores.items() if number == "77"}
    assert got == {who.lms_id: f"{by_id[who.lms_id]:.2f}" if who.lms_id in by_id else "" for who in PEOPLE}
    assert {score for (_, number), score in course.scores.items() if number == "70"} == {"3.50"}
    assert differing(data, filled(found)) == len(GRADED) == found.writes
    assert [(each.line, each.who) for each in found.strangers] == [(data.count(b"\n"), "999999, f00ba4")]


def test_moodle_worksheet_3000_students() -> None:
    data = downloads.moodle(PEOPLE)
    found = plan(data, Format.MOODLE, with_feedback=True)
    participants = {str(number): who for number, who in enumerate(PEOPLE, 4)}
    stored = importers.moodle_worksheet(filled(found), participants, 100)
    assert {participants[n].name: score for n, (score, _) in stored.items()} == expected(GRADES)
    by_name = {each.student.name: each.feedback for each in GRADED}
    for number, (_, comment) in stored.items():
        assert "\n" not in comment
        shown = html.unescape(comment.replace("<br>", "\n")).lstrip("'").replace('\\ "', '\\"')
        said = by_name[participants[number].name].replace("\r\n", "\n")
        assert shown.split() == said.split()


def test_blackboard_3000_students_in_utf_16() -> None:
    data = codecs.BOM_UTF16_LE + downloads.blackboard(PEOPLE).encode("utf-16-le")
    found = plan(data, Format.BLACKBOARD)
    columns = {"664617": TITLE, "664500": "Total"}
    stored = importers.blackboard(filled(found), columns, {who.login for who in PEOPLE})
    got = {user: float(score) for (user, column), score in stored.items() if column == "664617"}
    assert got == expected(GRADES, "login")
    assert filled(found).startswith(codecs.BOM_UTF16_LE + '"Last Name"\t'.encode("utf-16-le"))
    assert differing(data[2:], filled(found)[2:], "utf-16-le") == len(GRADED)


def test_brightspace_3000_students() -> None:
    found = plan(downloads.brightspace(PEOPLE), Format.BRIGHTSPACE)
    stored = importers.brightspace(filled(found), {who.sis_id: who.login for who in PEOPLE})
    assert {user: float(score) for (user, _), score in stored.items()} == expected(GRADES, "login")


@pytest.mark.parametrize(
    ("mark", "codec"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (b"", "cp1252")],
)
def test_the_encoding_and_all_bytes_but_the_grades_stay(mark: bytes, codec: str) -> None:
    people = [replace(ADA, full_name="Müller, Jörg"), replace(BOB, full_name='O"Neill; "x"\r\nJr')]
    before = mark + downloads.canvas(people, {ADA.name: "@1", BOB.name: "@2"}).encode(codec)
    encoding = Encoding.WINDOWS_1252 if codec == "cp1252" else Encoding.UTF_8
    after = filled(
        plan(before, Format.CANVAS, [grade(people[0], 3), grade(people[1], 4.25)], encoding=encoding)
    )
    assert after == before.replace("@1".encode(codec), "3".encode(codec)).replace(
        "@2".encode(codec), "4.25".encode(codec)
    )


def test_what_stands_there_is_told_apart() -> None:
    held = {
        "s0001": "8.50",
        "s0002": "7",
        "s0003": "",
        "s0004": "8,5",
        "s0005": "EX",
        "s0006": "9",
        "s0008": "N/A",
    }
    data = downloads.canvas(students(9), held)
    grades = [grade(student(n)) for n in range(1, 6)]
    grades += [
        grade(student(6), None),
        grade(student(7), None, state=GradeState.EXCUSED),
        grade(student(8)),
        grade(student(99)),
    ]
    found = plan(data, Format.CANVAS, grades)
    assert outcomes(found) == {
        "s0001": Outcome.SAME,
        "s0002": Outcome.OVERWRITE,
        "s0003": Outcome.WRITE,
        "s0004": Outcome.SAME,
        "s0005": Outcome.OVERWRITE,
        "s0006": Outcome.MISSING,
        "s0007": Outcome.WRITE,
        "s0008": Outcome.UNMATCHED,
        "s0099": Outcome.UNMATCHED,
    }
    assert {each.student: (each.before, each.score) for each in found.lines}["s0002"] == ("7", "8.5")
    assert b",EX," in filled(found)
    assert [each.line for each in found.strangers] == [4, 14]


def test_zeros_are_asked_for() -> None:
    data = downloads.canvas([ADA])
    assert filled(plan(data, Format.CANVAS, [grade(ADA, None)])) == data.encode()
    assert b"3.5,0,35.0" in filled(plan(data, Format.CANVAS, [grade(ADA, None)], missing_as_zero=True))


def test_feedback_alone_may_change_and_is_never_emptied() -> None:
    data = downloads.moodle(
        [ADA, BOB], {"s0001": "8.50", "s0002": "8.50"}, {"s0001": "Old words", "s0002": "Same"}
    )
    grades = [grade(ADA, feedback="New"), grade(BOB, feedback="Same")]
    found = plan(data, Format.MOODLE, grades, with_feedback=True)
    assert outcomes(found) == {"s0001": Outcome.OVERWRITE, "s0002": Outcome.SAME}
    assert filled(found) == data.replace(b"Old words", b"New").replace(b'"New"', b'"New"')
    assert filled(plan(data, Format.MOODLE, grades)) == data


def test_a_locked_row_of_a_worksheet_is_reported() -> None:
    data = downloads.moodle([ADA], cells={"Grade can be changed": "No"})
    found = plan(data, Format.MOODLE, ONE)
    assert [(each.outcome, each.note) for each in found.lines] == [
        (Outcome.UNMATCHED, "the worksheet says that the grade can't be changed")
    ]


def test_a_worksheet_in_another_language_is_read_by_the_headings_that_staff_give() -> None:
    data = downloads.moodle([ADA]).replace(b"Identifier", b"Kennung").replace(b",Grade,", b",Bewertung,")
    data = data.replace(b'"Last modified (grade)"', b'"Zuletzt bewertet"')
    refused(data, Format.MOODLE, "this is no Moodle offline grading worksheet.*'Kennung'")
    names = {"Kennung": "Identifier", "Bewertung": "Grade", "Zuletzt bewertet": "Last modified (grade)"}
    source = replace(read_text("download.csv", data), headings=names)
    assert outcomes(plan_template(ONE, Format.MOODLE, source, Options())) == {"s0001": Outcome.WRITE}


def test_online_text_with_code_in_it_is_read_as_moodle_reads_it() -> None:
    data = downloads.moodle([ADA, BOB], cells={"Online text": 'print("a\\"b")\n\\\\'})
    found = plan(data, Format.MOODLE, [grade(ADA), grade(BOB)])
    assert importers.moodle_worksheet(filled(found), {"4", "5"}, 100) == {"4": (8.5, ""), "5": (8.5, "")}
    broken = downloads.moodle([ADA, BOB], cells={"Online text": 'print("ends in") \\'})
    with pytest.raises(importers.Refused):
        importers.moodle_rows(broken)
    refused(broken, Format.MOODLE, "download.csv:")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: text.index("0000001")], r"download\.csv:5: 3 cells where the first row has 10"),
        (lambda text: text[: text.index('O""N')], r"download\.csv:5: a quote begins and never ends"),
        (lambda text: text.replace("(77)", "(78)").replace(TITLE, "Other"), "no column of it is one of"),
        (lambda text: text.replace("Student,ID", "Name,Number"), "this is no Canvas gradebook export"),
        (lambda text: text + text.splitlines()[4] + "\n", "the LMS id '70007' stands in line 5 already"),
        (lambda text: text.splitlines()[0] + "\n", "has no student"),
        (lambda text: text.replace("0000001", "0000002", 1), "s0001, whose SIS id is '0000001' here"),
        (lambda text: "", "this is no Canvas gradebook export"),
    ],
)
def test_a_bad_canvas_file_is_refused(spoil: Callable[[str], str], words: str) -> None:
    refused(spoil(downloads.canvas([student(0), ADA])), Format.CANVAS, words)


def test_a_file_cut_off_anywhere_is_refused_or_its_whole_rows_are_right() -> None:
    text = downloads.canvas([student(2), student(4), student(5)])
    grades = [grade(student(n)) for n in (2, 4, 5)]
    for end in range(len(text)):
        try:
            found = plan(text[:end].encode("utf-8"), Format.CANVAS, grades)
        except AuthorError:
            continue
        rows = {row[1]: row[8] for row in csv.reader(filled(found).decode().splitlines()[3:])}
        for line in found.lines:
            number = int(line.student[1:])
            assert (line.outcome is Outcome.WRITE) == (rows.get(student(number).lms_id) == "8.5")


def test_a_row_that_two_students_are_is_refused() -> None:
    text = downloads.canvas([replace(ADA, login=BOB.login)])
    refused(text, Format.CANVAS, "by its ids this is s0001 and s0002", [grade(ADA), grade(BOB)])


def test_a_student_in_two_rows_is_refused() -> None:
    text = downloads.canvas([replace(ADA, lms_id=""), replace(ADA, sis_id="", login="")])
    refused(text, Format.CANVAS, r"download.csv:5: s0001 stands in line 4 already")


def test_ids_with_other_zeros_are_other_people_and_names_are_nobody() -> None:
    text = downloads.canvas(
        [replace(ADA, lms_id="", login="", sis_id="1"), replace(BOB, lms_id="", login="", sis_id="")]
    )
    found = plan(text, Format.CANVAS, [grade(ADA), grade(BOB)])
    assert set(outcomes(found).values()) == {Outcome.UNMATCHED}
    assert [each.who for each in found.strangers] == ["1", "no id", "999999, f00ba4"]


def test_log_ins_and_addresses_are_known_without_regard_to_case() -> None:
    text = downloads.moodle([replace(ADA, email=ADA.email.swapcase())])
    assert outcomes(plan(text, Format.MOODLE, ONE)) == {"s0001": Outcome.WRITE}


def test_another_maximum_needs_a_scale() -> None:
    text = downloads.canvas([ADA])
    five = [grade(ADA, 2.5, maximum=5.0)]
    refused(text, Format.CANVAS, rf"column '{TITLE} \(77\)': its maximum is 100, that of {ITEM} is 5", five)
    assert b",50,35.0" in filled(plan(text, Format.CANVAS, five, scale=True))
    sheet = downloads.moodle([ADA], cells={"Maximum Grade": "20.00"})
    assert b",10,20.00," in filled(plan(sheet, Format.MOODLE, five, scale=True))


def test_more_than_the_maximum_writes_nothing() -> None:
    found = plan(downloads.canvas([ADA, BOB]), Format.CANVAS, [grade(ADA, 101), grade(BOB, 100)])
    assert outcomes(found) == {"s0001": Outcome.OVER, "s0002": Outcome.WRITE}
    with pytest.raises(AuthorError, match="1 over the maximum"):
        found.require_writable()


def test_columns_are_named_where_titles_do_not_say_them() -> None:
    text = downloads.canvas([ADA]).replace("Old (70)", f"{TITLE} (70)").replace(",10,", ",100,")
    refused(text, Format.CANVAS, rf"may be '{TITLE} \(70\)', '{TITLE} \(77\)'; say which with --column")
    found = plan(text, Format.CANVAS, ONE, columns={ITEM: f"{TITLE} (70)"})
    assert b",8.5,,35.0" in filled(found)
    refused(text, Format.CANVAS, "no column 'Nonsense'", columns={ITEM: "Nonsense"})
    refused(text, Format.CANVAS, "no column 'Labs Current Score'", columns={ITEM: "Labs Current Score"})


def test_an_assignment_without_a_column_is_left_out_unless_it_was_named() -> None:
    grades = [*ONE, grade(ADA, item="b", title="Benchmarking")]
    found = plan(downloads.canvas([ADA]), Format.CANVAS, grades)
    assert found.notes == ("b has no column 'Benchmarking' in the file and is left out",)
    refused(downloads.canvas([ADA]), Format.CANVAS, "no column 'Benchmarking' for b", grades, required=("b",))
    refused(downloads.moodle([ADA]), Format.MOODLE, "is of one assignment; say which", grades)
    both = [*ONE, grade(ADA, item="b", title=TITLE)]
    refused(downloads.canvas([ADA]), Format.CANVAS, "would be both 07-autograd and b", both)


def test_a_line_of_brightspace_without_its_end_is_refused() -> None:
    text = downloads.brightspace([ADA, BOB]).rstrip("#\r\n")
    refused(text, Format.BRIGHTSPACE, r"download.csv:3: column 'End-of-Line Indicator': no '#' at its end")


def test_feedback_that_has_no_column_is_refused() -> None:
    refused(downloads.canvas([ADA]), Format.CANVAS, "has no column for feedback", with_feedback=True)


@pytest.mark.parametrize("to", [Format.SAKAI, Format.ONEROSTER, Format.EXCEL, Format.CSV, Format.MOODLE_XML])
def test_a_format_without_a_file_to_fill_in_says_so(to: Format) -> None:
    refused(b"a,b\n1,2\n", to, "leave out --template")


def test_every_byte_stays_whatever_the_cells_held() -> None:
    people = [replace(student(n), full_name=text) for n, text in enumerate(FEEDBACK)]
    before = downloads.canvas(people).encode()
    after = filled(plan(before, Format.CANVAS, [grade(who, 7) for who in people]))
    assert after.replace(b",3.5,7,35.0", b",3.5,,35.0") == before


def keys(name: str) -> StudentKeys:
    return StudentKeys(name)


def test_students_without_any_id_are_unmatched() -> None:
    found = plan(downloads.canvas([ADA]), Format.CANVAS, [*ONE, grade(keys("ghost"))])
    assert outcomes(found)["ghost"] is Outcome.UNMATCHED
