"""Several writers wait for each other, whichever database it is; no password is ever told."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest
from nbgrader.api import Gradebook as NbgraderGradebook
from sqlalchemy import make_url

from autograder.errors import PlatformError
from autograder.gradebook import Attempt, Gradebook
from course.gradebook import gradebook_url
from tests.autograder.gradebook.gradings import grading, open_gradebook, result

WRITERS = 6


def at_once(work: Callable[[int], Attempt], count: int) -> list[Attempt]:
    """What so many threads return that start together."""
    start = threading.Barrier(count)

    def run(turn: int) -> Attempt:
        start.wait(timeout=60)
        return work(turn)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_writers_wait_for_each_other(course: Path) -> None:
    def write(turn: int) -> Attempt:
        with open_gradebook(course) as book:  # the first of them makes our tables
            return book.record_attempt(grading(result(), minutes=turn))

    kept = at_once(write, WRITERS)
    assert sorted(each.number for each in kept) == list(range(1, WRITERS + 1))
    with open_gradebook(course) as book:
        newest = max(each.submitted for each in book.attempts())
        assert [each.submitted for each in book.attempts() if each.counts] == [newest]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_who_opens_a_gradebook_waits_for_who_writes(mode: str, course: Path) -> None:
    """nbgrader makes it with a journal, ours is a write-ahead log: the first to open it changes that."""
    url = make_url(gradebook_url(course))
    if url.get_backend_name() != "sqlite":
        pytest.skip("PostgreSQL has no journal modes")
    with closing(sqlite3.connect(url.database or "")) as other, ThreadPoolExecutor(1) as pool:
        assert other.execute(f"PRAGMA journal_mode={mode}").fetchone() == (mode,)
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(lambda: open_gradebook(course).close())
        assert wait([opening], timeout=0.5).not_done
        other.rollback()
        opening.result(timeout=60)


def test_the_formgrader_waits_for_a_grading(course: Path) -> None:
    def mark() -> None:
        with NbgraderGradebook(gradebook_url(course)) as theirs:
            theirs.find_grade("why", "layers", "layers", "ada").manual_score = 2.0
            theirs.db.commit()

    with open_gradebook(course) as book, ThreadPoolExecutor(1) as pool:
        book.record_attempt(grading(result()))
        with book.database.writing():
            waiting = pool.submit(mark)
        waiting.result(timeout=60)
        book.record_attempt(grading(result(), minutes=1))
    with NbgraderGradebook(gradebook_url(course)) as theirs:
        assert theirs.find_grade("why", "layers", "layers", "ada").manual_score == 2.0


def test_a_look_does_not_change_while_others_write(course: Path) -> None:
    with open_gradebook(course) as book, open_gradebook(course) as other:
        with book.database.reading() as session:
            names = session.connection().exec_driver_sql("SELECT count(*) FROM mlsys_attempt")
            assert names.scalar_one() == 0
            other.record_attempt(grading(result()))
            names = session.connection().exec_driver_sql("SELECT count(*) FROM mlsys_attempt")
            assert names.scalar_one() == 0
        assert len(book.attempts()) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/course?connect_timeout=2", "ada:\\*\\*\\*@127.0.0.1"),
        ("mysql://ada:secret@127.0.0.1/course", "SQLite and PostgreSQL are known"),
        ("nonsense with a secret", "URL is none"),
    ],
)
def test_a_gradebook_that_can_not_be_opened_says_so_without_its_password(
    url: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(PlatformError, match=words) as caught:
        Gradebook(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_database_of_another_kind_is_not_written_into(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="mlsys release"):
        Gradebook(postgres_url, tmp_path)
    (tmp_path / "gradebook.db").touch()
    with pytest.raises(PlatformError, match="mlsys release"):
        open_gradebook(tmp_path)
    with sqlite3.connect(tmp_path / "gradebook.db") as plain:
        assert plain.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    plain.close()
