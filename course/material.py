"""Reads an assignment from its two folders and checks that the pieces fit.

    assignments/NN-slug/   assignment.toml, <slug>.py (or an nbgrader .ipynb), files for students
    solutions/NN-slug/     solution.py, hidden.py, wrong/*.py, right/*.py (or the .ipynb)

Contract: what is returned can be composed without further checks. Anything that doesn't fit is
an AuthorError that names file and line. Nothing is written, and no author's code is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.judge import AuthorError
from course.assignment import Assignment, Authored, Existing, slug
from course.document import Table, parse_toml, read_toml
from course.existing import existing_questions, read_existing, solution_ids
from course.pairs import pair, read_questions
from course.percent import Role, read_script
from course.place import Place, nearest
from course.reader import read_limits
from course.records import Course, Entry
from course.variants import read_right, read_wrong

KEYS = ("title", "summary", "minutes", "opaque", "hide", "preload", "files", "limits", "questions")
STAFF_ONLY = ("solution.py", "hidden.py", "wrong", "right")
NEVER_RELEASED = ("__pycache__", ".ipynb_checkpoints")
DOTTED = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
FILE_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"


def read_assignments(course: Course, ids: tuple[str, ...] = ()) -> tuple[Assignment, ...]:
    """The assignments of these ids, all of the course for none, in the course's order."""
    known = {entry.id: entry for entry in course.entries}
    for name in ids:
        if name not in known:
            raise AuthorError(f"{course.file}: no assignment {name!r}; {nearest(name, known)}")
    return tuple(_read(course, entry) for entry in course.entries if not ids or entry.id in ids)


def read_assignment(course: Course, name: str) -> Assignment:
    """The assignment of this id."""
    return read_assignments(course, (name,))[0]


def _read(course: Course, entry: Entry) -> Assignment:
    folder, solutions = course.assignments_folder / entry.id, course.solutions_folder / entry.id
    if not folder.is_dir() and not solutions.is_dir():
        raise AuthorError(f"{course.file}: assignment {entry.id!r}: no folder {folder}; create it")
    notebook = _notebook(entry.id, folder, solutions)
    table = _table(folder, entry, required=notebook is None)
    if notebook is None:
        content: Authored | Existing = _authored(table.table("questions"), folder, solutions, slug(entry.id))
        questions = read_questions(table.table("questions"))
        ids = tuple(question.id for question in questions)
    else:
        content = read_existing(notebook)
        questions, ids = existing_questions(content), solution_ids(content)
    total = sum(question.points for question in questions)
    return Assignment(
        entry=entry,
        folder=folder,
        solutions=solutions,
        title=table.text("title"),
        summary=table.text("summary"),
        minutes=table.integer("minutes"),
        opaque=_names(table, "opaque", DOTTED, "names of types"),
        hide=_names(table, "hide", DOTTED, "names of packages"),
        preload=_names(table, "preload", DOTTED, "names of modules") if "preload" in table else None,
        files=_names(table, "files", FILE_NAME, "names of files, without folders"),
        limits=read_limits(table.table("limits"), course.limits) if "limits" in table else course.limits,
        questions=questions,
        content=content,
        wrong=read_wrong(solutions / "wrong", ids, total),
        right=read_right(solutions / "right", ids, total),
        extras=tuple(_extras(folder, entry.id)),
    )


def _notebook(name: str, folder: Path, solutions: Path) -> Path | None:
    """The nbgrader notebook that stands for the assignment, if there is one."""
    script = folder / f"{slug(name)}.py"
    found = [*sorted(folder.glob("*.ipynb")), *sorted(solutions.glob("*.ipynb"))]
    if script.is_file() and found:
        raise Place(found[0]).error(f"{script} is the assignment already; remove one of them")
    if len(found) > 1:
        raise Place(found[1]).error(f"{found[0]} is the assignment already; give each its own folder")
    if not script.is_file() and not found:
        scripts = {file.name: file for file in folder.glob("*.py")}
        raise AuthorError(f"{script}: no such file, and no .ipynb; {nearest(script.name, scripts)}")
    return found[0] if found else None


def _table(folder: Path, entry: Entry, *, required: bool) -> Table:
    file = folder / "assignment.toml"
    if required or file.is_file():
        table = read_toml(file)
        table.only(*(KEYS if required else KEYS[:-1]))
        return table
    return parse_toml(f'title = "{entry.id}"\nsummary = "{entry.chapter.title}"\nminutes = 60\n', file)


def _authored(questions: Table, folder: Path, solutions: Path, name: str) -> Authored:
    _refuse_strays(solutions)
    return pair(
        read_script(folder / f"{name}.py", Role.ASSIGNMENT),
        read_script(solutions / "solution.py", Role.SOLUTION),
        read_script(solutions / "hidden.py", Role.HIDDEN),
        questions,
    )


def _refuse_strays(solutions: Path) -> None:
    """Refuses scripts and folders under solutions/ that nothing would read."""
    for path in sorted(solutions.iterdir()) if solutions.is_dir() else ():
        if path.name in (*STAFF_ONLY, *NEVER_RELEASED) or path.name.startswith("."):
            continue
        if path.is_dir() or path.suffix == ".py":
            raise Place(path).error(f"nothing reads this; {nearest(path.name, STAFF_ONLY)}")


def _names(table: Table, key: str, pattern: str, wanted: str) -> tuple[str, ...]:
    return table.texts(key, pattern, wanted) if key in table else ()


def _extras(folder: Path, name: str) -> Iterator[Path]:
    """The files that students get beside the notebook."""
    own = {folder / "assignment.toml", folder / f"{slug(name)}.py"}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part in NEVER_RELEASED for part in parts) or path in own or path.suffix == ".ipynb":
            continue
        if parts[0] in STAFF_ONLY:
            raise Place(path).error("this would be released to students; move it to solutions/")
        if path.is_symlink():
            raise Place(path).error("a link can't be released; put the file itself here")
        if path.is_file():
            yield path
