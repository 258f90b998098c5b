"""The private server gives each test a database of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text


@pytest.mark.parametrize("turn", [1, 2])
def test_a_database_is_empty_and_can_be_written(postgres_url: str, turn: int) -> None:
    engine = create_engine(postgres_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE seen (turn integer)"))
            connection.execute(text("INSERT INTO seen VALUES (:turn)"), {"turn": turn})
            assert connection.execute(text("SELECT turn FROM seen")).scalars().all() == [turn]
    finally:
        engine.dispose()
