"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.files import lay_beside, write_whole


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path, durable: bool) -> None:
    place = tmp_path / "grades.csv"
    for data, mode in ((b"first", 0o600), (b"second", 0o444)):
        write_whole(place, data, mode=mode, durable=durable)
        assert (place.read_bytes(), place.stat().st_mode & 0o777) == (data, mode)
    assert [each.name for each in tmp_path.iterdir()] == ["grades.csv"]


def test_what_can_not_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    (place / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_whole(place, b"data")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "file", b"data")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_file_is_laid_beside_its_place_first(tmp_path: Path) -> None:
    incoming = lay_beside(tmp_path / "page.html", b"data")
    assert incoming.parent == tmp_path and incoming.name.startswith(".")
    assert not (tmp_path / "page.html").exists() and incoming.read_bytes() == b"data"
