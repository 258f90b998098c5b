"""Users' homes: whose they are, and whose they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import PlatformError
from autograder.sandbox.policy import can_change_uid
from hub.spawner.homes import FIRST_UID, LAST_UID, free_uid, home_of


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../ada", "a/b", "/etc", "a b", "ada\n", "x" * 65, "-ada", "ä"]
)
def test_a_name_that_is_no_folder_gets_no_home(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlatformError):
        home_of(tmp_path / "homes", name, own_uid=False)
    assert not (tmp_path / "homes").exists()


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = home_of(tmp_path / "homes", "ada", own_uid=False)
    assert home.stat().st_mode & 0o777 == 0o700
    assert home_of(tmp_path / "homes", "ada", own_uid=False) == home


@pytest.mark.skipif(not can_change_uid(), reason="needs a root that has uids to give")
def test_each_user_has_a_uid_and_roles_change_whose_files_they_are(tmp_path: Path) -> None:
    homes = tmp_path / "homes"
    owners = [home_of(homes, name, own_uid=True).stat().st_uid for name in ("ada", "ben", "cleo")]
    assert owners == [FIRST_UID, FIRST_UID + 1, FIRST_UID + 2]
    (homes / "ben" / "folder").mkdir()
    (homes / "ben" / "folder" / "work").touch()
    (homes / "ben" / "link").symlink_to("/etc/passwd")
    before = Path("/etc/passwd").stat().st_uid
    home_of(homes, "ben", own_uid=True, uid=0)
    assert {path.lstat().st_uid for path in (homes / "ben").rglob("*")} == {0}
    assert (homes / "ben").stat().st_uid == 0
    home_of(homes, "ben", own_uid=True)
    assert FIRST_UID <= (homes / "ben").stat().st_uid <= LAST_UID
    assert {path.lstat().st_uid for path in (homes / "ben").rglob("*")} == {(homes / "ben").stat().st_uid}
    assert Path("/etc/passwd").stat().st_uid == before


@pytest.mark.skipif(not can_change_uid(), reason="needs a root that has uids to give")
def test_when_all_uids_are_taken_they_are_shared(tmp_path: Path) -> None:
    assert FIRST_UID <= free_uid(tmp_path) <= LAST_UID
