"""Feedback pages: they tell the student all that may be told, and nothing that a box wrote can act."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook as NbgraderGradebook

from autograder.gradebook import Gradebook, Policy
from autograder.gradebook.feedback import write_feedback
from autograder.gradebook.plain import plain, png
from autograder.judge import CellResult, CheckResult, NotebookResult, RaceKind, RaceResult, Verdict
from autograder.repair import repair
from course.gradebook import gradebook_url
from tests.autograder.gradebook.gradings import grading, open_gradebook, printed, result
from tests.autograder.notebooks import cell_of, code, right, two_questions

OK, WRONG = Verdict.OK, Verdict.WRONG
SOURCE = two_questions()
VOID = {"meta", "link", "img", "br", "hr", "input", "line", "rect", "circle"}


class Reader(HTMLParser):
    """Reads a page: its text, its tags, whether all that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "title"):
            self.text += data


@pytest.fixture
def book(course: Path) -> Iterator[Gradebook]:
    with open_gradebook(course) as opened:
        yield opened


def read(book: Gradebook, **fields: Any) -> Reader:
    (path,) = write_feedback(book, "ada", "layers", **fields)
    assert path == book.course / "feedback/ada/layers/layers.html"
    return Reader(path.read_text(encoding="utf-8"))


def relu_printed(text: str) -> NotebookResult:
    nb = repair(SOURCE, right(SOURCE)).notebook
    return result(cells=(printed(nb.cells.index(cell_of(nb, "relu")), text),))


def test_a_page_has_points_titles_and_words(book: Gradebook) -> None:
    book.record_attempt(grading(result(OK, WRONG, WRONG, points={"check-layer": 4.5})))
    page = read(book, title="Layers", titles={"relu": "The rectifier"})
    assert page.open == []
    for words in (
        "8.5 of 12 points",
        "The rectifier",
        "4 / 6",
        "Not right yet",
        "Some of the points",
        "Words about check-relu-zero.",
        "4.5 / 6",
        "A person still has to grade this.",
        "300 MB",
        "1.5 s",
    ):
        assert words in page.text, words


def test_no_hidden_test_and_no_source_of_a_check_is_on_a_page(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(WRONG, WRONG, WRONG)))
    read(book)
    page = (course / "feedback/ada/layers/layers.html").read_text()
    for secret in ("assert", "HIDDEN", "relu(-7)", "negative input", "layer(2)", "BEGIN SOLUTION"):
        assert secret not in page, secret


def test_a_page_shows_the_students_own_cells_and_what_they_printed(book: Gradebook) -> None:
    nb = right(SOURCE)
    nb.cells.insert(3, code("my_helper = 1"))
    book.record_attempt(grading(relu_printed("hello, world"), submitted=nb))
    page = read(book, titles={"relu": "The rectifier"})
    assert "return x if x > 0 else 0" in page.text
    assert "hello, world" in page.text
    assert "my_helper = 1" in page.text
    assert "import math" not in page.text and "Read this first" not in page.text


ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'"


def test_nothing_that_a_student_wrote_acts_on_the_page(book: Gradebook) -> None:
    nb = right(SOURCE)
    cell_of(nb, "relu").source = ATTACK
    cell_of(nb, "why").source = f"</pre>{ATTACK}"
    place = SOURCE.cells.index(cell_of(SOURCE, "relu"))
    outputs: tuple[dict[str, Any], ...] = (
        {"output_type": "stream", "name": "stderr", "text": ATTACK},
        {
            "output_type": "error",
            "ename": ATTACK,
            "evalue": ATTACK,
            "traceback": [f"\x1b[31m{ATTACK}\x1b[0m"],
        },
        {"output_type": "display_data", "data": {"text/html": ATTACK, "text/plain": ATTACK}, "metadata": {}},
        {"output_type": "display_data", "data": {"text/html": ATTACK}, "metadata": {}},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": f'"{ATTACK}'}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(1)/>"}, "metadata": {}},
    )
    checks = [dataclasses.replace(each, message=ATTACK) for each in result(WRONG, OK, OK).checks]
    judged = NotebookResult(tuple(checks), (CellResult(place, WRONG, outputs),))
    book.record_attempt(grading(judged, submitted=nb))
    page = read(book, titles={"relu": ATTACK})
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "iframe", "object", "embed", "form", "base", "link"}
    )
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(ATTACK) >= 6
    assert "alert(1)" not in str([attributes for tag, attributes in page.tags if tag == "img"])
    assert "\x1b" not in page.text


def test_only_our_own_style_is_allowed(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    read(book)
    page = (course / "feedback/ada/layers/layers.html").read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in Reader(page).tags if a.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "style=" not in page and "http://" not in page and "https://" not in page


def test_a_page_can_be_read_on_a_phone_and_by_a_screen_reader(book: Gradebook) -> None:
    race = RaceResult(0.8, 0.7, 0.9, 11, True)
    checks = result().checks
    book.record_attempt(grading(NotebookResult((dataclasses.replace(checks[0], race=race), *checks[1:]))))
    tags = read(book).tags
    assert any(tag == "html" and a["lang"] == "en" for tag, a in tags)
    assert any(tag == "meta" and a.get("name") == "viewport" for tag, a in tags)
    assert all(a.get("alt") for tag, a in tags if tag == "img")
    assert all(a.get("role") == "img" and a.get("aria-label") for tag, a in tags if tag == "svg")
    assert [a["id"] for tag, a in tags if tag == "h2"] == ["questions", "used", "cells"]


def test_a_race_is_drawn_and_said_in_the_place_of_the_message(book: Gradebook) -> None:
    race = RaceResult(0.6, 0.55, 0.66, 24, False, marks=((0.5, 4.0), (0.65, 6.0)), overhead=0.15)
    checks = result(points={"check-layer": 4.0}).checks
    raced = dataclasses.replace(checks[2], race=race, message="Speed: 0.60 of the reference's")
    book.record_attempt(grading(NotebookResult((*checks[:2], raced))))
    page = read(book)
    assert "0.60 times the reference's speed (99.9 % interval 0.55 to 0.66, 24 pairs)" in page.text
    assert "0.65 → 6 points" in page.text and "15.0 % of the reference's turns" in page.text
    assert "the bound in your favour counted" in page.text
    assert "Speed: 0.60" not in page.text
    assert sum(tag == "svg" for tag, _ in page.tags) == 1


def test_of_a_growth_the_message_is_told_too(book: Gradebook) -> None:
    race = RaceResult(1.0, 0.9, 1.1, 9, True, kind=RaceKind.GROWTH, marks=((1.25, 6.0),))
    checks = result(OK, OK, WRONG).checks
    raced = dataclasses.replace(checks[2], race=race, message="It takes 80 times the reference's time.")
    book.record_attempt(grading(NotebookResult((*checks[:2], raced))))
    page = read(book)
    assert "Time grows like n^1.00" in page.text and "It takes 80 times" in page.text


def test_repairs_are_told(book: Gradebook) -> None:
    nb = right(SOURCE)
    cell_of(nb, "check-relu").source = "pass"
    book.record_attempt(grading(result(), submitted=nb))
    assert "The test cell 'check-relu' had been changed; the original was used." in read(book).text


def test_lateness_is_told(book: Gradebook) -> None:
    book.record_attempt(grading(result(), late_seconds=5400.0, penalty=2.0))
    assert "2 points are taken off the assignment because it came 1.5 hours late." in read(book).text


def test_a_persons_mark_and_words_are_told(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        theirs.find_grade("why", "layers", "layers", "ada").manual_score = 2.5
        theirs.find_comment("why", "layers", "layers", "ada").manual_comment = "Say <why>, too."
        theirs.db.commit()
    page = read(book)
    assert "2.5 / 3" in page.text and "Say <why>, too." in page.text


def test_an_unreadable_submission_says_why(book: Gradebook) -> None:
    book.record_attempt(grading(problem="layers.ipynb is empty: save your work in it and submit it again."))
    page = read(book)
    assert "could not be graded" in page.text and "layers.ipynb is empty" in page.text
    assert "0 of 12 points" in page.text


def test_a_fault_is_told_as_ours_and_shows_no_points(book: Gradebook) -> None:
    book.record_attempt(grading(None, fault="no box started on host 7"))
    page = read(book)
    assert "That was our fault. You have no grade yet" in page.text
    assert " points" not in page.text and "host 7" not in page.text


def test_after_a_fault_the_grade_before_is_shown(book: Gradebook) -> None:
    book.record_attempt(grading(result()))
    book.record_attempt(grading(None, minutes=1, fault="no box started"))
    page = read(book)
    assert "Your grade stays as it was" in page.text and "12 of 12 points" in page.text


def test_where_another_attempt_counts_the_page_says_which(book: Gradebook) -> None:
    book.record_attempt(grading(result()), Policy.BEST)
    book.record_attempt(grading(result(WRONG, WRONG, OK), minutes=1), Policy.BEST)
    page = read(book)
    assert "6 of 12 points" in page.text
    assert "Attempt 1, with 12 points, is the one that counts." in page.text


def test_without_an_attempt_there_is_no_page(book: Gradebook, course: Path) -> None:
    assert write_feedback(book, "ada", "layers") == ()
    assert not (course / "feedback").exists()


def image(width: int, height: int) -> str:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    crc = struct.pack(">I", zlib.crc32(chunk))
    return base64.encodebytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + crc).decode()


def test_a_figure_is_shown_if_it_is_one() -> None:
    shown = png(image(640, 480))
    assert shown is not None and "\n" not in shown
    for wrong in (image(0, 1), image(5000, 10), "", "aGVsbG8=", "<svg>", "iVBORw0KGgo=", "A" * (4 << 20)):
        assert png(wrong) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        ("a\x00b\x07c\x9b1md", "abc1md"),
        ("tab\tstays\n", "tab\tstays\n"),
        ("abc\u202edef", "abc\ufffddef"),
    ],
)
def test_text_is_cleaned(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_long_text_is_cut() -> None:
    assert plain("x" * 30_000).endswith("x\n… (cut here)")
    assert len(plain("x" * 30_000)) < 21_000


@given(st.text())
def test_cleaned_text_has_no_control_characters(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain(text))


def test_a_check_result_without_words_has_no_empty_box(book: Gradebook) -> None:
    checks = (CheckResult("check-relu", "relu", WRONG, 0, 4), *result().checks[1:])
    book.record_attempt(grading(NotebookResult(checks)))
    assert not any(tag == "pre" and a.get("class") == "message" for tag, a in read(book).tags)
