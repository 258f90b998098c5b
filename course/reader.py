"""Reads course.toml, strictly: whatever it can't vouch for is an AuthorError with file and line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from course.document import Table, read_toml
from course.place import nearest
from course.records import Attempts, Chapter, Counts, Course, Entry, Feedback, Late, Limits, Part, When

COURSE_FILE = Path(__file__).with_name("course.toml")
LIMIT_KEYS = tuple(field.name for field in fields(Limits))
WHOLE_LIMITS = ("memory_mb", "processes", "file_mb", "output_kb", "tmp_mb")
COURSE_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
CHAPTER_ID = r"[a-z0-9]+(-[a-z0-9]+)*"
ASSIGNMENT_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
COURSE_KEYS = (
    *("id", "title", "timezone", "paths", "limits", "late", "attempts", "feedback", "parts", "assignments"),
)
ENTRY_KEYS = ("id", "chapter", "weight", "release", "due", "late", "attempts", "feedback")


@dataclass(frozen=True)
class Rules:
    """What holds for each assignment that doesn't say otherwise."""

    late: Late
    attempts: Attempts
    feedback: Feedback


def read_course(file: Path = COURSE_FILE) -> Course:
    """The course that a course.toml describes."""
    table = read_toml(file)
    table.only(*COURSE_KEYS)
    zone = _zone(table)
    paths = table.table("paths")
    paths.only("assignments", "solutions")
    parts = _parts(table)
    return Course(
        file=file,
        id=table.matching("id", COURSE_ID, "an id of letters, digits, '.', '_' and '-'"),
        title=table.text("title"),
        timezone=zone,
        assignments_folder=_folder(paths, "assignments"),
        solutions_folder=_folder(paths, "solutions"),
        limits=read_limits(table.table("limits")),
        parts=parts,
        entries=_entries(table, zone, parts),
    )


def read_limits(table: Table, defaults: Limits | None = None) -> Limits:
    """A [limits] table: all limits, or only those that differ from ``defaults``."""
    table.only(*LIMIT_KEYS)
    values = asdict(defaults) if defaults else {}
    for key in LIMIT_KEYS:
        if key in table or not defaults:
            values[key] = table.integer(key) if key in WHOLE_LIMITS else table.number(key)
    return Limits(**values)


def _zone(table: Table) -> ZoneInfo:
    name = table.text("timezone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as e:
        hint = nearest(name, available_timezones()) if available_timezones() else "no time zones here"
        raise table.place("timezone").error(f"unknown time zone {name!r}; {hint}") from e


def _folder(table: Table, key: str) -> Path:
    folder = (table.file.parent / table.text(key)).resolve()
    if not folder.is_dir():
        raise table.place(key).error(f"{key!r}: no folder {folder}; correct the path or create it")
    return folder


def _parts(table: Table) -> tuple[Part, ...]:
    seen: dict[str, Table] = {}
    parts = []
    for each in table.tables("parts"):
        each.only("title", "chapters")
        title = each.text("title")
        parts.append(Part(title, tuple(_chapter(row, title, seen) for row in each.tables("chapters"))))
    return tuple(parts)


def _chapter(table: Table, part: str, seen: dict[str, Table]) -> Chapter:
    table.only("id", "title")
    name = table.matching("id", CHAPTER_ID, "a-z and 0-9 with single hyphens between words")
    _once(name, table, seen)
    return Chapter(name, table.text("title"), part)


def _once(name: str, table: Table, seen: dict[str, Table]) -> None:
    first = seen.setdefault(name, table)
    if first is not table:
        raise table.place("id").error(f"the id {name!r} stands in line {first.place('id').line} already")


def _entries(table: Table, zone: ZoneInfo, parts: tuple[Part, ...]) -> tuple[Entry, ...]:
    chapters = {chapter.id: chapter for part in parts for chapter in part.chapters}
    rules = Rules(
        _late(table.table("late")), _attempts(table.table("attempts")), _feedback(table, Feedback())
    )
    seen: dict[str, Table] = {}
    entries = []
    for row in table.tables("assignments"):
        row.only(*ENTRY_KEYS)
        _once(row.matching("id", ASSIGNMENT_ID, "a folder's name"), row, seen)
        entries.append(_entry(row, zone, chapters, rules))
    return tuple(entries)


def _entry(row: Table, zone: ZoneInfo, chapters: dict[str, Chapter], rules: Rules) -> Entry:
    chapter = row.text("chapter")
    if chapter not in chapters:
        raise row.place("chapter").error(f"no chapter {chapter!r}; {nearest(chapter, chapters)}")
    release, due = row.moment("release", zone), row.moment("due", zone)
    if due.astimezone(UTC) <= release.astimezone(UTC):
        raise row.place("due").error(f"due {due} isn't after release {release}; correct one of them")
    return Entry(
        id=row.text("id"),
        chapter=chapters[chapter],
        weight=row.number("weight"),
        release=release,
        due=due,
        late=_late(row.table("late"), rules.late) if "late" in row else rules.late,
        attempts=_attempts(row.table("attempts"), rules.attempts) if "attempts" in row else rules.attempts,
        feedback=_feedback(row, rules.feedback),
    )


def _late(table: Table, default: Late | None = None) -> Late:
    table.only("grace_minutes", "percent_per_day", "cutoff_days")

    def value(key: str, most: float) -> float:
        if default and key not in table:
            return float(getattr(default, key))
        return table.number(key, zero=True, most=most)

    return Late(value("grace_minutes", 1440), value("percent_per_day", 100), value("cutoff_days", 366))


def _attempts(table: Table, default: Attempts | None = None) -> Attempts:
    table.only("most", "counts")
    most = default.most if default and "most" not in table else table.integer("most")
    if default and "counts" not in table:
        return Attempts(most, default.counts)
    counts = table.text("counts")
    if counts not in tuple(Counts):
        raise table.place("counts").error(f"no way to count attempts: {counts!r}; {nearest(counts, Counts)}")
    return Attempts(most, Counts(counts))


def _feedback(parent: Table, default: Feedback) -> Feedback:
    """The [feedback] of a course or an assignment; what isn't there is as in ``default``."""
    if "feedback" not in parent:
        return default
    table = parent.table("feedback")
    table.only("visible", "points")
    found = Feedback(_when(table, "visible", default.visible), _when(table, "points", default.points))
    order = list(When)
    if order.index(found.points) < order.index(found.visible):
        later = "visible" if "visible" in table else "points"
        raise table.place(later).error(
            f"points {found.points} would show what visible checks said, which is to be {found.visible}; "
            f"write visible = {found.points.value!r} too"
        )
    return found


def _when(table: Table, key: str, default: When) -> When:
    if key not in table:
        return default
    said = table.text(key)
    if said not in tuple(When):
        raise table.place(key).error(f"no time to show {key}: {said!r}; {nearest(said, When)}")
    return When(said)
