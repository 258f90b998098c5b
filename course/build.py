"""Writes a course directory's sources: the instructor's notebooks, for nbgrader.

    COURSE_DIR/nbgrader_config.py
    COURSE_DIR/source/<assignment>/<notebook>.ipynb, and the files that students get beside it

Contract: everything is read, composed and searched for leaks before the first byte is written;
an error leaves the directory as it was. The same content again writes nothing. Trusts the
authors' files for what they say, not for being well-formed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.judge import AuthorError
from course.assignment import Assignment
from course.compose import compose_release, compose_source
from course.leaks import Leak, scan, secrets_of
from course.material import read_assignments
from course.notebook import notebook_bytes
from course.records import Course
from course.tree import put_tree, scratch_folder

SHOWN_LEAKS = 10
CONFIG_MARK = "# Written by mlsys build; remove this line to keep your own changes."
CONFIG = """\
{mark}
from pathlib import Path

import autograder.nbgrader_plugin
from course.gradebook import gradebook_url

c = get_config()  # noqa: F821
ROOT = Path(__file__).resolve().parent

c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.course_id = {course_id!r}
# gradebook.db in this folder, unless gradebook.url or MLSYS_GRADEBOOK_DB names another database.
c.CourseDirectory.db_url = gradebook_url(ROOT)

# The stub of a solve cell is the author's own; nbgrader adds nothing to it.
c.ClearSolutions.code_stub = {{"python": ""}}

# Submissions are repaired and judged in a sandbox, where stock nbgrader would execute them right here;
# feedback shows no hidden test.
autograder.nbgrader_plugin.configure(c)
"""


@dataclass(frozen=True)
class Built:
    """An assignment's source folder, and whether it had to be written."""

    assignment: Assignment
    folder: Path
    changed: bool


def build(course: Course, course_dir: Path, ids: tuple[str, ...] = ()) -> tuple[Built, ...]:
    """Writes the sources of these assignments, of all for none."""
    assignments = read_assignments(course, ids)
    composed = [(assignment, source_files(assignment)) for assignment in assignments]
    for assignment in assignments:
        refuse_leaks(assignment, release_files(assignment))
    with scratch_folder(course_dir) as scratch:
        write_config(course, course_dir)
        return tuple(_put(course_dir, assignment, files, scratch) for assignment, files in composed)


def source_files(assignment: Assignment) -> dict[str, bytes]:
    """What the source folder holds, by name."""
    notebook = notebook_bytes(compose_source(assignment))
    return {f"{assignment.notebook}.ipynb": notebook, **_extras(assignment)}


def release_files(assignment: Assignment) -> dict[str, bytes]:
    """What students receive, by name, as far as it can be told without nbgrader."""
    notebook = notebook_bytes(compose_release(assignment))
    return {f"{assignment.notebook}.ipynb": notebook, **_extras(assignment)}


def refuse_leaks(assignment: Assignment, files: dict[str, bytes]) -> None:
    """Raises AuthorError where students would receive a solution or a hidden test."""
    if leaks := scan(files, secrets_of(assignment)):
        raise AuthorError(
            f"{assignment.folder}: students would receive what they may not see; nothing was written. "
            f"Remove it from the files that they get:\n{_listed(leaks)}"
        )


def write_config(course: Course, course_dir: Path) -> None:
    """nbgrader_config.py, unless the instructor has made it their own."""
    file = course_dir / "nbgrader_config.py"
    text = CONFIG.format(mark=CONFIG_MARK, course_id=course.id)
    old = file.read_text(encoding="utf-8") if file.is_file() else CONFIG_MARK
    if old.startswith(CONFIG_MARK) and old != text:
        file.write_text(text, encoding="utf-8")


def _put(course_dir: Path, assignment: Assignment, files: dict[str, bytes], scratch: Path) -> Built:
    folder = course_dir / "source" / assignment.id
    return Built(assignment, folder, put_tree(folder, files, scratch))


def _extras(assignment: Assignment) -> dict[str, bytes]:
    return {path.relative_to(assignment.folder).as_posix(): path.read_bytes() for path in assignment.extras}


def _listed(leaks: Iterable[Leak]) -> str:
    lines = [f"  {leak}" for leak in leaks]
    more = [f"  … and {len(lines) - SHOWN_LEAKS} more"] if len(lines) > SHOWN_LEAKS else []
    return "\n".join(lines[:SHOWN_LEAKS] + more)
