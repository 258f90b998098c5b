"""Which file of a submission is which notebook of the assignment."""

from __future__ import annotations

import pytest

from autograder.errors import SubmissionError
from autograder.repair import Repaired, RepairKind, repair_submission
from tests.autograder.notebooks import as_bytes, check, code, notebook, right, solve, text, two_questions

LAYERS = two_questions()
OTHER = notebook(
    solve("add", "def add(a, b):\n    raise NotImplementedError", "add = sum"), check("check-add", "add", 1)
)
SOURCES = {"layers": LAYERS, "other": OTHER}
GOOD = as_bytes(right(LAYERS))


def only(files: dict[str, bytes]) -> Repaired | SubmissionError:
    return repair_submission({"layers": LAYERS}, files)["layers"]


def test_the_name_decides() -> None:
    found = only({"layers.ipynb": GOOD, "notes.txt": b"x"})
    assert isinstance(found, Repaired)
    assert found.repairs == ()


@pytest.mark.parametrize("name", ["homework.ipynb", "layers (1).ipynb", "Layers-Copy1.ipynb", "x.IPYNB"])
def test_a_renamed_notebook_is_found_by_its_ids(name: str) -> None:
    found = only({name: GOOD, "scratch.ipynb": as_bytes(notebook(code("1")))})
    assert isinstance(found, Repaired)
    assert [each.kind for each in found.repairs] == [RepairKind.RENAMED]
    assert name in found.repairs[0].sentence


def test_a_renamed_notebook_without_metadata_is_found_by_its_text() -> None:
    nb = right(LAYERS)
    for cell in nb.cells:
        cell.metadata = {}
    assert isinstance(only({"mine.ipynb": as_bytes(nb)}), Repaired)


def test_two_renamed_notebooks_are_told_apart() -> None:
    files = {"a.ipynb": as_bytes(OTHER), "b.ipynb": GOOD}
    found = repair_submission(SOURCES, files)
    assert isinstance(found["layers"], Repaired) and "b.ipynb" in found["layers"].repairs[0].sentence
    assert isinstance(found["other"], Repaired) and "a.ipynb" in found["other"].repairs[0].sentence


def test_a_damaged_file_does_not_spoil_the_other_notebook() -> None:
    found = repair_submission(SOURCES, {"layers.ipynb": b"{", "other.ipynb": as_bytes(OTHER)})
    assert isinstance(found["layers"], SubmissionError) and "not valid JSON" in str(found["layers"])
    assert isinstance(found["other"], Repaired)


def test_a_damaged_file_under_nearly_the_right_name_says_what_is_wrong() -> None:
    assert "is empty" in str(only({"layers-Copy1.ipynb": b""}))


@pytest.mark.parametrize("files", [{}, {"notes.txt": GOOD}, {"x.ipynb": as_bytes(notebook(text("Hello.")))}])
def test_a_submission_without_the_notebook_says_so(files: dict[str, bytes]) -> None:
    found = only(files)
    assert isinstance(found, SubmissionError)
    assert "layers.ipynb is not in the submission" in str(found)
