"""The board of a grading server: what was told is read, and what is only true while it lives is not believed
after it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.gradebook import Receipt
from autograder.judge import Verdict
from hub.board import Board, Notice
from hub.checks.report import CellReport, CheckReport, QuestionReport, Report

NOW = datetime(2027, 2, 20, 12, tzinfo=UTC)
RECEIPT = Receipt("ada", "layers", NOW, "a" * 64, (), (), ".")
texts = st.text(max_size=40)
checks = st.builds(
    CheckReport,
    texts,
    texts,
    st.floats(0, 9),
    st.none() | st.sampled_from(Verdict),
    texts,
    texts,
    st.just(0.5),
)
reports = st.builds(
    Report,
    assignment=texts,
    title=texts,
    notebook=texts,
    questions=st.lists(
        st.builds(QuestionReport, texts, texts, st.floats(0, 9), st.lists(checks, max_size=3).map(tuple)),
        max_size=3,
    ).map(tuple),
    cells=st.lists(st.builds(CellReport, texts, texts, texts, texts), max_size=3).map(tuple),
    repairs=st.lists(texts, max_size=2).map(tuple),
    problem=texts,
    fault=st.booleans(),
)


@given(told=st.lists(reports, max_size=2).map(tuple))
def test_what_was_told_is_read(tmp_path_factory: pytest.TempPathFactory, told: tuple[Report, ...]) -> None:
    board = Board(tmp_path_factory.getbasetemp() / "board")
    with board.held():
        board.tell(RECEIPT, told)
        assert board.notice("ada", "layers") == Notice("a" * 64, NOW, told, live=True)
    assert board.notice("ada", "layers") == Notice("a" * 64, NOW, told, live=False)


def test_there_is_one_notice_the_newest(tmp_path: Path) -> None:
    board = Board(tmp_path)
    before = board.stamp("ada", "layers")
    board.tell(RECEIPT)
    board.tell(Receipt("ada", "layers", NOW, "b" * 64, (), (), "."))
    found = board.notice("ada", "layers")
    assert found is not None and found.sha256 == "b" * 64
    assert board.notice("bob", "layers") is None
    assert board.stamp("ada", "layers") != before
    assert [path.name for path in board.file("ada", "layers").parent.iterdir()] == ["ada.json"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "sha256": "a", "received": 3, "reports": []}'],
)
def test_what_is_no_notice_is_none(tmp_path: Path, data: bytes) -> None:
    board = Board(tmp_path)
    board.tell(RECEIPT)
    board.file("ada", "layers").write_bytes(data)
    assert board.notice("ada", "layers") is None


def test_a_server_that_was_killed_lives_no_more(tmp_path: Path) -> None:
    board = Board(tmp_path)
    assert not board.live
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with board.held():
            os.write(told, b".")
            signal.pause()
        os._exit(0)
    os.read(ready, 1)
    assert board.live
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not board.live
    os.close(ready)
    os.close(told)


def test_who_looks_whether_a_server_lives_is_none(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with board.held():
        pass
    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(lambda _: board.live, range(5000)))


def test_a_notice_that_can_not_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".mlsys").touch()
    Board(tmp_path).tell(RECEIPT)
    assert Board(tmp_path).notice("ada", "layers") is None
