"""A small course that a test may change: a copy of ``fixtures``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from autograder.judge import AuthorError
from course.assignment import Assignment
from course.material import read_assignment
from course.reader import read_course
from course.records import Course

FIXTURES = Path(__file__).with_name("fixtures")
COURSE = "course/course.toml"
TOML = "assignments/01-relu/assignment.toml"
SCRIPT = "assignments/01-relu/relu.py"
SOLUTION = "solutions/01-relu/solution.py"
HIDDEN = "solutions/01-relu/hidden.py"
WRONG = "solutions/01-relu/wrong/abs.py"
RIGHT = "solutions/01-relu/right/clip.py"


class Sample:
    """The copy, and what tests do with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(FIXTURES, root, dirs_exist_ok=True)
        # Pieces of notebooks make no sense to linters; they are scripts in the copy only.
        for path in sorted(root.rglob("*.py.txt")):
            path.rename(path.with_suffix(""))

    @property
    def course(self) -> Course:
        return read_course(self.root / COURSE)

    @property
    def assignment(self) -> Assignment:
        return read_assignment(self.course, "01-relu")

    def write(self, name: str, data: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def edit(self, name: str, old: str, new: str) -> int:
        """Replaces the first occurrence, and returns the line where it stands."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} isn't in {name}"
        self.write(name, text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def refused(self, name: str, line: int, *words: str) -> None:
        """Reading the assignment fails at this place, with these words."""
        with pytest.raises(AuthorError) as caught:
            assert self.assignment
        self.says(str(caught.value), name, line, *words)

    def says(self, message: str, name: str, line: int, *words: str) -> None:
        found = re.match(r"(.*?):(\d+): (.*)", message, re.DOTALL)
        assert found, message
        assert (Path(found[1]), int(found[2])) == (self.root / name, line), message
        for word in words:
            assert word in found[3], message
