"""A class of 3,000 with everything in it that breaks files, and grades for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys

SIZE = 3_000
ITEM, TITLE, MAXIMUM = "07-autograd", "Autograd", 100.0
NAMES = (
    "Lovelace, Ada",
    'O"Neill, "Tip"',
    "Ünal-Öztürk, Şükrü",
    "Мария Склодовская",
    "山田 太郎",
    "محمد بن موسى",
    "line\nbreak, Eve",
    "=HYPERLINK(1)",
    "  spaces  ",
    "a;b\tc",
    "Ada Lovelace 👩‍💻",
)
FEEDBACK = (
    "Attempt 1 counts.\nrelu: 4 of 6 points.",
    "=1+1",
    "- Q1 was wrong\n- Q2 too",
    "+49 170",
    "@everyone",
    'print("C:\\\\") and "\\"" and \\',
    "ends in a backslash \\",
    'a regex r"\\"" and x < y && y > z, <b>bold</b>',
    'say "yes", then\r\n\r\nnothing; é 漢字',
    "  =2*3",
    "\t=4",
)


def student(number: int) -> StudentKeys:
    """Ids begin with zeros, and each kind of id is in another order."""
    return StudentKeys(
        name=f"s{number:04}",
        sis_id=f"00{number:05}",
        login=f"Login.{SIZE - number:04}",
        email=f"S{number}@Uni.example",
        lms_id=f"{70_000 + number * 7}",
        full_name=NAMES[number % len(NAMES)],
    )


def students(size: int = SIZE) -> list[StudentKeys]:
    return [student(number) for number in range(size)]


def grade(who: StudentKeys, score: float | None = 8.5, **fields: Any) -> Grade:
    """A grade, or by its state none."""
    known: dict[str, Any] = {
        "course": "mls",
        "item": ITEM,
        "title": TITLE,
        "student": who,
        "score": score,
        "maximum": MAXIMUM,
        "state": GradeState.MISSING if score is None else GradeState.GRADED,
        "version": None if score is None else 1,
    }
    return Grade(**{**known, **fields})


def class_grades(people: Sequence[StudentKeys], **fields: Any) -> list[Grade]:
    """Scores of all kinds; each tenth student has none."""
    found = []
    for number, who in enumerate(people):
        score = None if number % 10 == 9 else (number * 37 % 10_001) / 100
        found.append(grade(who, score, feedback=FEEDBACK[number % len(FEEDBACK)], **fields))
    return found


def expected(grades: Sequence[Grade], key: str = "name") -> Mapping[str, float]:
    """Key -> score of those that are graded."""
    return {getattr(each.student, key): each.score for each in grades if each.score is not None}
