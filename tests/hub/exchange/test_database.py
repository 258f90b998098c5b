"""The exchange's database file, before anything is in it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

from hub.exchange.database import Database


def test_who_opens_it_first_waits_for_who_writes(tmp_path: Path) -> None:
    """The file has a journal until the first to open it changes that, and another may be at it just then."""
    file = tmp_path / "exchange.db"
    with closing(sqlite3.connect(file)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(lambda: Database(f"sqlite:///{file}").close())
        assert wait([opening], timeout=0.5).not_done
        other.rollback()
        opening.result(timeout=60)
