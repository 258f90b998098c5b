"""The pages in a real browser: nothing acts, nothing overflows, everything can be read and reached.

Screenshots go to the folder that MLSYS_SCREENSHOTS names, for people to look at.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Dialog, Page, expect

from autograder.gradebook import Receipt
from autograder.judge import CheckResult, NotebookResult, RaceKind, RaceResult, Verdict
from hub.board import Board
from hub.checks.report import CellReport, CheckReport, QuestionReport, Report
from hub.exchange.records import Member
from tests.autograder.gradebook.gradings import result
from tests.hub.pages.school import DUE, PREFIX, PWN, School

pytestmark = pytest.mark.slow
OK, WRONG = Verdict.OK, Verdict.WRONG
DEADLINE = 60.0
STEP_MS = 30_000
# Cells of a table on a phone whose label stands where their value begins.
COVERED = """() => [...document.querySelectorAll(".stack [data-label]")].filter(cell => {
  const label = getComputedStyle(cell, "::before");
  const room = parseFloat(getComputedStyle(cell).paddingLeft);
  return label.content !== "none" && label.position === "absolute" && room < parseFloat(label.width);
}).map(cell => cell.dataset.label)"""
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 2
VIEWS = {
    "desktop-light": (1280, 900, "light"),
    "desktop-dark": (1280, 900, "dark"),
    "phone-light": (360, 740, "light"),
    "phone-dark": (360, 740, "dark"),
}
PAGES = {
    "course": ("ada", "/"),
    "assignment": ("ada", "/a/layers"),
    "assignment-new": ("grace", "/a/layers"),
    "assignment-closed": ("grace", "/a/kernels"),
    "glance": ("alan", "/staff"),
    "staff-assignment": ("alan", "/staff/a/layers"),
    "staff-assignment-new": ("alan", "/staff/a/kernels"),
    "staff-student": ("alan", "/staff/s/ada"),
    "roster": ("alan", "/staff/roster"),
    "export": ("alan", "/staff/export"),
    "jobs": ("alan", "/staff/jobs"),
    "not-found": ("alan", "/staff/s/nobody"),
}
# Text whose contrast with what is behind it is below WCAG AA; background washes are opaque here.
FAINT = """() => {
  const part = (value) => (value /= 255, value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color);
    const [high, low] = [light(ink), light(behind(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24;
    if ((high + 0.05) / (low + 0.05) < (large ? 3 : 4.5)) found.push(`${element.tagName} ${walker.currentNode.textContent.trim().slice(0, 30)}`);
  }
  return found;
}"""
NAMELESS = """() => {
  const named = (each) => (each.getAttribute("aria-label") || each.textContent || "").trim() || each.labels?.length || each.title;
  const wanted = "a[href], button, input:not([type=hidden]), select, meter, progress, svg[role=img], summary";
  return [...document.querySelectorAll(wanted)].filter((each) => !named(each)).map((each) => each.outerHTML.slice(0, 80));
}"""
SHAPE = """() => ({
  headings: [...document.querySelectorAll("h1, h2, h3")].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1])),
  mains: document.querySelectorAll("main").length,
  unscoped: [...document.querySelectorAll("th:not([scope])")].length,
  captionless: [...document.querySelectorAll("table")].filter((each) => !each.caption).length,
  ids: [...document.querySelectorAll("[id]")].map((each) => each.id).filter((id, place, all) => all.indexOf(id) !== place),
  overflow: document.documentElement.scrollWidth - window.innerWidth,
  language: document.documentElement.lang,
})"""


@dataclass
class Served:
    """A school whose pages are served on the loopback."""

    school: School
    url: str
    complaints: list[str] = field(default_factory=list)

    def visit(self, browser: Browser, name: str, path: str, view: str = "desktop-light") -> Page:
        """Opens a page as somebody; the page fails the test on a dialog or a script's error."""
        width, height, scheme = VIEWS[view]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
            timezone_id="Asia/Tokyo",
            locale="en-GB",
        )
        context.add_cookies([{"name": "who", "value": name, "url": self.url}])
        page = context.new_page()
        self.complaints.clear()
        page.on("dialog", self._answer)
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on(
            "console", lambda said: self._complain(said.text) if said.type in ("error", "warning") else None
        )
        page.goto(f"{self.url}{PREFIX}{path}")
        return page

    def _answer(self, dialog: Dialog) -> None:
        """Our own question before a form is agreed to; any other dialog is a complaint."""
        if dialog.type == "confirm" and dialog.message.startswith("All submissions of"):
            dialog.accept()
        else:
            self._complain(f"dialog {dialog.message}")
            dialog.dismiss()

    def _complain(self, words: str) -> None:
        if "404 (Not Found)" not in words:
            self.complaints.append(words)


@pytest.fixture
def served(school: School) -> Iterator[Served]:
    """A class in which everything that can be was done, by people with hostile and long names."""
    fill(school)
    server = uvicorn.Server(
        uvicorn.Config(school.app(), host="127.0.0.1", port=0, lifespan="off", log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + DEADLINE
    while not server.started:
        assert time.monotonic() < end, "the server didn't start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(school, f"http://127.0.0.1:{port}")
    server.should_exit = True
    server.force_exit = True
    thread.join()


def fill(school: School) -> None:
    speed = RaceResult(0.8, 0.76, 0.83, 12, False, ((1.25, 1.0),) * 12, marks=((0.5, 1.0), (0.82, 2.0)))
    runs = tuple((float(n), 1e-6 * n) for n in (100, 1000, 10_000))
    growth = RaceResult(1.0, 0.9, 1.1, 3, True, runs, RaceKind.GROWTH, ((1.25, 6.0),))
    checks = (
        CheckResult("check-relu", "relu", WRONG, 1, 4, f"{PWN}\n" + "a long line of words " * 30),
        CheckResult("check-relu-zero", "relu", OK, 2, 2, race=speed),
        CheckResult("check-layer", "layer", OK, 6, 6, race=growth),
    )
    school.exchange.enrol([Member("ada", full_name=f"Ada {PWN}", email="ada@example.org")])
    school.exchange.enrol([Member("bea", full_name=LONG), Member("b" * 64)])
    school.submit("ada", name=f"{'x' * 90}.ipynb")
    school.grade(NotebookResult(checks), student="ada")
    school.give_back("ada", titles={"relu": f"Relu {PWN}"})
    school.submit("bea")
    school.grade(result(OK, OK, OK), student="bea")
    school.submit("bea", extra=b" ")
    school.submit("b" * 64)
    school.grade(student="b" * 64, fault="no box started: " + "/srv/a/very/long/path" * 6)
    school.exchange.extend("bea", "layers", DUE.replace(month=10), by="alan", reason=PWN)


def screenshot(page: Page, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("MLSYS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"pages-{name}.png", full_page=True)


@pytest.mark.parametrize("view", VIEWS)
def test_every_page_can_be_read_and_reached_and_nothing_acts(
    served: Served, chromium: Browser, view: str, tmp_path: Path
) -> None:
    for name, (who, path) in PAGES.items():
        page = served.visit(chromium, who, path, view)
        for each in page.query_selector_all("details"):
            each.evaluate("each => { each.open = true }")
        screenshot(page, f"{name}-{view}", tmp_path)
        shape = page.evaluate(SHAPE)
        assert served.complaints == [], name
        assert page.evaluate("window.pwned") is None, name
        assert shape["overflow"] <= 0, f"{name} is {shape['overflow']} px too wide"
        assert shape["headings"][0] == 1 and shape["headings"].count(1) == 1, name
        steps = zip(shape["headings"], shape["headings"][1:], strict=False)
        assert all(below - above <= 1 for above, below in steps), f"{name} skips a heading"
        assert (shape["mains"], shape["language"]) == (1, "en")
        assert (shape["unscoped"], shape["captionless"], shape["ids"]) == (0, 0, []), name
        assert page.evaluate(NAMELESS) == [], name
        assert page.evaluate(FAINT) == [], name
        assert page.evaluate(COVERED) == [], name
        page.context.close()


def test_the_keyboard_reaches_the_content_first(served: Served, chromium: Browser) -> None:
    page = served.visit(chromium, "ada", "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_times_are_the_readers_own_and_the_courses_on_demand(served: Served, chromium: Browser) -> None:
    page = served.visit(chromium, "grace", "/a/layers")
    due = page.locator("time").nth(1)
    assert "21:00" in due.inner_text()
    assert due.get_attribute("title") == "Tue 1 Sep 2026, 08:00 EDT in the course's time zone"
    assert "Asia/Tokyo" in page.locator("#zone").inner_text()
    page.context.close()


def test_feedback_shows_in_its_cage(served: Served, chromium: Browser, tmp_path: Path) -> None:
    page = served.visit(chromium, "ada", "/a/layers")
    page.get_by_role("link", name="Feedback with your cells").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Layers")
    assert page.evaluate("window.origin") == "null"
    assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
    screenshot(page, "feedback", tmp_path)
    assert served.complaints == []
    page.context.close()


def test_a_submission_is_followed_live_until_its_points_come(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    served.school.submit("grace")
    newest = served.school.exchange.submissions("grace", "layers")[-1]
    receipt = Receipt("grace", "layers", newest.received, newest.sha256, (), (), ".")
    board = Board(served.school.course_dir)
    page = served.visit(chromium, "grace", "/a/layers")
    page.evaluate("window.same = true")
    told = page.locator("#told")
    expect(told).to_contain_text("waits to be graded")
    with board.held():
        board.tell(receipt)
        expect(told).to_contain_text("is being judged now", timeout=STEP_MS)
        board.tell(receipt, [visible_results()])
        expect(told).to_contain_text("Hidden checks decide the points", timeout=STEP_MS)
    assert f"Expected {PWN}" in page.locator("pre.message").nth(1).inner_text()
    screenshot(page, "standing-checked", tmp_path)
    for check in (NAMELESS, FAINT):
        assert page.evaluate(check) == []
    served.school.grade(result(OK, OK, OK), student="grace")
    expect(told).to_contain_text("not given the feedback back yet", timeout=STEP_MS)
    served.school.give_back("grace")
    expect(page.locator(".score")).to_contain_text("12", timeout=STEP_MS)
    expect(page.locator("#said")).to_have_text("Feedback has come.")
    assert page.evaluate("window.same") is True, "the page was loaded anew"
    assert page.evaluate("window.pwned") is None
    assert served.complaints == []
    page.context.close()


def visible_results() -> Report:
    passed = CheckReport("check-relu", "relu", 4, OK, "Passed")
    failed = CheckReport("check-relu-zero", "relu-zero", 2, WRONG, "Not right yet", f"Expected {PWN}")
    hidden = CheckReport("check-layer", "layer", 6, None, "Hidden: judged when you submit")
    cell = CellReport("", "Cell 3", "Raised an error", "NameError: name 'np' is not defined")
    questions = (
        QuestionReport("relu", f"Relu {LONG}", 6, (passed, failed)),
        QuestionReport("layer", "A layer", 6, (hidden,)),
    )
    return Report("layers", "Layers", "layers", questions, (cell,), ("The test cell 'x' was put back.",))


# Stands for mlsys: grades until it is told to stop.
SLOW = """
import json, signal, sys, time
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
say = lambda **event: print(json.dumps(event), flush=True)
say(event="found", assignment="layers", jobs=1000)
for number in range(1000):
    if stopped:
        say(event="changed", student="bea", question="relu", before=2.0, after=6.0)
        say(event="changed", student="ada", question="relu", before=4.0, after=None)
        say(event="done", graded=number, faults=0, stopped=True)
        sys.exit(130)
    say(event="attempt", assignment="layers", student="<b>s%d</b>" % number, state="graded", verdict="OK",
        points=9.5, max_points=12, wall_seconds=1.25)
    end = time.monotonic() + (300 if number == 100 else 0.02)
    while not stopped and time.monotonic() < end:
        time.sleep(0.02)
"""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs start a stand-in for mlsys. To be asked for before ``served``, which opens the pages."""
    program = tmp_path / "slow.py"
    program.write_text(SLOW)
    monkeypatch.setattr("hub.pages.jobs.MLSYS", (sys.executable, str(program)))


def test_a_regrading_is_followed_live_and_stopped(
    slow: None, served: Served, chromium: Browser, tmp_path: Path
) -> None:
    page = served.visit(chromium, "alan", "/staff/a/layers")
    page.get_by_role("button", name="Grade all again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Regrading layers")
    expect(page.locator("#told")).to_have_text(re.compile(r"[1-9]\d* of 1000"), timeout=STEP_MS)
    expect(page.locator("#attempts tbody tr").nth(5)).to_be_visible(timeout=STEP_MS)
    assert "<b>s" in page.locator("#attempts tbody tr th").first.inner_text()
    expect(page.locator("#left")).to_have_text(re.compile("left"), timeout=STEP_MS)
    screenshot(page, "job-running", tmp_path)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_contain_text("stopped", timeout=STEP_MS)
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    assert "+4" in page.locator("main").inner_text()
    expect(page.get_by_text("The points of 2 students would change.")).to_be_visible()
    screenshot(page, "job-stopped", tmp_path)
    assert served.complaints == []
    page.context.close()


# Stands for mlsys: says what it was asked, and whose points that changes.
QUICK = """
import json, sys
say = lambda **event: print(json.dumps(event), flush=True)
say(event="found", assignment="layers", jobs=0)
say(event="changed", student="bea", question="relu", before=2.0, after=6.0)
say(event="changed", student="ada", question="relu", before=4.0, after=1.0)
say(event="done", graded=0, faults=0, stopped=False)
sys.stderr.write(" ".join(sys.argv[1:]) + "\\n")
"""


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``slow``, but done at once."""
    program = tmp_path / "quick.py"
    program.write_text(QUICK)
    monkeypatch.setattr("hub.pages.jobs.MLSYS", (sys.executable, str(program)))


@pytest.mark.parametrize("view", ["desktop-light", "phone-dark"])
def test_a_regrading_is_published_after_a_look_and_taken_back(
    quick: None, served: Served, chromium: Browser, tmp_path: Path, view: str
) -> None:
    page = served.visit(chromium, "alan", "/staff/a/layers", view)
    page.get_by_role("button", name="Grade all again").click()
    expect(page.get_by_role("heading", name="Publish it")).to_be_visible(timeout=STEP_MS)
    for check in (NAMELESS, FAINT, COVERED):
        assert page.evaluate(check) == []
    screenshot(page, f"regrading-look-{view}", tmp_path)
    page.get_by_role("button", name="Publish").click()  # the browser wants to know why
    page.get_by_label("Why, for the record").fill(f"relu was {PWN}")
    page.get_by_label("Who would lose points").select_option("never-lower")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Publishing the regrading of layers")
    expect(page.get_by_role("heading", name="Take it back")).to_be_visible(timeout=STEP_MS)
    assert "--publish --policy never-lower" in page.locator("pre").inner_text()
    for check in (NAMELESS, FAINT, COVERED):
        assert page.evaluate(check) == []
    screenshot(page, f"regrading-published-{view}", tmp_path)
    page.get_by_label("Why, for the record").fill("agreed otherwise")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Taking back the regrading of layers")
    expect(page.locator("#state")).to_contain_text("done", timeout=STEP_MS)
    assert page.evaluate("window.pwned") is None
    assert served.complaints == []
    page.context.close()
