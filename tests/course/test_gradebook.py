"""Which database holds the gradebook: a variable, a file, or the course directory's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.judge import PlatformError
from course.build import CONFIG_MARK
from course.gradebook import FILE, VARIABLE, gradebook_has, gradebook_url
from course.release import release
from tests.course.sample import Sample


def test_the_course_directory_has_its_own_gradebook(tmp_path: Path) -> None:
    assert gradebook_url(tmp_path, {}) == f"sqlite:///{tmp_path}/gradebook.db"


def test_a_file_names_another_and_the_variable_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("postgresql://ada:s%40crt@db/course\n")
    assert gradebook_url(tmp_path, {VARIABLE: " "}) == "postgresql+psycopg://ada:s%40crt@db/course"
    assert gradebook_url(tmp_path, {VARIABLE: "postgresql://x/y"}) == "postgresql+psycopg://x/y"


@pytest.mark.parametrize(
    "url", ["", "gradebook.db", "mysql://ada:secret@db/x", "sqlite:///relative.db", "sqlite://"]
)
def test_a_setting_that_can_not_be_used_is_an_error(tmp_path: Path, url: str) -> None:
    (tmp_path / FILE).write_text(url)
    with pytest.raises(PlatformError, match=FILE) as caught:
        gradebook_url(tmp_path, {})
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_release_goes_into_postgresql(
    sample: Sample, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    course_dir = tmp_path / "course"
    monkeypatch.setenv(VARIABLE, postgres_url)
    assert [each.changed for each in release(sample.course, course_dir)] == [True]
    assert gradebook_has(postgres_url, "01-relu")
    assert [each.changed for each in release(sample.course, course_dir)] == [False]
    assert not (course_dir / "gradebook.db").exists()
    assert (course_dir / "nbgrader_config.py").read_text().startswith(CONFIG_MARK)
    monkeypatch.delenv(VARIABLE)
    assert [each.changed for each in release(sample.course, course_dir)] == [True]
    assert gradebook_has(gradebook_url(course_dir), "01-relu")
