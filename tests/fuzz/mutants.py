"""Mutated submissions: a valid notebook, changed as students, broken tools and attackers change one.

Contract: ``mutant(seed)`` is a pure function of its seed. ``Mutant.earned`` is what the answers
earned before the changes: no mutant may get more. Where only harmless changes were made (``intact``)
it must get exactly that.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from nbformat.notebooknode import NotebookNode

from tests.autograder.judge.notebooks import check, given, notebook, solve
from tests.fuzz.edits import BYTE_EDITS, NOTEBOOK_EDITS, SOURCE_EDITS, TEXT_EDITS, TREE_EDITS, Document

POINTS = {"double": 6, "norm": 4}
RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "norm": "def norm(v):\n    return float((v ** 2).sum()) ** 0.5",
}
STUB = {name: f"def {name}(x):\n    raise NotImplementedError('{name}')" for name in RIGHT}
WRONG = {"double": "def double(x):\n    return x + 1", "norm": "def norm(v):\n    return 'five'"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass(frozen=True)
class Mutant:
    """A submitted file, and what is known of it."""

    data: bytes
    edits: tuple[str, ...]
    earned: float
    intact: bool


def source() -> NotebookNode:
    """The instructor's notebook: two questions, cheap to judge."""
    made: NotebookNode = notebook(
        given("import numpy as np"),
        solve("double", RIGHT["double"]),
        check(
            "double",
            "assert double(1) == 2",
            "assert double(-4) == -8, 'negative'",
            POINTS["double"],
            "double",
        ),
        solve("norm", RIGHT["norm"]),
        check(
            "norm", "assert norm(np.array([3.0, 4.0])) == 5", "assert norm(np.zeros(2)) == 0", POINTS["norm"]
        ),
    )
    for n, cell in enumerate(made.cells):
        cell.id = f"cell-{n}"
    return made


def mutant(seed: int) -> Mutant:
    """The mutant of this number."""
    rng = random.Random(seed)  # noqa: S311 - must repeat
    document, earned = valid(rng)
    names, intact = [], True
    kinds = rng.choices((NOTEBOOK_EDITS, SOURCE_EDITS, TREE_EDITS), (5, 4, 2), k=rng.randint(0, 4))
    for kind in kinds:
        edit = rng.choice(kind)
        edit.change(rng, document)
        names.append(edit.name)
        intact = intact and edit.harmless
    text = json.dumps(document, indent=rng.choice((None, 1)), ensure_ascii=rng.random() < 0.5)
    if not kinds or rng.random() < 0.15:
        last = rng.choice(TEXT_EDITS)
        text, intact = last.change(rng, text), intact and last.harmless
        names.append(last.name)
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:
        damage = rng.choice(BYTE_EDITS)
        data, intact = damage.change(rng, data), intact and damage.harmless
        names.append(damage.name)
    return Mutant(data, tuple(names), earned, intact and is_utf8(data))


def is_utf8(data: bytes) -> bool:
    """Half a surrogate pair, written as it is, makes a file that no reader takes for text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def valid(rng: random.Random) -> tuple[Document, float]:
    """A submission as Jupyter saves it, and the points of its answers."""
    answers = {name: rng.choice((RIGHT, RIGHT, RIGHT, STUB, WRONG))[name] for name in RIGHT}
    document: Document = json.loads(json.dumps(source()))
    for cell in document["cells"]:
        marks = cell["metadata"]["nbgrader"]
        cell["source"] = released(cell["source"], answers.get(marks["grade_id"]))
        marks["checksum"] = f"{rng.getrandbits(128):032x}"
        cell["outputs"], cell["execution_count"] = outputs(rng), rng.randint(1, 99)
    document["cells"].insert(0, markdown("# Homework\nRead this first."))
    document["cells"].append(markdown(f"![plot](attachment:plot.png) {rng.random()}"))
    document["cells"][-1]["attachments"] = {"plot.png": {"image/png": PNG}}
    document["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    return document, float(sum(POINTS[name] for name, text in answers.items() if text == RIGHT[name]))


def released(text: str, answer: str | None) -> str:
    """A cell as the student saves it: no hidden tests, the answer in place."""
    return text.split("\n### BEGIN HIDDEN TESTS")[0] if answer is None else answer


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"text-{len(text)}", "metadata": {}, "source": text}


def outputs(rng: random.Random) -> list[dict[str, Any]]:
    """Outputs of an earlier run, which nobody looks at."""
    made: list[dict[str, Any]] = [
        {"output_type": "stream", "name": "stdout", "text": "ALL TESTS PASSED\n"},
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/plain": "100"},
        },
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
    ]
    return made[: rng.randint(0, 3)]
