"""The same class through Otter-Grader's ``otter run``, for `throughput`.

``otter run`` takes one submission a process and needs no Docker (``otter grade`` does). It is installed with
pip into a virtual environment of its own, which sees this project's numpy and torch; each question becomes
one test, so that its marks can be compared.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lessons import Lesson

REQUIREMENT = "otter-grader>=7,<8"


class Unavailable(Exception):
    """It could not be installed here, and why."""


@dataclass(frozen=True)
class Otter:
    """``otter run`` for one lesson."""

    folder: Path
    lesson: Lesson

    @property
    def programs(self) -> Path:
        return self.folder / "venv" / "bin"

    def run(self, *words: str) -> str:
        environment = {**os.environ, "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(  # noqa: S603 -- our own words
            words, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise Unavailable(f"{' '.join(words[:3])}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout

    def grade(self, notebooks: Sequence[Path]) -> dict[str, float]:
        """Points by the notebooks' folder names, one process each."""
        points = {}
        for notebook in notebooks:
            out = self.folder / "out" / notebook.parent.parent.name
            out.mkdir(parents=True)
            own = out / notebook.name  # it writes beside the notebook
            own.write_bytes(notebook.read_bytes())
            program = str(self.programs / "otter")
            self.run(program, "run", "--no-logo", "-a", "autograder.zip", "-o", str(out), str(own))
            found = json.loads((out / "results.json").read_bytes())
            points[out.name] = sum(float(each.get("score") or 0) for each in found["tests"])
        return points


def install(folder: Path, lesson: Lesson) -> Otter:
    """Raises Unavailable."""
    made = Otter(folder, lesson)
    (folder / "tests").mkdir(parents=True)
    made.run(sys.executable, "-m", "venv", str(folder / "venv"))
    made.run(str(made.programs / "pip"), "install", "--quiet", REQUIREMENT, "ipykernel")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shared = folder / "venv" / "lib" / version / "site-packages" / "zz_shared.pth"
    shared.write_text(sysconfig.get_path("purelib") + "\n")  # after its own: numpy and torch
    for question in lesson.questions:
        (folder / "tests" / f"{question.name}.py").write_text(written(question.name, question.points, [
            question.visible, question.hidden
        ]))  # fmt: skip
    made.run(
        str(made.programs / "otter"), "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"
    )
    return made


def written(name: str, points: int, texts: Sequence[str]) -> str:
    """A test in the format of OK, as Otter reads it: all of it in one case, so that it's all or nothing."""
    statements = [ast.unparse(each) for text in texts for each in ast.parse(text).body]
    lines = [
        f"{'...' if number else '>>>'} {line}"
        for each in statements
        for number, line in enumerate(each.split("\n"))
    ]
    case = {"code": "\n".join(lines) + "\n", "hidden": True, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return f"OK_FORMAT = True\ntest = { ({'name': name, 'points': points, 'suites': [suite]})!r}\n"
