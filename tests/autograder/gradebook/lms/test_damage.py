"""Damaged downloads of every kind: an error of the file with its name, or a plan that holds; never a crash."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import AuthorError
from autograder.gradebook.lms.exporting import plan_template
from autograder.gradebook.lms.formats import Format
from autograder.gradebook.lms.plan import Options, Outcome
from autograder.gradebook.lms.roster import match_people, read_people
from autograder.gradebook.lms.sheet import Encoding, read_text
from tests.autograder.gradebook.lms import downloads
from tests.autograder.gradebook.lms.classes import grade, students

PEOPLE = students(6)
GRADES = [grade(who, feedback='a\\"b') for who in PEOPLE]
FILES = {
    Format.CANVAS: downloads.canvas(PEOPLE, {"s0002": "7"}).encode(),
    Format.MOODLE: downloads.moodle(PEOPLE, {"s0002": "7"}, {"s0003": "Old words"}),
    Format.BLACKBOARD: b"\xff\xfe" + downloads.blackboard(PEOPLE, {"s0002": "7"}).encode("utf-16-le"),
    Format.BRIGHTSPACE: downloads.brightspace(PEOPLE, {"s0002": "7"}).encode(),
}
PIECES = [
    b'"',
    b",",
    b"\t",
    b";",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\\",
    b"#",
    b"\xff",
    b"\xe9",
    b"Student",
    b"ID",
    b"(77)",
    b"",
]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Format, bytes]:
    """A download with some bytes replaced by others, left out or doubled."""
    form = draw(st.sampled_from(list(FILES)))
    data = FILES[form]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 30))
        data = data[:start] + draw(st.sampled_from([*PIECES, data[start:end] * 2])) + data[end:]
    return form, data


@given(damaged(), st.sampled_from(list(Encoding)), st.booleans())
def test_a_damaged_download_is_refused_or_filled_in_where_it_is_whole(
    file: tuple[Format, bytes], encoding: Encoding, with_feedback: bool
) -> None:
    form, data = file
    options = Options(with_feedback=with_feedback and form is Format.MOODLE)
    try:
        source = read_text("x.csv", data, encoding)
        plan = plan_template(GRADES, form, source, options)
    except AuthorError as error:
        assert "x.csv" in str(error)
        return
    (filled,) = plan.files.values()
    changed = [line for line in plan.lines if line.outcome in (Outcome.WRITE, Outcome.OVERWRITE)]
    assert (filled == data) == (not changed)
    # Filled in again, all of it stands there already.
    again = plan_template(GRADES, form, read_text("x.csv", filled, encoding), options)
    assert not again.writes
    assert list(again.files.values()) == [filled]


@given(damaged(), st.sampled_from(list(Encoding)))
def test_a_damaged_roster_is_refused_or_read(file: tuple[Format, bytes], encoding: Encoding) -> None:
    with contextlib.suppress(AuthorError):
        _, people = read_people("x.csv", file[1], encoding=encoding)
        match_people("x.csv", people, PEOPLE)


@given(st.binary(max_size=200), st.sampled_from(list(FILES)))
def test_any_bytes_are_refused_or_read(data: bytes, form: Format) -> None:
    with contextlib.suppress(AuthorError):
        plan_template(GRADES, form, read_text("x.csv", data), Options())
    with contextlib.suppress(AuthorError):
        read_people("x.csv", data)
