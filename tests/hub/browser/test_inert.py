"""Attack: a submission whose cells and outputs run script where an instructor looks at it.

The formgrader shows them on the hub's own origin, so a script there would have the instructor's rights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import nbformat
import pytest
from playwright.sync_api import expect

from autograder.gradebook import take_in
from course.compose import compose_stub
from course.material import read_assignment
from course.notebook import notebook_bytes
from course.reader import read_course
from tests.hub.browser.conftest import Hub, Person

pytestmark = pytest.mark.slow
ASSIGNMENT = "07-autograd"
BESIDE = "beside.html"
SCRIPT = "<script>window.top.pwned = 1</script>"
HANDLER = '<img src="nothing" onerror="window.top.pwned = 1">'
HOSTILE_MARKDOWN = (
    SCRIPT,
    HANDLER,
    '<svg onload="window.top.pwned = 1"></svg>',
    '<iframe srcdoc="&lt;script&gt;window.top.pwned = 1&lt;/script&gt;"></iframe>',
    "[a](javascript:window.top.pwned=1)",
    "```html\n</code></pre>" + SCRIPT + "\n```",
    "$</script>" + HANDLER + "$",
)
HOSTILE_OUTPUT = f"""
from IPython.display import HTML, SVG, Javascript, Markdown, Latex, display
display(HTML({SCRIPT!r} + {HANDLER!r}))
display(Javascript("window.top.pwned = 1"))
display(Markdown({HANDLER!r}))
display(Latex({("$x$" + HANDLER)!r}))
display({{"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='window.top.pwned = 1'><script>window.top.pwned = 1</script></svg>"}}, raw=True)
display({{"text/html": {HANDLER!r}, "application/javascript": "window.top.pwned = 1"}}, raw=True)
print({HANDLER!r}); print("\\x1b[31m" + {HANDLER!r} + "\\x1b[0m")
raise ValueError({HANDLER!r})
"""


def hostile() -> bytes:
    """The stub with every trick in cells of its own, their outputs included."""
    notebook = compose_stub(read_assignment(read_course(), ASSIGNMENT))
    for number, text in enumerate(HOSTILE_MARKDOWN):
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(text, id=f"hostile-{number}"))
    code = nbformat.v4.new_code_cell(HOSTILE_OUTPUT, id="hostile-code")
    code.outputs = [nbformat.v4.new_output("display_data", {"text/html": HANDLER})]
    notebook.cells.insert(2, code)
    notebook.metadata["title"] = HANDLER
    nbformat.validate(json.loads(nbformat.writes(notebook)))
    return notebook_bytes(notebook)


def test_an_instructor_reads_a_hostile_submission_unharmed(hub: Hub, person: Callable[[str], Person]) -> None:
    files = {"autograd.ipynb": hostile(), BESIDE: SCRIPT.encode()}
    take_in(
        hub.state / "course", "mallory", ASSIGNMENT, files, clock=lambda: datetime.now(UTC), allowed=[BESIDE]
    )
    hub.mlsys("autograde", ASSIGNMENT, "--course", str(hub.state / "course.toml"))
    ines = person("ines")
    ines.log_in()
    ines.open_lab()
    page = ines.open(f"user/ines/formgrader/gradebook/{ASSIGNMENT}/autograd")
    page.get_by_role("link", name="Submission #1").click()
    page.locator("#check-unbroadcast-missing").first.wait_for()
    page.wait_for_load_state("networkidle")
    ines.picture("inert-formgrader")
    expect(page.locator("body")).to_contain_text("pwned")
    assert page.evaluate("window.top.pwned") is None
    assert page.locator("[onerror], [onload], a[href^='javascript:']").count() == 0
    beside = page.goto(f"{page.url.split('?')[0].rstrip('/')}/{BESIDE}")
    assert beside is not None and beside.ok and "sandbox" in beside.headers["content-security-policy"]
    assert page.evaluate("window.top.pwned") is None
    staff = ines.open("services/course/staff/s/mallory")
    assert staff.evaluate("window.top.pwned") is None
