"""JupyterLab as students have it, in a real browser: every step by clicking."""

from __future__ import annotations

import json
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from course.notebook import notebook_bytes
from tests.browser import screenshot_folder
from tests.hub.checks.test_checker import ABS
from tests.hub.lab.conftest import TOKEN, Lab

pytestmark = pytest.mark.slow

CHECK_MS = 60_000
NOTEBOOK = "01-relu/relu.ipynb"
DARK = ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
HOSTILE = "def relu(x):\n    raise ValueError('<img src=x onerror=alert(1)><script>alert(2)</script>')"
LOOP = "class Unit:\n    def __init__(self, slope):\n        while True: pass"


@pytest.fixture
def said(page: Page) -> Iterator[list[str]]:
    """What the page complained of; nothing, when the test ends."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
    yield complaints
    assert complaints == []


def shot(page: Page, name: str) -> None:
    page.screenshot(path=screenshot_folder() / f"lab-{name}.png")


def check(page: Page) -> None:
    """Presses the button and waits for the end of the check."""
    page.get_by_role("button", name="Check my work").click()
    expect(page.locator(".mlsys-panel:not([data-state=busy])[data-state]")).to_be_visible(timeout=CHECK_MS)


def status(page: Page) -> str:
    return page.locator(".mlsys-status").inner_text()


def test_a_wrong_answer_reads_the_checks_message(student: Lab, page: Page, said: list[str]) -> None:
    student.write(NOTEBOOK, student.service.released.written(relu=ABS))
    student.open(page, NOTEBOOK)
    check(page)
    assert status(page) == "2 of 3 visible checks passed. Hidden checks decide the points when you submit."
    failed = page.locator(".mlsys-check[data-state=failed]")
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("assert np.asarray(relu(np.array([-1.0, 2.0]))).tolist() == [0.0, 2.0]")
    expect(page.locator(".mlsys-check[data-state=passed]")).to_have_count(2)
    shot(page, "check-light")


def test_a_right_answer_passes_in_the_dark_too(student: Lab, page: Page, said: list[str]) -> None:
    student.write(DARK, json.dumps({"theme": "JupyterLab Dark"}).encode())
    try:
        student.write(NOTEBOOK, student.service.released.written())
        student.open(page, NOTEBOOK)
        expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
        check(page)
        assert "3 of 3 visible checks passed" in status(page)
        shot(page, "check-dark")
    finally:
        (student.home / DARK).unlink()


def test_what_is_typed_is_saved_and_checked(student: Lab, page: Page, said: list[str]) -> None:
    student.write(NOTEBOOK, student.service.released.written(relu="def relu(x):\n    return 7"))
    student.open(page, NOTEBOOK)
    check(page)
    assert "3 of 3" not in status(page)
    page.get_by_role("button", name="Go to the cell of The rectifier").click()
    expect(page.locator(".jp-Notebook .jp-Cell.jp-mod-active")).to_contain_text("return 7")
    page.keyboard.press("Enter")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text("def relu(x):\n    return np.maximum(x, 0)")
    expect(page.locator(".mlsys-outdated")).to_have_text("The notebook has changed since this check.")
    check(page)
    assert "3 of 3" in status(page)
    assert "np.maximum(x, 0)" in (student.home / NOTEBOOK).read_text()


def test_messages_are_text_and_a_loop_ends(student: Lab, page: Page, said: list[str]) -> None:
    student.write(NOTEBOOK, student.service.released.written(relu=HOSTILE, unit=LOOP))
    student.open(page, NOTEBOOK)
    check(page)
    expect(page.locator(".mlsys-panel")).to_contain_text("<script>alert(2)</script>")
    assert page.locator(".mlsys-panel img, .mlsys-panel script").count() == 0
    expect(page.locator(".mlsys-panel")).to_contain_text("Took too long")
    shot(page, "check-messages")


def test_a_damaged_file_gets_words(student: Lab, page: Page, said: list[str]) -> None:
    notebook = student.service.released.notebook()
    notebook.metadata["mlsys"]["assignment"] = "99-nothing"
    student.write(NOTEBOOK, notebook_bytes(notebook))
    student.open(page, NOTEBOOK)
    check(page)
    assert "99-nothing" in status(page)
    assert page.locator(".mlsys-panel").get_attribute("data-state") == "error"
    # The browser itself reports the status of a refused request.
    said[:] = [each for each in said if "status of 404" not in each]


def test_only_assignments_have_the_button(student: Lab, page: Page, said: list[str]) -> None:
    plain = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    student.write("diary.ipynb", nbformat.writes(plain).encode())
    student.open(page, "diary.ipynb")
    expect(
        page.locator(".jp-NotebookPanel .jp-Toolbar-kernelStatus, .jp-Notebook-ExecutionIndicator").first
    ).to_be_visible()
    expect(page.get_by_role("button", name="Check my work")).to_have_count(0)


def test_assignments_are_one_click_away_and_nobody_offers_news(
    student: Lab, page: Page, said: list[str]
) -> None:
    student.open(page)
    expect(page.locator(".jp-LauncherCard").first).to_be_visible()
    expect(page.get_by_text("Would you like to get notified about official Jupyter news?")).to_have_count(0)
    page.locator("#mlsys-bar").get_by_role("button", name="Assignment List").click()
    expect(page.get_by_text("Released assignments")).to_be_visible()
    shot(page, "assignments")
    page.get_by_role("menuitem", name="Course").click()
    expect(page.get_by_role("menuitem", name="Course Page")).to_be_visible()
    assert page.get_by_text("Formgrader").count() == 0


def test_the_course_page_is_on_the_hubs_own_address(student: Lab, page: Page, said: list[str]) -> None:
    student.open(page)
    page.context.route("**/services/course/", lambda route: route.fulfill(body="the course"))
    with page.context.expect_page() as opened:
        page.locator("#mlsys-bar").get_by_role("button", name="Course Page").click()
    assert opened.value.url == f"{student.url}services/course/"


def test_the_keyboard_is_enough(student: Lab, page: Page, said: list[str]) -> None:
    student.write(NOTEBOOK, student.service.released.written())
    student.open(page, NOTEBOOK)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=CHECK_MS)  # the notebook takes the focus before
    page.keyboard.press("ControlOrMeta+Shift+c")
    expect(page.locator(".lm-CommandPalette-input")).to_be_focused()
    page.keyboard.type("check my work")
    expect(page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text("Check My Work")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="3 of 3")).to_be_visible(timeout=CHECK_MS)
    expect(page.get_by_role("region", name="Check my work")).to_be_visible()


def test_the_page_holds_no_token_of_the_hub(student: Lab, page: Page, said: list[str]) -> None:
    student.open(page)
    assert "JUPYTERHUB_API_TOKEN" not in page.content()
    config = json.loads(page.locator("#jupyter-config-data").text_content() or "{}")
    assert config["mlsysCoursePage"] == "/services/course/"
    assert '"ama"' not in json.dumps(config)


def test_notebook_7_has_the_button_too(student: Lab, page: Page, said: list[str]) -> None:
    student.write(NOTEBOOK, student.service.released.written())
    page.goto(f"{student.url}notebooks/{NOTEBOOK}?token={TOKEN}")
    check(page)
    assert "3 of 3" in status(page)
    shot(page, "notebook-7")
    said[:] = [each for each in said if "mlsys" in each]  # Notebook 7 itself warns of much
