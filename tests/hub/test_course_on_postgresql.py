"""The whole way of a submission with the gradebook and the exchange in PostgreSQL, by the commands."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from course.gradebook import VARIABLE
from hub.exchange.places import DATABASE_VARIABLE as EXCHANGE
from tests.hub.command import mlsys
from tests.postgres import Postgres

pytestmark = pytest.mark.slow
ASSIGNMENT = "12-benchmarking"


def test_release_submit_grade_return_and_export(postgres: Postgres, tmp_path: Path) -> None:
    names = [postgres.create() for _ in range(2)]
    settings = {
        "MLSYS_COURSE_DIR": str(tmp_path / "course"),
        VARIABLE: postgres.url(names[0]),
        EXCHANGE: postgres.url(names[1]),
    }
    released = tmp_path / "course" / "release" / ASSIGNMENT
    for words in (
        ("release", ASSIGNMENT),
        ("hand-out", ASSIGNMENT),
        ("submit", ASSIGNMENT, str(released), "--student", "ama"),
        ("collect", ASSIGNMENT),
        ("autograde", ASSIGNMENT),
        ("feedback", ASSIGNMENT),
        ("export", "--output", str(tmp_path / "exports")),
    ):
        done = mlsys(*words, timeout=600, **settings)
        assert done.returncode == 0, f"{words}: {done.stderr}"
    with (tmp_path / "exports" / "mlsys-grades.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            (row["student"], row["assignment"], row["state"], row["points"]) for row in csv.DictReader(file)
        ]
    assert rows == [("ama", ASSIGNMENT, "graded", "0")]
    assert not list((tmp_path / "course").glob("*.db"))
    for name in names:
        postgres.drop(name)
