"""What an export would do, before anything is written: a line for each student and assignment.

Contract: pure. A plan holds the bytes of the files that it would write; whoever asks a person first
writes those and no others. What is not graded is never written; zeros for missing work are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import Grade, GradeState, StudentKeys
from autograder.gradebook.lms.scores import rounded, score_text

NOTHING = "Nothing was submitted."
NO_WORDS = "No comment."
EXCUSED_MARK = "EX"
NAMED = 5


class Outcome(StrEnum):
    """What becomes of a grade. UNMATCHED: the other gradebook doesn't know the student by any id."""

    WRITE = "would write"
    SAME = "unchanged"
    OVERWRITE = "would overwrite"
    OVER = "over maximum"
    UNMATCHED = "unmatched"
    PENDING = "pending"
    MISSING = "missing"
    EXCUSED = "excused"
    FAULT = "fault"


class OverMaximum(StrEnum):
    """What to do with more points than the maximum."""

    REFUSE = "refuse"
    CAP = "cap"
    KEEP = "keep"


@dataclass(frozen=True)
class Options:
    """How to export. ``columns``: assignment -> what the other gradebook calls it; ``required``: the
    assignments that somebody named. ``not_due``: (hub name, assignment) of whom nothing is missing yet, since
    it may still come in. ``scale``: scores are made parts of the other gradebook's maximum. ``places``:
    sourcedIds that OneRoster wants; ``dates``: assignment -> the days on which it opens and is due;
    ``today``: the date of the scores there."""

    missing_as_zero: bool = False
    with_feedback: bool = False
    scale: bool = False
    over: OverMaximum = OverMaximum.REFUSE
    columns: Mapping[str, str] = field(default_factory=dict)
    required: Collection[str] = ()
    not_due: Collection[tuple[str, str]] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    today: date = date(1970, 1, 1)


@dataclass(frozen=True)
class Line:
    """``score``: what would be written; ``before``: what stands there; ``note``: why not, or what else."""

    item: str
    student: str
    outcome: Outcome
    score: str = ""
    before: str = ""
    note: str = ""


@dataclass(frozen=True)
class Stranger:
    """A row of the file whose person nobody here is. ``who``: its ids, for people to read."""

    line: int
    who: str


@dataclass(frozen=True)
class Plan:
    """``files``: by name; the bytes of each. ``notes``: what staff should know beside the lines."""

    lines: tuple[Line, ...]
    files: Mapping[str, bytes]
    strangers: tuple[Stranger, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, item: str | None = None) -> Counter[Outcome]:
        """Lines by outcome, of one assignment or of all."""
        return Counter(line.outcome for line in self.lines if item in (None, line.item))

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.item for line in self.lines))

    @property
    def writes(self) -> int:
        """How many grades would be other than before."""
        counts = self.count()
        return counts[Outcome.WRITE] + counts[Outcome.OVERWRITE]

    def require_writable(self) -> None:
        """Raises AuthorError where a score is over its maximum, or nothing would be written."""
        over = [line for line in self.lines if line.outcome is Outcome.OVER]
        if over:
            names = some([f"{line.student} in {line.item}: {line.note}" for line in over])
            raise AuthorError(
                f"{len(over)} over the maximum ({names}); nothing was written. Correct them, or say "
                "--over-maximum cap or keep"
            )
        if not self.writes:
            raise AuthorError("no grade would be written or changed; nothing was written")


@dataclass(frozen=True)
class Entry:
    """A grade on its way: ``score`` as text, EXCUSED_MARK for an excused student."""

    grade: Grade
    score: str
    feedback: str = ""

    @property
    def student(self) -> StudentKeys:
        return self.grade.student


@dataclass(frozen=True)
class Item:
    """An assignment as one format writes it. ``column``: what the other gradebook calls it; ``is_named``:
    staff said so, it isn't our title."""

    id: str
    column: str
    is_named: bool
    maximum: float
    entries: tuple[Entry, ...]

    @property
    def maximum_text(self) -> str:
        return score_text(self.maximum)


def entry_of(
    grade: Grade, options: Options, *, maximum: float | None = None, excuses: bool = False
) -> Entry | Line:
    """What would be written of a grade, or the line that says why nothing is.

    ``maximum``: the other gradebook's, None where it isn't known; ``excuses``: it can take EXCUSED_MARK.
    """
    late = (grade.student.name, grade.item) not in options.not_due
    zero = grade.state is GradeState.MISSING and options.missing_as_zero and late
    if grade.state is GradeState.EXCUSED and excuses:
        return Entry(grade, EXCUSED_MARK, "")
    if grade.state is not GradeState.GRADED and not zero:
        note = "" if late else "may still come in"
        return Line(grade.item, grade.student.name, Outcome(grade.state.value), note=note)
    most = grade.maximum if maximum is None or not options.scale else maximum
    score = 0.0 if zero else grade.score or 0.0
    if options.scale and maximum is not None and grade.maximum > 0:
        score *= maximum / grade.maximum
    limit = most if maximum is None else min(most, maximum)
    if rounded(score) > rounded(limit):
        if options.over is OverMaximum.REFUSE:
            note = f"{score_text(score)} of {score_text(limit)}"
            return Line(grade.item, grade.student.name, Outcome.OVER, score_text(score), note=note)
        score = limit if options.over is OverMaximum.CAP else score
    feedback = (grade.feedback or (NOTHING if zero else NO_WORDS)) if options.with_feedback else ""
    return Entry(grade, score_text(score), feedback)


def require_one_each(students: Iterable[StudentKeys]) -> None:
    """Raises AuthorError where two students have one id: a grade would go to the wrong person."""
    for name in (each.name for each in fields(StudentKeys) if each.name not in ("name", "full_name")):
        seen: dict[str, str] = {}
        for student in students:
            value = folded(name, getattr(student, name))
            if value and seen.setdefault(value, student.name) != student.name:
                raise AuthorError(
                    f"{seen[value]} and {student.name} both have the {words_of(name)} {value!r}; correct one "
                    "with `mlsys roster import`"
                )


ASCII_SMALL = str.maketrans({chr(sign): chr(sign + 32) for sign in range(ord("A"), ord("Z") + 1)})


def folded(key: str, value: str) -> str:
    """An id as it is compared: log-ins and e-mail addresses without regard to A or a, others exactly.

    Only A to Z: with more, two people's addresses in other scripts could become one.
    """
    return value.translate(ASCII_SMALL) if key in ("login", "email", "name") else value


def words_of(key: str) -> str:
    """What people call a key."""
    return {"sis_id": "SIS id", "lms_id": "LMS id", "email": "e-mail address"}.get(key, key)


def some(names: Collection[str]) -> str:
    """The first few, and how many more."""
    first = [*names][:NAMED]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(first) + more
