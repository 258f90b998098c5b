"""Grading counts lateness from the due date that the exchange knows for each student."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.exchange.duedates import due_dates
from hub.exchange.exchange import Exchange
from hub.exchange.places import DATABASE_VARIABLE
from tests.hub.exchange.course import DUE, FIRST, SECOND, small_course


def test_without_an_exchange_the_courses_date_holds(tmp_path: Path) -> None:
    entry = small_course(tmp_path).entries[0]
    assert due_dates(tmp_path, entry)("ada") == DUE
    assert not (tmp_path / "exchange.db").exists()


def test_an_extension_moves_the_date_of_its_student_and_assignment(
    exchange: Exchange, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database is not None:
        monkeypatch.setenv(DATABASE_VARIABLE, database)
    later = DUE + timedelta(days=3)
    exchange.extend("ada", FIRST, later, by="alan")
    first, second = (due_dates(exchange.course_dir, entry) for entry in exchange.course.entries)
    assert (first("ada"), first("grace")) == (later, DUE)
    assert (exchange.course.entries[1].id, second("ada")) == (SECOND, DUE)
    exchange.end_extension("ada", FIRST)
    assert due_dates(exchange.course_dir, exchange.course.entries[0])("ada") == DUE
