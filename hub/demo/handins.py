"""What the demo's students hand in, and what each must get.

Contract: expected marks are the ones that authors declared (wrong/*.py, right/*.py) or zero for
whoever attacks; the demo fails if the grader says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.assignment import Assignment, Variant
from course.chameleon import PERSONAS, compose_chameleon
from course.compose import compose_stub, compose_submission
from course.notebook import notebook_bytes

STUDENTS = "ama bruno chen dara emeka farah goran hana ines jonas kavya lucia mateo nadia omar priya".split()
ATTACKS = ("input_transformer", "patched_numpy", "rewrite_gradebook", "exit_zero")


@dataclass(frozen=True)
class HandIn:
    """One file of one student. ``mark`` is what it must get."""

    student: str
    assignment: str
    label: str
    file: str
    data: bytes
    mark: float


@dataclass(frozen=True)
class Draft:
    """A hand-in without a student."""

    label: str
    data: bytes
    mark: float


def hand_ins(assignments: Sequence[Assignment], attacks: Path) -> list[HandIn]:
    """Sixteen hand-ins for each assignment, by sixteen students in turn."""
    found = []
    for shift, assignment in enumerate(assignments):
        file = f"{assignment.notebook}.ipynb"
        for number, draft in enumerate(islice(drafts(assignment, attacks), len(STUDENTS))):
            student = STUDENTS[(number + 5 * shift) % len(STUDENTS)]
            found.append(HandIn(student, assignment.id, draft.label, file, draft.data, draft.mark))
    return found


def drafts(assignment: Assignment, attacks: Path) -> Iterator[Draft]:
    """Right ones, mistakes, the bare stub, damage, attacks; then further mistakes."""
    wrong = spread(assignment.wrong, 5)
    yield from (variant_draft(assignment, "right", each) for each in assignment.right[:3])
    yield from (variant_draft(assignment, "wrong", each) for each in wrong)
    yield Draft("bare stub", notebook_bytes(compose_stub(assignment)), 0)
    yield Draft("right, but damaged and on stderr", damaged(assignment), assignment.points)
    yield Draft("not a notebook", b"%PDF-1.7 my answers", 0)
    yield Draft("attack: says yes", notebook_bytes(compose_chameleon(assignment, PERSONAS[0])), 0)
    for name in ATTACKS:
        yield Draft(f"attack: {name.replace('_', ' ')}", attacked(assignment, attacks / f"{name}.py"), 0)
    rest = [each for each in assignment.wrong if each not in wrong]
    yield from (variant_draft(assignment, "wrong", each) for each in rest)


def spread(variants: Sequence[Variant], count: int) -> list[Variant]:
    """``count`` of them, evenly over the list."""
    step = max(1, len(variants) // count)
    return list(variants[::step][:count])


def variant_draft(assignment: Assignment, kind: str, variant: Variant) -> Draft:
    notebook = compose_submission(assignment, variant)
    return Draft(f"{kind}: {variant.name.replace('_', ' ')}", notebook_bytes(notebook), variant.mark)


def attacked(assignment: Assignment, file: Path) -> bytes:
    """The stub with an attack's first cell at its top."""
    cell = re.split(r"^# %%.*$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    notebook = compose_stub(assignment)
    notebook.cells.insert(0, new_code_cell(cell, id="attack"))
    return notebook_bytes(notebook)


def damaged(assignment: Assignment) -> bytes:
    """The reference as a careless editor leaves it: test cells deleted, retyped, edited and copied,
    an answer copied too, and a cell that prints on stderr and fails."""
    notebook = compose_submission(assignment)
    tests = [cell for cell in notebook.cells if is_test(cell)]
    notebook.cells.remove(tests[0])
    tests[1].source = "pass"
    tests[2].cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        tests[2].pop(key, None)
    notebook.cells.append(NotebookNode({**tests[3], "id": "copy"}))
    noise = "import sys\nprint('careful', file=sys.stderr)\n1 / 0"
    notebook.cells.insert(0, new_code_cell(noise, id="noise"))
    return notebook_bytes(notebook)


def is_test(cell: NotebookNode) -> bool:
    meta = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(meta.get("grade")) and not meta.get("solution")
