"""Who is who: people of each system's files are matched with the hub's by ids, never by names."""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import replace

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import StudentKeys
from autograder.gradebook.lms.exporting import plan_fresh
from autograder.gradebook.lms.formats import Format
from autograder.gradebook.lms.plan import Options
from autograder.gradebook.lms.roster import Person, RosterPlan, match_people, read_people
from tests.autograder.gradebook.lms import downloads
from tests.autograder.gradebook.lms.classes import class_grades, student, students

BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">&b;</Types>'
)
PEOPLE = students()
ADA, BOB = student(1), student(2)
MOODLE = "First name,Last name,ID number,Email address,Username,User ID\r\n"


def oneroster(*users: StudentKeys) -> bytes:
    out = io.BytesIO()
    lines = "".join(f"{who.sis_id},,,true,{who.login},A,B,{who.email}\r\n" for who in users)
    with zipfile.ZipFile(out, "w") as archive:
        head = "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,email\r\n"
        archive.writestr("users.csv", head + lines)
    return out.getvalue()


def plain(*users: StudentKeys) -> bytes:
    rows = [f"{each.name},{each.sis_id},{each.login},{each.email},{each.lms_id}\n" for each in users]
    return "".join(["name,sis_id,login,email,lms_id\n", *rows]).encode()


def matched(data: bytes | str, *known: StudentKeys) -> RosterPlan:
    _, people = read_people("file.csv", data.encode() if isinstance(data, str) else data)
    return match_people("file.csv", people, known)


BOOK, ROSTER = (
    plan_fresh(class_grades([ADA]), Format.EXCEL, Options()).files["mls-excel.xlsx"],
    oneroster(ADA),
)
FILES = {
    Format.CANVAS: (downloads.canvas(PEOPLE).encode(), ("lms_id", "sis_id", "login")),
    Format.MOODLE: (downloads.moodle(PEOPLE), ("email",)),
    Format.BLACKBOARD: (b"\xff\xfe" + downloads.blackboard(PEOPLE).encode("utf-16-le"), ("login", "sis_id")),
    Format.BRIGHTSPACE: (downloads.brightspace(PEOPLE).encode(), ("sis_id", "login")),
    Format.ONEROSTER: (oneroster(*PEOPLE), ("sis_id", "login", "email")),
    Format.CSV: (plain(*PEOPLE), ("sis_id", "login", "email", "lms_id")),
}


@pytest.mark.parametrize("form", FILES)
def test_3000_people_of_each_format_are_matched_by_their_ids(form: Format) -> None:
    data, ids = FILES[form]
    found, people = read_people("file", data)
    assert found is form
    by = "login" if "login" in ids else "email"
    known = [StudentKeys(each.name, **{by: getattr(each, by).swapcase()}) for each in PEOPLE]
    plan = match_people("file", people, known)
    assert len(plan.changed) == len(PEOPLE)
    after = {each.name: each for each in plan.changed}
    for who in PEOPLE:
        assert [getattr(after[who.name], key) for key in ids] == [getattr(who, key) for key in ids]
    assert plan.absent == ()
    assert [each.who for each in plan.strangers] == (["f00ba4, 999999"] if form is Format.CANVAS else [])
    assert match_people("file", people, plan.changed).changed == ()


def test_a_fresh_sakai_file_is_read_as_one() -> None:
    (data,) = plan_fresh(class_grades([ADA]), Format.SAKAI, Options()).files.values()
    assert read_people("x", data) == (
        Format.SAKAI,
        (Person(2, StudentKeys("", login=ADA.login, full_name='O"Neill, "Tip"')),),
    )


def test_a_plain_table_of_ours_can_be_read_back() -> None:
    (data,) = plan_fresh(class_grades([ADA, BOB]), Format.CSV, Options()).files.values()
    assert match_people("x", read_people("x", data)[1], [ADA, BOB]).changed == ()


@pytest.mark.parametrize("key", ["login", "sis_id", "email"])
def test_a_hub_name_that_is_the_id_is_a_match(key: str) -> None:
    hub = StudentKeys(getattr(ADA, key).lower())
    (match,) = matched(plain(replace(ADA, name="")), hub).matches
    assert (match.after.name, match.after.sis_id, match.after.email) == (hub.name, ADA.sis_id, ADA.email)


def test_a_number_of_the_lms_and_a_name_are_nobody() -> None:
    text = f"{MOODLE}Ada,s0001,,x@y,,s0007\r\n"
    known = (StudentKeys("s0007"), StudentKeys("ada", full_name="Ada"))
    plan = matched(text, *known)
    assert (plan.matches, plan.absent) == ((), ("s0007", "ada"))
    assert [(each.line, each.who) for each in plan.strangers] == [(2, "x@y, s0007")]


def test_zeros_before_an_id_make_another_id() -> None:
    assert matched(f"{MOODLE}A,B,12,,,\r\n", StudentKeys("a", sis_id="0012")).strangers


def test_new_ids_go_before_old_ones_and_empty_ones_change_nothing() -> None:
    old = replace(ADA, login="old.login")
    (match,) = matched(plain(replace(ADA, lms_id="")), old).matches
    assert match.after == replace(ADA, lms_id=ADA.lms_id)
    assert match.overwritten == ("login",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{MOODLE}A,B,{ADA.sis_id},{BOB.email},,\r\n",
            "file.csv:2: this is s0001 by the SIS id and s0002 by",
        ),
        (
            f"{MOODLE}A,B,{ADA.sis_id},,,\r\nA,B,,{ADA.email},,\r\n",
            "file.csv:3: s0001 stands in line 2 already",
        ),
        (f"{MOODLE}A,B,9,,,\r\nA,B,9,,,\r\n", "file.csv:3: column 'ID number': '9' stands in line 2 already"),
        (f"{MOODLE}A,B,9,,\r\n", "file.csv:2: 5 cells where the first row has 6"),
        (f'{MOODLE}A,B,"9\n",,,\r\nA,B,"1\n2",,,\r\n', "file.csv:4: column 'ID number': .* is no SIS id"),
        (MOODLE, "has no people in it"),
        ("x,y\n1,2\n", "no file of any format known here; its first row has 'x', 'y'"),
        ("", "no file of any format known here; its first row has ''"),
        (f"name,email\ns0001,{BOB.email}\n", "s0001 and s0002 both have the e-mail address"),
        ("PK\x03\x04 and more", "a zip must be OneRoster's"),
    ],
)
def test_a_file_that_would_confuse_people_is_refused(text: str, words: str) -> None:
    with pytest.raises(AuthorError, match=words):
        matched(text, ADA, BOB)


def workbook(*rows: list[object]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def test_our_own_workbook_can_be_read_back() -> None:
    (data,) = plan_fresh(class_grades(PEOPLE[:50]), Format.EXCEL, Options()).files.values()
    form, people = read_people("x.xlsx", data)
    assert form is Format.CSV
    graded = [who for number, who in enumerate(PEOPLE[:50]) if number % 10 != 9]
    assert [each.keys for each in people] == [replace(who, full_name=who.full_name.strip()) for who in graded]


def test_a_workbook_of_another_system_is_known_by_its_headings() -> None:
    data = workbook(
        ["Student ID", "Name", "PS1 [10]"], ["ada", "Ada", 7.5], [None, None, None], ["bob", "Bob", None]
    )
    form, people = read_people("x.xlsx", data)
    assert (form, [(each.line, each.keys.login) for each in people]) == (
        Format.SAKAI,
        [(2, "ada"), (4, "bob")],
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            workbook(["name", "sis_id"], ["ada", 12]),
            r"x.xlsx:2: column 'sis_id': a number, which has lost its zeros",
        ),
        (workbook(["a"], ["b"]), "x.xlsx:1: no file of any format known here; its first row has 'a'"),
        (workbook(), "no file of any format"),
        (workbook(["name", *"x" * 300], ["a"]), "more than 20000 rows or 200 columns"),
        (workbook(["name"], ["a"])[:1000], "a zip must be OneRoster's"),
    ],
)
def test_a_workbook_that_cannot_be_trusted_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(AuthorError, match=words):
        read_people("x.xlsx", data)


def test_a_workbook_that_swells_or_names_entities_is_refused() -> None:
    for inside, words in ((b"0" * (65 << 20), "more than 64 MiB"), (BOMB, "no workbook that can be read")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", inside)
        with pytest.raises(AuthorError, match=words):
            read_people("x.xlsx", out.getvalue())


@given(st.data())
def test_a_damaged_workbook_or_zip_is_an_error_of_the_file(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([BOOK, ROSTER])))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(AuthorError):
        read_people("x", bytes(whole))


def test_a_zip_of_a_broken_lzma_stream_is_an_error_of_the_file() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("users.csv", b"sourcedId")
    whole = bytearray(out.getvalue())
    whole[30 + len("users.csv") + 4] = 255  # the first of LZMA's properties, after their version and size
    with pytest.raises(AuthorError, match="x: a zip must be OneRoster's"):
        read_people("x", bytes(whole))


def test_a_column_of_hub_names_decides() -> None:
    (match,) = matched(f"name,login\ns0001,new.login\nnobody,{BOB.login}x\n", ADA, BOB).matches
    assert (match.after.name, match.after.login) == ("s0001", "new.login")


def test_a_zip_that_swells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.gradebook.lms.roster.MOST_BYTES", 100)
    with pytest.raises(AuthorError, match=r"users\.csv is larger"):
        read_people("x.zip", oneroster(*PEOPLE[:5]))


def test_a_format_that_staff_say_is_the_only_one_tried() -> None:
    with pytest.raises(AuthorError, match="no file of sakai"):
        read_people("x", downloads.canvas([ADA]).encode(), Format.SAKAI)
    with pytest.raises(AuthorError, match="says nothing of people"):
        read_people("x", b"", Format.MOODLE_XML)
