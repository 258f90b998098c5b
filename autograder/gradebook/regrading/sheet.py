"""The marks of an assignment in nbgrader's rows, by student: read as points, written from attempts.

Contract: works on a ledger, never on the database. What ``enter`` leaves is what ``grades.write_marks``
would for the same attempt, but for marks that a person gave to the very answers that are judged again:
they are flagged for review only where the question's points, or what the judge says of it, changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nbgrader.api import new_uuid

from autograder.gradebook.attempts import Attempt, AttemptNotebook
from autograder.gradebook.grades import auto_comment, auto_score
from autograder.gradebook.regrading.cells import (
    KINDS,
    blank_comment,
    blank_grade,
    notebook_names,
    scaled,
)
from autograder.gradebook.regrading.ledger import COUNTING, Ledger, Row
from autograder.gradebook.released import COMMENTED, GRADED


@dataclass(frozen=True)
class Points:
    """A student's grade. ``total``: lateness taken off, what waits for a person counted as 0; ``cells``:
    (notebook, cell) -> points, None for what waits."""

    total: float
    cells: Mapping[tuple[str, str], float | None]
    penalty: float = 0.0

    @property
    def waits(self) -> bool:
        return None in self.cells.values()


class Sheet:
    """A ledger with what is looked up in it: which row is whose."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.notebooks = {name: key for key, name in notebook_names(ledger).items()}
        self.cells: dict[str, list[Row]] = {key: [] for key in self.notebooks.values()}
        for cell in ledger.rows("base_cell"):
            self.cells[cell["notebook_id"]].append(cell)
        self.submissions = {row["student_id"]: row for row in ledger.rows("submitted_assignment")}
        self.parts: dict[str, dict[str, Row]] = {}
        for part in ledger.rows("submitted_notebook"):
            self.parts.setdefault(part["assignment_id"], {})[part["notebook_id"]] = part
        self.grades = {(row["notebook_id"], row["cell_id"]): row for row in ledger.rows("grade")}
        self.comments = {(row["notebook_id"], row["cell_id"]): row for row in ledger.rows("comment")}

    def most(self, cell: Row) -> float:
        """The points that a graded cell offers."""
        return float(self.ledger.tables[KINDS[cell["type"]]][cell["id"]]["max_score"])

    def max_points(self) -> dict[tuple[str, str], float]:
        """(notebook, cell) -> the points that it offers."""
        return {
            (name, cell["name"]): self.most(cell)
            for name, key in self.notebooks.items()
            for cell in self.cells[key]
            if cell["type"] in GRADED
        }

    def counting(self, student: str) -> int | None:
        row = self.ledger.tables[COUNTING].get(student)
        return row["attempt_id"] if row else None

    # reading

    def points(self, student: str) -> Points | None:
        """A student's grade as it stands, None where there is none."""
        submission = self.submissions.get(student)
        if submission is None:
            return None
        found: dict[tuple[str, str], float | None] = {}
        penalty = 0.0
        names = {key: name for name, key in self.notebooks.items()}
        for notebook, part in self.parts.get(submission["id"], {}).items():
            penalty += part["late_submission_penalty"] or 0.0
            for cell in self.cells[notebook]:
                grade = self.grades.get((part["id"], cell["id"]))
                if grade is not None:
                    found[names[notebook], cell["name"]] = score(grade)
        total = max(0.0, sum(each or 0.0 for each in found.values()) - penalty)
        return Points(total, found, penalty)

    def by_hand(self, student: str) -> dict[tuple[str, str], Row]:
        """(notebook, cell) -> the grade's row, where a person gave points."""
        submission = self.submissions.get(student)
        parts = self.parts.get(submission["id"], {}) if submission else {}
        names = {key: name for name, key in self.notebooks.items()}
        return {
            (names[notebook], cell["name"]): grade
            for notebook, part in parts.items()
            for cell in self.cells[notebook]
            if (grade := self.grades.get((part["id"], cell["id"]))) is not None
            and (grade["manual_score"] is not None or grade["extra_credit"] is not None)
        }

    def own_rows(self, student: str) -> list[Row]:
        """All that the ledger has of a student, in an order of its own."""
        submission = self.submissions.get(student)
        if submission is None:
            return []
        parts = self.parts.get(submission["id"], {})
        rows = [submission, *(parts[key] for key in sorted(parts))]
        for key in sorted(parts):
            for cell in sorted(self.cells[key], key=lambda each: str(each["id"])):
                place = parts[key]["id"], cell["id"]
                rows += [table[place] for table in (self.grades, self.comments) if place in table]
        return rows

    # writing

    def count(self, student: str, attempt: int) -> None:
        """Notes which attempt the student's marks are of."""
        row = {"student": student, "assignment": self.ledger.name, "attempt_id": attempt}
        self.ledger.add(COUNTING, row)

    def note_time(self, student: str, judged: datetime) -> None:
        """Notes the newest submission that was judged."""
        self.submission(student)["timestamp"] = judged.astimezone(UTC).replace(tzinfo=None)

    def enter(self, attempt: Attempt, *, same: bool, changed: frozenset[tuple[str, str]]) -> None:
        """Makes an attempt's marks the student's grades. ``same``: marks that people gave are of this very
        submission; ``changed``: the cells, by notebook and name, whose points are others than then."""
        submission = self.submission(attempt.student)
        penalty = attempt.penalty
        kept = {each.name: each for each in attempt.notebooks}
        for name, notebook in sorted(self.notebooks.items()):
            part = self.part(submission["id"], notebook)
            judged = kept.get(name) or AttemptNotebook(name, "", (), attempt.usage, ())
            points = {each.check: each for each in judged.checks}
            given: dict[str, float] = {}
            for cell in self.cells[notebook]:
                if cell["type"] in GRADED and (check := points.get(cell["name"])) is not None:
                    most = self.most(cell)
                    own = check.max_points == most
                    again = check.points if own else scaled(check.points, check.max_points, most)
                    given.update({} if again is None else {cell["name"]: again})
            for cell in self.cells[notebook]:
                if cell["type"] in GRADED:
                    kept_mark = same and (name, cell["name"]) not in changed
                    self._grade(part, cell, given, judged, kept_mark=kept_mark)
                if cell["type"] in COMMENTED:
                    self._comment(part, cell, judged)
            taken = min(penalty, sum(given.values()))
            part["late_submission_penalty"] = taken or None
            penalty -= taken

    def submission(self, student: str) -> Row:
        if student not in self.ledger.tables["student"]:
            self.ledger.add("student", {"id": student})
        if student not in self.submissions:
            row = {"id": new_uuid(), "assignment_id": self.ledger.assignment, "student_id": student}
            self.submissions[student] = self.ledger.add(
                "submitted_assignment", {**row, "timestamp": None, "extension": None}
            )
        return self.submissions[student]

    def part(self, submission: str, notebook: str) -> Row:
        parts = self.parts.setdefault(submission, {})
        if notebook not in parts:
            row = {"id": new_uuid(), "assignment_id": submission, "notebook_id": notebook}
            parts[notebook] = self.ledger.add(
                "submitted_notebook", {**row, "flagged": False, "late_submission_penalty": None}
            )
        return parts[notebook]

    def _grade(
        self,
        part: Row,
        cell: Row,
        given: Mapping[str, float],
        judged: AttemptNotebook,
        *,
        kept_mark: bool,
    ) -> None:
        key = part["id"], cell["id"]
        if key not in self.grades:
            self.grades[key] = self.ledger.add("grade", blank_grade(cell["id"], part["id"]))
        grade = self.grades[key]
        before = grade["auto_score"]
        grade["auto_score"] = auto_score(cell["name"], given, judged.answers, problem=bool(judged.problem))
        if grade["manual_score"] is None:
            grade["needs_manual_grade"] = grade["auto_score"] is None
        elif not (kept_mark and grade["auto_score"] == before):
            grade["needs_manual_grade"] = not judged.problem

    def _comment(self, part: Row, cell: Row, judged: AttemptNotebook) -> None:
        key = part["id"], cell["id"]
        if key not in self.comments:
            self.comments[key] = self.ledger.add("comment", blank_comment(cell["id"], part["id"]))
        said = auto_comment(cell["name"], judged.answers, problem=bool(judged.problem))
        self.comments[key]["auto_comment"] = said


def score(grade: Row) -> float | None:
    """As nbgrader reckons it; None where nobody has given a mark."""
    mark = grade["manual_score"] if grade["manual_score"] is not None else grade["auto_score"]
    return None if mark is None else float(mark + (grade["extra_credit"] or 0.0))
