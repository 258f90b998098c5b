"""Imports run one way: hub -> course, autograder; course -> the judge's public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("autograder", "course", "hub")


def imports(folder: str) -> Iterator[tuple[Path, str, str]]:
    """(file, module, name) of every import of one of our packages below a folder."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                yield from ((path, node.module or "", alias.name) for alias in node.names)


def ours(module: str) -> bool:
    return module.split(".")[0] in PACKAGES


def test_the_sandbox_imports_nothing_of_the_rest() -> None:
    for path, module, _ in imports("autograder/sandbox"):
        assert not ours(module) or module.startswith("autograder.sandbox"), f"{path} imports {module}"


def test_the_autograder_imports_neither_course_nor_hub() -> None:
    for path, module, _ in imports("autograder"):
        assert module.split(".")[0] not in ("course", "hub", "tests"), f"{path} imports {module}"


def test_course_takes_only_the_judges_public_names() -> None:
    for path, module, _ in imports("course"):
        allowed = module == "autograder.judge" or module.split(".")[0] == "course"
        assert not ours(module) or allowed, f"{path} imports {module}"


@pytest.mark.parametrize("room", ["judge", "speed", "repair", "gradebook"])
def test_lower_rooms_do_not_import_higher_ones(room: str) -> None:
    above = {
        "judge": ("repair", "gradebook", "batch", "nbgrader_plugin"),
        "speed": ("judge", "repair", "gradebook", "batch", "nbgrader_plugin"),
        "repair": ("gradebook", "batch", "nbgrader_plugin"),
        "gradebook": ("batch", "nbgrader_plugin"),
    }[room]
    for path, module, _ in imports(f"autograder/{room}"):
        parts = module.split(".")
        assert parts[0] != "autograder" or len(parts) < 2 or parts[1] not in above, f"{path} imports {module}"


def test_nothing_of_ours_pickles_or_trusts_shell() -> None:
    for folder in PACKAGES:
        for path, module, _ in imports(folder):
            assert module.split(".")[0] not in ("pickle", "cloudpickle", "dill", "shelve"), (
                f"{path}: {module}"
            )
