"""A real browser for tests: Debian's Chromium, driven by Playwright.

One a module: while Playwright's synchronous interface is open, nothing in this thread can run an event
loop of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
# How long what is expected of a page may take to come, on a host that stalls.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Skips with a word where there is no Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def screenshot_folder() -> Path:
    """Where pictures of the pages go, to be looked at: $MLSYS_SCREENSHOTS, or a folder of temporary files."""
    folder = Path(os.environ.get("MLSYS_SCREENSHOTS") or Path(tempfile.gettempdir(), "mlsys-screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
