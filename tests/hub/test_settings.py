"""hub.toml is read strictly."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from autograder.errors import AuthorError, PlatformError
from hub.settings import HubSettings, LoginMethod, read_secrets, read_settings, write_settings

LEAST = 'course = "course.toml"\ncourse_dir = "work"\ninstructors = ["ines"]\n'


def written(folder: Path, text: str) -> Path:
    (folder / "hub.toml").write_text(text)
    return folder


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path, tmp_path / "course.toml", tmp_path / "work", ("ines", "omar"), port=8123)
    write_settings(settings)
    read = read_settings(tmp_path)
    assert (read.course, read.course_dir, read.instructors, read.port) == (
        settings.course,
        settings.course_dir,
        settings.instructors,
        8123,
    )
    assert read.login.method is LoginMethod.NATIVE
    assert read.servers.limits == {"memory_mb": 2048, "processes": 256}
    assert read.url == "http://127.0.0.1:8123/"


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    assert read_settings(written(tmp_path, LEAST)).course == tmp_path / "course.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST + "prot = 8000\n", "did you mean 'port'"),
        (LEAST + "port = 0\n", "port"),
        (LEAST.replace('"ines"', '"Ines Ü"'), "user names"),
        (LEAST + '[login]\nmethod = "ldap"\n', "'native' or 'file'"),
        (LEAST + '[login]\nmethod = "file"\n', "needs config"),
        (LEAST + '[login]\nmethod = "native"\nconfig = "x.py"\n', "no file"),
        (LEAST + "[server]\nmemory_mb = -1\n", "memory_mb"),
        (LEAST + "[server]\nmemory = 10\n", "did you mean 'memory_mb'"),
        (LEAST + '[storage]\nexchange_file = "x"\n', "did you mean 'exchange_files'"),
        (LEAST + 'public_url = "hub.example.org"\n', "ends in '/'"),
        ("course = ", "not TOML"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AuthorError) as raised:
        read_settings(written(tmp_path, text))
    assert str(raised.value).startswith(f"{tmp_path / 'hub.toml'}:")
    assert said in str(raised.value)


def test_a_folder_without_a_hub_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="mlsys up"):
        read_settings(tmp_path)


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    first = read_secrets(tmp_path)
    assert read_secrets(tmp_path) == first
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    with pytest.raises(PlatformError, match="damaged"):
        read_secrets(tmp_path)
