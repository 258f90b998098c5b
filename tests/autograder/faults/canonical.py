"""A graded classroom in a form that two runs can be compared by: all that counts, no times of grading."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from nbgrader.api import Gradebook as NbgraderGradebook

from autograder.gradebook import Attempt, AttemptState, Gradebook, all_receipts
from autograder.gradebook.folders import attempt_folder, autograded_folder, read_files
from course.gradebook import gradebook_url
from hub.coursework import open_gradebook
from tests.autograder.faults.classroom import ID, Classroom

MEASURED = ("seconds", "race")


def canonical(room: Classroom) -> dict[str, Any]:
    """Student -> the attempt that counts, nbgrader's own rows, and what is in ``autograded/``."""
    with open_gradebook(room.course_dir) as gradebook:
        counting = {each.student: attempt(each) for each in gradebook.attempts(assignment=ID) if each.counts}
    marks = nbgraders(room)
    assert counting.keys() == marks.keys()
    return {
        student: {
            "attempt": counting[student],
            "nbgrader": marks[student],
            "autograded": folder(room, student),
        }
        for student in sorted(counting)
    }


def attempt(each: Attempt) -> dict[str, Any]:
    kept = asdict(each)
    for name in ("id", "number", "graded", "notebooks"):
        kept.pop(name)
    notebooks = [
        (
            notebook.name,
            notebook.problem,
            [{k: v for k, v in asdict(check).items() if k not in MEASURED} for check in notebook.checks],
            [asdict(repair) for repair in notebook.repairs],
        )
        for notebook in each.notebooks
    ]
    return {**kept, "verdict": each.verdict, "notebooks": notebooks}


def nbgraders(room: Classroom) -> dict[str, Any]:
    """The rows that nbgrader's formgrader and exports read."""
    found: dict[str, Any] = {}
    with NbgraderGradebook(gradebook_url(room.course_dir)) as theirs:
        for given in theirs.assignment_submissions(ID):
            found[given.student.id] = {
                "timestamp": given.timestamp,
                "score": given.score,
                "notebooks": [
                    (
                        notebook.name,
                        notebook.late_submission_penalty,
                        sorted(
                            (each.name, each.auto_score, each.manual_score, each.needs_manual_grade)
                            for each in notebook.grades
                        ),
                        sorted((each.name, each.auto_comment) for each in notebook.comments),
                    )
                    for notebook in given.notebooks
                ],
            }
    return found


def folder(room: Classroom, student: str) -> dict[str, Any]:
    files = read_files(autograded_folder(room.course_dir, student, ID))
    return {name: json.loads(data) if name.endswith(".ipynb") else data for name, data in files.items()}


def require_whole(room: Classroom) -> None:
    """Nothing is lost, nothing half written, nothing judged twice, nothing left about."""
    with open_gradebook(room.course_dir) as gradebook:
        require_attempts(room, gradebook)
    for path in room.course_dir.rglob(".*"):
        if path.relative_to(room.course_dir).parts[0] != ".mlsys":
            assert path.name in (".lock", ".secret"), f"left behind: {path}"


def require_attempts(room: Classroom, gradebook: Gradebook) -> None:
    attempts = gradebook.attempts(assignment=ID)
    receipts = all_receipts(room.course_dir, ID)
    newest = {each.student: each for each in receipts}
    judged = [each for each in attempts if each.state is not AttemptState.FAULT]
    for student, receipt in newest.items():
        key = (student, receipt.sha256, receipt.received)
        own = [each for each in judged if (each.student, each.sha256, each.submitted) == key]
        assert len(own) == 1, f"{student}: judged {len(own)} times"
        assert own[0].counts, student
        kept = attempt_folder(room.course_dir, student, ID, own[0].number)
        assert read_files(kept) == read_files(autograded_folder(room.course_dir, student, ID)), student
        laid = read_files(room.course_dir / "submitted" / student / ID)
        assert laid.keys() == {"timestamp.txt", *(file.name for file in receipt.files)}, student
    folders = set((room.course_dir / "attempts").glob(f"*/{ID}/*"))
    known = {attempt_folder(room.course_dir, each.student, ID, each.number) for each in attempts}
    assert folders == known
