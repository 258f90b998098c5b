"""Makes what students receive, with nbgrader's own generate_assignment, and lets no secret out.

Theory of operation: the sources are built first. nbgrader then writes each assignment into a
scratch folder, without telling the gradebook; that output is searched for every line of every
solution and hidden test. Only when all assignments are clean does nbgrader run again, with the
gradebook, into the scratch folder; its output is searched again and moved to ``release/``.
Contract: after an error ``release/`` is as it was. The same content again runs nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.judge import AuthorError, PlatformError
from course.assignment import Assignment
from course.build import build, refuse_leaks
from course.compose import code_stub
from course.gradebook import DEFAULT, gradebook_has, gradebook_url
from course.material import read_assignment
from course.records import Course
from course.tree import STATE, digest, read_tree, replace_tree, scratch_folder

STATE_FILE = "released.json"
SECONDS = 600
FROZEN = ("Cannot add or remove cells", "Cannot modify existing assignment")


@dataclass(frozen=True)
class Released:
    """An assignment's release folder, and whether it had to be made."""

    assignment: Assignment
    folder: Path
    changed: bool


def release(course: Course, course_dir: Path, ids: tuple[str, ...] = ()) -> tuple[Released, ...]:
    """Builds and releases these assignments, all for none."""
    course_dir = course_dir.resolve()
    assignments = [built.assignment for built in build(course, course_dir, ids)]
    with scratch_folder(course_dir) as scratch:
        stale = [each for each in assignments if not _is_released(course_dir, each)]
        if stale:
            with _Generator(course_dir, scratch) as generator:
                generator.generate("rehearsal", stale, database=False)
                made = generator.generate("release", stale, database=True)
            for each in stale:
                replace_tree(course_dir / "release" / each.id, made / each.id, scratch)
            _remember(course_dir, stale)
    return tuple(Released(each, course_dir / "release" / each.id, each in stale) for each in assignments)


@contextmanager
def rehearse(course: Course, course_dir: Path, name: str) -> Iterator[str]:
    """The URL of a passing gradebook into which nbgrader has released an assignment, as it is in ``source/``.

    The course's own gradebook and ``release/`` aren't touched. Raises AuthorError where nbgrader refuses.
    """
    course_dir = course_dir.resolve()
    written = (course.assignments_folder / name).is_dir()
    stub = code_stub(read_assignment(course, name)) if written else None
    with scratch_folder(course_dir) as scratch, _Generator(course_dir, scratch) as generator:
        url = f"sqlite:///{scratch / 'rehearsal.db'}"
        for assignment, trouble in generator.release(name, stub, url):
            if trouble:
                raise _explained(assignment, trouble, database=False)
        yield url


class _Generator:
    """A process that runs nbgrader, which takes a second to load, for both passes."""

    def __init__(self, course_dir: Path, scratch: Path) -> None:
        self.course_dir = course_dir
        self.scratch = scratch
        self.log = (scratch / "nbgrader.log").open("w+", encoding="utf-8")
        modules = os.pathsep.join(filter(None, (left_out(scratch), os.environ.get("PYTHONPATH", ""))))
        # -P: the course directory's own modules are not for this process.
        command = [sys.executable, "-P", "-W", "ignore", "-m", "course.generate"]
        self.process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | {"PYTHONPATH": modules},
        )
        self.clock = threading.Timer(SECONDS, self.process.kill)
        self.clock.start()

    def __enter__(self) -> _Generator:
        return self

    def __exit__(self, *error: object) -> None:
        self.clock.cancel()
        self.process.communicate()  # closes its stdin, on which it ends
        self.log.close()

    def generate(self, name: str, assignments: list[Assignment], *, database: bool) -> Path:
        """nbgrader's output for the assignments, in a folder of this name, searched for leaks."""
        folder = self.scratch / name
        answers = self._ask(
            {
                "course_dir": str(self.course_dir),
                "release": str(folder.relative_to(self.course_dir)),
                "stubs": {each.id: code_stub(each) for each in assignments},
                "database": database,
                "url": "",
            }
        )
        for assignment, trouble in answers:
            if trouble:
                raise _explained(assignment, trouble, database=database)
        for each in assignments:
            refuse_leaks(each, read_tree(folder / each.id))
        return folder

    def release(self, name: str, stub: str | None, url: str) -> list[tuple[str, str]]:
        """Releases one assignment into another gradebook; what nbgrader said of it, if it refused."""
        release = str((self.scratch / "rehearsal").relative_to(self.course_dir))
        known = {"course_dir": str(self.course_dir), "release": release, "stubs": {name: stub}}
        return self._ask({**known, "database": True, "url": url})

    def _ask(self, request: dict[str, object]) -> list[tuple[str, str]]:
        assert self.process.stdin and self.process.stdout  # noqa: S101  # both are pipes
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            return [
                (assignment, trouble) for assignment, trouble in json.loads(self.process.stdout.readline())
            ]
        except (OSError, ValueError) as e:
            self.log.seek(0)
            words = self.log.read().strip().splitlines() or [f"no answer within {SECONDS} s"]
            raise PlatformError(f"nbgrader stopped: {words[-1]}") from e


def left_out(scratch: Path) -> str:
    """A folder that keeps from nbgrader what `autograder.unneeded` keeps from our programs."""
    folder = scratch / "left-out"
    folder.mkdir(exist_ok=True)
    (folder / "rfc3987_syntax.py").write_text("raise ImportError('left out: it takes a second to load')\n")
    return str(folder)


def _explained(name: str, trouble: str, *, database: bool) -> AuthorError | PlatformError:
    if any(words in trouble for words in FROZEN):
        return AuthorError(
            f"{name}: cells with ids were added or removed, and students have submitted already: "
            f"`mlsys regrade {name}` shows what that does to their grades and publishes it; or keep the ids "
            f"(nbgrader: {trouble})"
        )
    if database:
        return PlatformError(f"{name}: nbgrader couldn't write the gradebook: {trouble}")
    return AuthorError(f"{name}: nbgrader refuses the assignment: {trouble}")


def _is_released(course_dir: Path, assignment: Assignment) -> bool:
    known = _state(course_dir).get(assignment.id)
    return known == _fingerprints(course_dir, assignment) and _in_gradebook(course_dir, assignment.id)


def _remember(course_dir: Path, assignments: list[Assignment]) -> None:
    state = _state(course_dir) | {each.id: _fingerprints(course_dir, each) for each in assignments}
    text = json.dumps(state, indent=1, sort_keys=True)
    (course_dir / STATE / STATE_FILE).write_text(f"{text}\n", encoding="utf-8")


def _state(course_dir: Path) -> dict[str, list[str]]:
    """What was released, by assignment; an unreadable record means that nothing was."""
    try:
        state = json.loads((course_dir / STATE / STATE_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _fingerprints(course_dir: Path, assignment: Assignment) -> list[str]:
    config = (course_dir / "nbgrader_config.py").read_bytes()
    source = {"config": config, **read_tree(course_dir / "source" / assignment.id)}
    return [digest(source), digest(read_tree(course_dir / "release" / assignment.id))]


def _in_gradebook(course_dir: Path, name: str) -> bool:
    """Whether the gradebook knows the assignment; True where the instructor's own config names another."""
    config = (course_dir / "nbgrader_config.py").read_text(encoding="utf-8")
    if DEFAULT not in config and gradebook_url.__name__ not in config:
        return True
    return gradebook_has(gradebook_url(course_dir), name)
