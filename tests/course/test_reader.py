from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from autograder.judge import AuthorError, Settings
from autograder.sandbox import Limits as BoxLimits
from course.compose import compose_source
from course.reader import read_course
from course.records import Attempts, Counts, Feedback, Limits, When
from tests.course.sample import COURSE, Sample


def refused(sample: Sample, line: int, *words: str) -> None:
    with pytest.raises(AuthorError) as caught:
        assert sample.course
    sample.says(str(caught.value), COURSE, line, *words)


def test_reads_a_course(sample: Sample) -> None:
    course = sample.course
    assert (course.id, course.title) == ("tiny", "A Tiny Course")
    assert [chapter.id for chapter in course.chapters] == ["dl-primer", "dnn-architectures"]
    entry = course.entries[0]
    assert entry.chapter.part == "Foundations"
    assert entry.release.astimezone(UTC) == datetime(2027, 2, 1, 8, tzinfo=UTC)
    assert entry.attempts == Attempts(3, Counts.LAST)


def test_the_course_itself_follows_the_book() -> None:
    course = read_course()
    assert [part.title for part in course.parts] == [
        "Foundations", "Design", "Performance", "Deployment", "Trust", "Frontiers",
    ]  # fmt: skip
    assert [entry.id for entry in course.entries] == ["07-autograd", "10-quantization", "12-benchmarking"]
    assert all(f"{course.chapters.index(entry.chapter) + 1:02}" == entry.id[:2] for entry in course.entries)


def test_limits_are_those_of_the_box_and_the_check_time(sample: Sample) -> None:
    own = {field.name for field in fields(Limits)}
    assert own == {field.name for field in fields(BoxLimits)} | {"check_seconds"}
    settings = Settings.of_source(compose_source(sample.assignment))
    assert (settings.limits.cell_seconds, settings.limits.memory_mb, settings.check_seconds) == (4, 512, 5)


UNKNOWN = [
    ("title =", "titel =", "did you mean 'title'"),
    ("[limits]", "[limit]", "did you mean 'limits'"),
    ("memory_mb", "memory_md", "did you mean 'memory_mb'"),
    ("solutions =", "solution =", "did you mean 'solutions'"),
    ("grace_minutes", "grace_minute", "did you mean 'grace_minutes'"),
    ("most =", "max =", "counts, most"),
    ("weight =", "wieght =", "did you mean 'weight'"),
]


@pytest.mark.parametrize(("old", "new", "hint"), UNKNOWN)
def test_an_unknown_key_is_named_with_the_nearest_right_one(
    sample: Sample, old: str, new: str, hint: str
) -> None:
    refused(sample, sample.edit(COURSE, old, new), "unknown key", hint)


WRONG = [
    ('title = "A Tiny Course"', "title = 3", "'title' must be text"),
    ('title = "A Tiny Course"', 'title = " "', "'title' must be text"),
    ('timezone = "Europe/Berlin"', 'timezone = "Europe/Berln"', "did you mean 'Europe/Berlin'"),
    ('timezone = "Europe/Berlin"', 'timezone = "../etc/passwd"', "unknown time zone"),
    ('solutions = "../solutions"', 'solutions = "../nowhere"', "no folder"),
    ("memory_mb = 512", "memory_mb = 0", "whole number of at least 1"),
    ("memory_mb = 512", "memory_mb = 0.5", "whole number of at least 1"),
    ("cell_seconds = 10", "cell_seconds = 0", "above zero"),
    ("cell_seconds = 10", "cell_seconds = -3", "above zero"),
    ("cell_seconds = 10", "cell_seconds = nan", "above zero"),
    ("cell_seconds = 10", "cell_seconds = inf", "above zero"),
    ("cell_seconds = 10", "cell_seconds = true", "above zero"),
    ("percent_per_day = 10", "percent_per_day = 101", "at most 100"),
    ('counts = "last"', 'counts = "lats"', "did you mean 'last'"),
    ("most = 3", "most = 0", "at least 1"),
    ('chapter = "dl-primer"', 'chapter = "dl-primr"', "did you mean 'dl-primer'"),
    ("weight = 1", "weight = 0", "above zero"),
    ('id = "01-relu"', 'id = "../relu"', "a folder's name"),
    ("due = 2027-02-15T18:00:00", "due = 2027-02-01T09:00:00", "isn't after release"),
    ("due = 2027-02-15T18:00:00", "due = 2027-02-01T07:59:59Z", "isn't after release"),
    ("due = 2027-02-15T18:00:00", "due = 2027-02-15", "time of day"),
    ("due = 2027-02-15T18:00:00", 'due = "2027-02-15T18:00:00"', "without quotes"),
    ("due = 2027-02-15T18:00:00", "due = 2027-02-30T18:00:00", "not TOML"),
    ("due = 2027-02-15T18:00:00", "due = 2027-03-28T02:30:00", "doesn't exist"),
    ("due = 2027-02-15T18:00:00", "due = 2027-10-31T02:30:00", "comes twice"),
    ('id = "dnn-architectures"', 'id = "dl-primer"', "stands in line 32 already"),
    ('id = "dnn-architectures"', 'id = "DNN"', "a-z and 0-9"),
]


@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_a_wrong_value_is_named_with_its_line(sample: Sample, old: str, new: str, words: str) -> None:
    refused(sample, sample.edit(COURSE, old, new), words)


@pytest.mark.parametrize("key", [field.name for field in fields(Limits)])
def test_no_limit_may_be_missing(sample: Sample, key: str) -> None:
    text = (sample.root / COURSE).read_text()
    sample.write(COURSE, "".join(line for line in text.splitlines(True) if not line.startswith(key)))
    refused(sample, text[: text.index("[limits]")].count("\n") + 1, f"{key!r} is missing in [limits]")


@pytest.mark.parametrize("key", ["chapter", "weight", "release", "due"])
def test_no_key_of_an_assignment_may_be_missing(sample: Sample, key: str) -> None:
    text = (sample.root / COURSE).read_text()
    head, rows = text.split("[[assignments]]")
    rows = "".join(line for line in rows.splitlines(True) if not line.startswith(key))
    sample.write(COURSE, f"{head}[[assignments]]{rows}")
    refused(sample, head.count("\n") + 1, f"{key!r} is missing in [[assignments]]")


def test_an_assignment_stands_once(sample: Sample) -> None:
    text = (sample.root / COURSE).read_text()
    head, rows = text.split("[[assignments]]")
    sample.write(COURSE, f"{head}[[assignments]]{rows}\n[[assignments]]{rows}")
    twice = (sample.root / COURSE).read_text()
    line = twice[: twice.rindex('id = "01-relu"')].count("\n") + 1
    refused(sample, line, "'01-relu' stands in line")


def test_an_assignment_may_have_its_own_policies(sample: Sample) -> None:
    sample.edit(COURSE, "weight = 1", "late = { percent_per_day = 0 }\nattempts = { most = 1 }\nweight = 1")
    course = sample.course
    entry = course.entries[0]
    assert entry.attempts == Attempts(1, Counts.LAST)
    assert entry.late == replace(entry.late, grace_minutes=15, percent_per_day=0, cutoff_days=5)


def test_feedback_waits_for_the_instructor_unless_the_course_says_otherwise(sample: Sample) -> None:
    assert sample.course.entries[0].feedback == Feedback(When.AT_ONCE, When.RETURNED)
    sample.edit(COURSE, "[[assignments]]", '[feedback]\npoints = "after-due"\n\n[[assignments]]')
    assert sample.course.entries[0].feedback == Feedback(When.AT_ONCE, When.AFTER_DUE)
    sample.edit(COURSE, "weight = 1", 'feedback = { points = "at-once" }\nweight = 1')
    assert sample.course.entries[0].feedback == Feedback(When.AT_ONCE, When.AT_ONCE)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[feedback]\nhidden = "at-once"', 1, "unknown key 'hidden'"),
        ('[feedback]\nvisible = "at once"', 1, "did you mean 'at-once'?"),
        ('[feedback]\npoints = "never"', 1, "no time to show points: 'never'"),
        ("[feedback]\npoints = 1", 1, "'points' must be text"),
        ('[feedback]\nvisible = "returned"\npoints = "after-due"', 1, "write visible = 'after-due' too"),
    ],
)
def test_a_rule_of_feedback_that_is_none_is_refused(sample: Sample, text: str, line: int, words: str) -> None:
    begin = sample.edit(COURSE, "[[assignments]]", f"{text}\n\n[[assignments]]")
    refused(sample, begin + line, words)


def test_a_time_with_an_offset_keeps_it(sample: Sample) -> None:
    sample.edit(COURSE, "due = 2027-02-15T18:00:00", "due = 2027-10-31T02:30:00+01:00")
    assert sample.course.entries[0].due.astimezone(UTC) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_a_syntax_error_is_named_with_its_line(sample: Sample) -> None:
    refused(sample, sample.edit(COURSE, "title = ", "title "), "not TOML")


def test_an_unfinished_file_is_named_at_its_end(sample: Sample) -> None:
    sample.write(COURSE, 'id = "tiny"\ntitle = """unfinished\n\n')
    refused(sample, 4, "not TOML")


def test_a_missing_file_is_named(sample: Sample) -> None:
    with pytest.raises(AuthorError, match="no such file"):
        read_course(sample.root / "course.toml")


def test_a_file_in_another_encoding_is_named_with_the_line(sample: Sample) -> None:
    sample.write(COURSE, b'id = "tiny"\ntitle = "caf\xe9"\n')
    refused(sample, 2, "UTF-8")
