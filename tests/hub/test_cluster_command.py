"""mlsys cluster certificates: made once, complete or not at all."""

from __future__ import annotations

from pathlib import Path

from tests.hub.command import mlsys


def test_certificates_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "grading"
    first = mlsys("cluster", "certificates", folder)
    assert (first.returncode, first.stdout.strip()) == (0, str(folder))
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == {f"{name}.{kind}" for name in ("ca", "server", "client") for kind in ("pem", "key")}
    assert mlsys("cluster", "certificates", folder).returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made
    (folder / "server.key").unlink()
    again = mlsys("cluster", "certificates", folder)
    assert again.returncode == 2 and "lacks server.key" in " ".join(again.stderr.split())
