"""One transaction a grading: attempts are kept, and nbgrader's grades show the one that counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook as NbgraderGradebook
from nbgrader.api import MissingEntry

from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook import Attempt, AttemptState, Gradebook, Policy, source_version
from autograder.judge import NotebookResult, RaceResult, Verdict
from course.gradebook import gradebook_url
from tests.autograder.gradebook.gradings import DUE, grading, open_gradebook, result
from tests.autograder.notebooks import cell_of, released, right, submission, two_questions

OK, WRONG, FAULT, CRASH = Verdict.OK, Verdict.WRONG, Verdict.FAULT, Verdict.CRASH


@pytest.fixture
def book(course: Path) -> Iterator[Gradebook]:
    with open_gradebook(course) as opened:
        yield opened


def grades(course: Path, student: str = "ada") -> dict[str, tuple[float | None, bool]]:
    """nbgrader's automatic scores, and whether each waits for a person."""
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        notebook = theirs.find_submission_notebook("layers", "layers", student)
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in notebook.grades}


def total(course: Path) -> float:
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        return float(theirs.find_submission("layers", "ada").score)


def test_marks_reach_nbgraders_grades(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(OK, WRONG, OK)))
    assert grades(course) == {
        "check-relu": (4.0, False),
        "check-relu-zero": (0.0, False),
        "check-layer": (6.0, False),
        "why": (None, True),
    }
    assert total(course) == 10


def test_an_attempt_keeps_everything(book: Gradebook) -> None:
    race = RaceResult(1.25, 1.2, 1.3, 9, True, ((0.01, 0.0125),))
    judged = result(OK, WRONG, OK)
    raced = NotebookResult(
        (*judged.checks[:2], type(judged.checks[2])(**{**vars(judged.checks[2]), "race": race})),
        usage=judged.usage,
    )
    submitted = right(two_questions())
    cell_of(submitted, "check-relu").source = "pass"
    kept = book.record_attempt(grading(raced, submitted=submitted, late_seconds=60.0, penalty=1.0))
    assert book.attempts() == (kept,)
    assert (kept.number, kept.state, kept.counts, kept.verdict) == (1, AttemptState.GRADED, True, WRONG)
    assert (kept.points, kept.max_points, kept.late_seconds, kept.penalty) == (10, 12, 60, 1)
    assert (kept.submitted, kept.usage) == (DUE, judged.usage)
    assert kept.source_version == source_version({"layers": two_questions()})
    assert kept.notebooks[0].checks == raced.checks
    assert [each.sentence for each in kept.notebooks[0].repairs] == [
        "The test cell 'check-relu' had been changed; the original was used."
    ]


def test_every_attempt_is_kept_and_the_last_counts(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    book.record_attempt(grading(result(WRONG, WRONG, OK), minutes=5))
    assert [(each.number, each.points, each.counts) for each in book.attempts("ada", "layers")] == [
        (1, 12, False),
        (2, 6, True),
    ]
    assert total(course) == 6


def test_the_best_counts_where_the_course_says_so(book: Gradebook, course: Path) -> None:
    for minutes, judged in enumerate([result(OK, OK, WRONG), result(), result(WRONG, WRONG, WRONG)]):
        book.record_attempt(grading(judged, minutes=minutes), Policy.BEST)
    assert [each.counts for each in book.attempts()] == [False, True, False]
    assert total(course) == 12
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        judged_until = theirs.find_submission("layers", "ada").timestamp
    assert judged_until.isoformat() == "2026-09-01T12:02:00"


def test_a_regrading_replaces_what_it_regrades(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(WRONG, OK, OK)), Policy.BEST)
    book.record_attempt(grading(result(), minutes=1), Policy.BEST)
    book.record_attempt(grading(result(WRONG, WRONG, OK), minutes=1), Policy.BEST)
    assert [each.counts for each in book.attempts()] == [True, False, False]
    assert total(course) == 8
    assert grades(course)["check-relu"] == (0.0, False)


def test_a_regrading_of_an_older_submission_does_not_make_it_the_last(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(WRONG, OK, OK)))
    book.record_attempt(grading(result(), minutes=1))
    book.record_attempt(grading(result(WRONG, OK, OK)))
    assert total(course) == 12


def test_a_fault_is_never_a_grade(book: Gradebook, course: Path) -> None:
    kept = book.record_attempt(grading(result(OK, FAULT, OK)))
    assert (kept.state, kept.verdict, kept.counts) == (AttemptState.FAULT, FAULT, False)
    assert kept.message == "Words about check-relu-zero."
    with pytest.raises(MissingEntry):
        grades(course)
    assert not (course / "autograded").exists()


def test_a_fault_leaves_the_grade_as_it_was(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    book.record_attempt(grading(None, minutes=1, fault="no box started"))
    assert total(course) == 12
    assert [(each.state, each.counts) for each in book.attempts()] == [
        (AttemptState.GRADED, True),
        (AttemptState.FAULT, False),
    ]


def test_a_crash_does_not_keep_the_old_grade(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    book.record_attempt(grading(result(CRASH, CRASH, CRASH), minutes=1))
    assert total(course) == 0


def test_what_can_not_be_read_is_zero_with_a_reason(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    kept = book.record_attempt(grading(problem="layers.ipynb is empty.", minutes=1))
    assert (kept.state, kept.points, kept.max_points) == (AttemptState.UNREADABLE, 0, 12)
    assert kept.message == "layers.ipynb is empty."
    assert set(grades(course).values()) == {(0.0, False)}
    assert (course / "autograded/ada/layers/layers.ipynb").exists()


def test_an_unanswered_essay_is_zero_and_a_written_one_waits(book: Gradebook, course: Path) -> None:
    source = two_questions()
    book.record_attempt(grading(result(), submitted=released(source)))
    assert grades(course)["why"] == (0.0, False)
    nb = right(source)
    nb.cells.remove(cell_of(nb, "why"))
    book.record_attempt(grading(result(), submitted=nb, minutes=1))
    assert grades(course)["why"] == (0.0, False)
    book.record_attempt(grading(result(), minutes=2))
    assert grades(course)["why"] == (None, True)


def test_a_persons_score_is_kept_and_flagged(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        grade = theirs.find_grade("why", "layers", "layers", "ada")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        theirs.db.commit()
    assert total(course) == 14.5
    book.record_attempt(grading(result(WRONG, OK, OK), minutes=1))
    assert total(course) == 10.5
    assert grades(course)["why"] == (None, True)


def test_answers_without_a_response_say_so(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(), submitted=submission(two_questions(), layer="layer = 1")))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        said = {
            name: theirs.find_comment(name, "layers", "layers", "ada").auto_comment
            for name in ("relu", "layer", "why")
        }
    assert said == {"relu": "No response.", "layer": None, "why": "No response."}


def test_lateness_costs_what_the_grading_says(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result(), minutes=30, penalty=3.0))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        submission = theirs.find_submission("layers", "ada")
        assert submission.late_submission_penalty == 3
        assert submission.timestamp.isoformat() == "2026-09-01T12:30:00"


def test_the_same_grading_is_known(book: Gradebook) -> None:
    done = grading(result())
    asked = ("ada", "layers", done.sha256, done.submitted)
    version = source_version(done.sources)
    assert not book.is_graded(*asked, version)
    book.record_attempt(grading(result(OK, OK, FAULT)))
    assert not book.is_graded(*asked, version)
    book.record_attempt(done)
    assert book.is_graded(*asked, version)
    assert not book.is_graded(*asked, "0" * 64)


def test_judged_notebooks_are_kept_for_every_attempt(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()), Policy.BEST)
    book.record_attempt(grading(result(WRONG, OK, OK), minutes=1), Policy.BEST)
    files = sorted(str(path.relative_to(course)) for path in course.glob("a*/ada/**/*.ipynb"))
    assert files == [
        "attempts/ada/layers/1/layers.ipynb",
        "attempts/ada/layers/2/layers.ipynb",
        "autograded/ada/layers/layers.ipynb",
    ]
    shown = json.loads((course / files[2]).read_bytes())
    assert shown == json.loads((course / files[0]).read_bytes())
    assert not list(course.glob("a*/ada/**/.*"))


def test_a_failed_write_changes_nothing(
    book: Gradebook, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.record_attempt(grading(result()))

    def fail(*given: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("autograder.gradebook.gradebook.copy_folder", fail)
    with pytest.raises(OSError, match="disk full"):
        book.record_attempt(grading(result(WRONG, WRONG, WRONG), minutes=1))
    monkeypatch.undo()
    assert total(course) == 12
    assert len(book.attempts()) == 1
    assert book.record_attempt(grading(result(WRONG, WRONG, WRONG), minutes=1)).number == 2


def test_readers_read_while_a_grading_is_written(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    with book.database.writing(), open_gradebook(course) as other:
        assert len(other.attempts()) == 1
        assert total(course) == 12


@pytest.mark.parametrize("course", ["sqlite"], indirect=True)
def test_the_database_is_in_wal_mode(book: Gradebook, course: Path) -> None:
    with sqlite3.connect(course / "gradebook.db") as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


def test_a_course_that_was_not_released_says_what_to_do(tmp_path: Path, book: Gradebook) -> None:
    with pytest.raises(PlatformError, match="mlsys release"):
        open_gradebook(tmp_path)
    assert list(tmp_path.glob("gradebook*")) == []
    with pytest.raises(PlatformError, match="other is not in the gradebook; run `mlsys release other`"):
        book.record_attempt(grading(result(), assignment="other"))


def changed_points(nb: NotebookNode) -> None:
    cell_of(nb, "check-relu").metadata.nbgrader.points = 40


def changed_test(nb: NotebookNode) -> None:
    cell_of(nb, "check-relu").source += "\nassert True"


def new_check(nb: NotebookNode) -> None:
    cell_of(nb, "check-relu").metadata.nbgrader.grade_id = "check-new"


@pytest.mark.parametrize("change", [changed_points, changed_test, new_check])
def test_a_source_that_changed_since_the_release_is_refused(book: Gradebook, change: object) -> None:
    done = grading(result())
    change(done.notebooks[0].source)  # type: ignore[operator]
    with pytest.raises(PlatformError, match=r"not as released .*run `mlsys release layers`"):
        book.record_attempt(done)
    assert book.attempts() == ()


def test_a_judgement_of_other_checks_is_refused(book: Gradebook) -> None:
    judged = result()
    with pytest.raises(PlatformError, match="not of this notebook's checks"):
        book.record_attempt(grading(NotebookResult(judged.checks[:2])))
    assert book.attempts() == ()


def test_no_name_leaves_the_course_directory(book: Gradebook, course: Path) -> None:
    with pytest.raises(SubmissionError, match="not a student id"):
        book.record_attempt(grading(result(), student="../eve"))
    with pytest.raises(ValueError, match="not plain file names"):
        book.record_attempt(grading(result(), files={"../x": b""}))
    assert book.attempts() == ()


def test_attempts_of_others_stay_apart(book: Gradebook, course: Path) -> None:
    book.record_attempt(grading(result()))
    bobs = book.record_attempt(grading(result(WRONG, WRONG, WRONG), student="bob"))
    assert bobs.number == 1
    assert [attempt_of(each) for each in book.attempts(student="bob")] == [("bob", 0)]
    assert total(course) == 12


def attempt_of(attempt: Attempt) -> tuple[str, float]:
    return attempt.student, attempt.points
