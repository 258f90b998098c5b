"""A regrading's draft: what was judged comes back as it was, or is judged again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.batch import Job
from autograder.batch.drafts import HEAD, Draft, DraftKey
from autograder.errors import PlatformError
from autograder.gradebook import Grading, take_in
from autograder.gradebook.gradebook import repaired_of
from autograder.gradebook.grades import answers
from autograder.gradebook.released import ReleasedCell
from autograder.gradebook.rows import attempt_notebook
from autograder.judge import RaceResult, Verdict
from tests.autograder.gradebook.gradings import DUE, grading, printed, result
from tests.autograder.notebooks import as_bytes, cell_of, released, right, two_questions

KEY = DraftKey("layers", "a" * 64, "1+abc", "e" * 64)
SOURCES = {"layers": two_questions()}
CELLS: Mapping[str, Mapping[str, ReleasedCell]] = {
    "layers": {
        cell.metadata.nbgrader.grade_id: ReleasedCell(cell.source, cell.metadata.nbgrader.checksum)
        for cell in released(two_questions()).cells
        if "nbgrader" in cell.metadata
    }
}


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    made = Draft(tmp_path / "draft", KEY, SOURCES)
    made.begin()
    return made


def job(course: Path, student: str = "ada", data: bytes = b"") -> Job:
    files = {"layers.ipynb": data or as_bytes(right(two_questions())), "notes.txt": b"mine"}
    return Job(take_in(course, student, "layers", files, clock=lambda: DUE, allowed=("notes.txt",)))


def judged() -> Grading:
    """With a race, a repair and an answer that wasn't written."""
    submitted = right(two_questions())
    cell_of(submitted, "check-relu").source = "pass"
    cell_of(submitted, "why").source = cell_of(released(two_questions()), "why").source
    race = RaceResult(1.25, 1.2, 1.3, 9, True, ((0.01, 0.0125),))
    found = result(Verdict.OK, Verdict.WRONG, Verdict.OK, cells=(printed(2, "hi"),))
    checks = (*found.checks[:2], replace(found.checks[2], race=race))
    return grading(replace(found, checks=checks), submitted=submitted)


@pytest.mark.parametrize(
    "made", [judged(), grading(problem="layers.ipynb is empty.")], ids=["judged", "unread"]
)
def test_what_was_judged_comes_back(draft: Draft, tmp_path: Path, made: Grading) -> None:
    one = job(tmp_path)
    assert draft.read(one) is None
    draft.keep(one, made, CELLS)
    found = draft.read(one)
    assert found is not None
    (graded,) = made.notebooks
    assert found.notebooks == (attempt_notebook(graded, answers(CELLS["layers"], repaired_of(graded))),)
    assert (found.student, found.submitted, found.graded) == ("ada", DUE, made.graded)
    assert found.notebooks[0].answers["why"] == ("absent" if graded.problem else "unchanged")


def test_the_notebook_itself_is_made_again(draft: Draft, tmp_path: Path) -> None:
    one = job(tmp_path)
    draft.keep(one, grading(result()), CELLS)
    (notebook,), others = draft.notebooks(tmp_path, one)
    assert notebook.result == result()
    assert notebook.repaired is not None
    assert others == {"notes.txt": b"mine"}


def test_what_others_judged_is_of_no_use(draft: Draft, tmp_path: Path) -> None:
    one = job(tmp_path)
    draft.keep(one, judged(), CELLS)
    draft.see({"ada": "x"})
    for changed in (replace(KEY, source_version="b" * 64), replace(KEY, code_version="2+abc")):
        other = Draft(draft.folder, changed, SOURCES)
        assert not other.is_ours
        assert other.seen() == {"ada": "x"}, "nothing is lost by looking"
    assert draft.read(one) is not None
    other.begin()
    assert other.read(one) is None and other.seen() is None
    assert not draft.is_ours


def test_another_submission_s_record_is_none(draft: Draft, tmp_path: Path) -> None:
    one, other = job(tmp_path), job(tmp_path, "bob")
    draft.keep(one, judged(), CELLS)
    kept = next(path for path in draft.folder.iterdir() if path.name.startswith("ada@"))
    kept.rename(kept.with_name(kept.name.replace("ada@", "bob@")))
    assert draft.read(other) is None
    assert not list(draft.folder.glob("bob@*"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_record_is_judged_again(draft: Draft, tmp_path: Path, data: st.DataObject) -> None:
    one = job(tmp_path)
    draft.keep(one, judged(), CELLS)
    path = next(path for path in draft.folder.iterdir() if path.name.startswith("ada@"))
    whole = json.loads(path.read_bytes())
    if data.draw(st.booleans()):
        path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size - 1))])
    else:
        name = data.draw(st.sampled_from(sorted(whole)))
        path.write_text(json.dumps({**whole, name: data.draw(st.sampled_from([None, 3, [], {}, "x"]))}))
    assert draft.read(one) is None
    with pytest.raises(PlatformError):
        draft.keep(one, judged(), CELLS)
        path.write_bytes(b"{")
        draft.notebooks(tmp_path, one)


def test_a_head_that_is_damaged_is_another_s(draft: Draft) -> None:
    (draft.folder / HEAD).write_bytes(b"\xff")
    assert not draft.is_ours
    draft.begin()
    assert draft.is_ours
