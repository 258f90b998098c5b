"""The demo's course on a hub: the project's own course, with dates around now, and four people."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from course.reader import COURSE_FILE, read_course

INSTRUCTOR = "ines"
STUDENTS = ("ada", "ben", "cleo")
OPEN_DAYS, BETWEEN_DAYS = 14, 7


def demo_course(state: Path, now: datetime | None = None) -> Path:
    """Writes the course file into the state directory; all its assignments opened yesterday."""
    now = (now or datetime.now(UTC)).replace(microsecond=0, second=0, minute=0)
    course = read_course(COURSE_FILE)
    text = COURSE_FILE.read_text()
    for key, folder in (("assignments", course.assignments_folder), ("solutions", course.solutions_folder)):
        text = _replaced(text, rf'{key} = "[^"]*"', f"{key} = {json.dumps(str(folder))}")
    dues = iter(range(OPEN_DAYS, OPEN_DAYS + BETWEEN_DAYS * len(course.entries), BETWEEN_DAYS))
    text = _replaced(text, r"release = .*", f"release = {(now - timedelta(days=1)).isoformat()}")
    text = re.sub(
        r"(?m)^due = .*$", lambda _: f"due = {(now + timedelta(days=next(dues))).isoformat()}", text
    )
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    file = state / "course.toml"
    file.write_text(text)
    return file


def _replaced(text: str, line: str, by: str) -> str:
    """The text with each line that matches replaced."""
    return re.sub(rf"(?m)^{line}$", lambda _: by, text)
