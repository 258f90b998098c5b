"""The Python that runs in a box: this one, seen at the same path inside as outside.

Contract: `interpreter()` names the folders that have to be bound (none of them is the repository) and
the folders in which packages are found, so that the policy can take packages out of a box.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.errors import HostUnfit

SYSTEM = Path("/usr")  # bound whole in every box
_PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Interpreter:
    """``executable`` runs in the box; ``roots`` are the folders beside /usr that it needs there."""

    executable: str
    prefix: Path
    roots: tuple[Path, ...]
    package_folders: tuple[Path, ...]

    def __fspath__(self) -> str:
        return self.executable

    def homes_of(self, package: str) -> tuple[Path, ...]:
        """Every file and folder that an import of the package could be answered from.

        Raises ValueError for what is not the name of a top-level package.
        """
        if not _PACKAGE.fullmatch(package):
            raise ValueError(f"{package!r} is not the name of a package; write it as in `import {package}`")
        patterns = (package, f"{package}.py", f"{package}.*so", f"__pycache__/{package}.*.pyc")
        found = [home for folder in self.package_folders for one in patterns for home in folder.glob(one)]
        return tuple(dict.fromkeys(found))


def interpreter() -> Interpreter:
    """This process's own Python. Raises HostUnfit where binding it would bind the repository."""
    roots = _roots()
    for root in roots:
        _refuse_wide(root)
    return Interpreter(
        executable=sys.executable,
        prefix=Path(sys.prefix),
        roots=tuple(root for root in roots if not root.is_relative_to(SYSTEM)),
        package_folders=_package_folders(roots),
    )


def _roots() -> tuple[Path, ...]:
    """The prefixes, as named and as they really lie: links in a box must find what they point to."""
    named = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path(sys.base_exec_prefix)]
    real = [path.resolve() for path in named]
    binary = Path(sys.executable).resolve().parent.parent
    return tuple(dict.fromkeys((*named, *real, binary)))


def _refuse_wide(root: Path) -> None:
    """A root is bound whole, so it must be a Python installation and nothing more."""
    looks_right = (root / "pyvenv.cfg").exists() or any(root.glob("lib*/python3*"))
    if root == Path("/") or not looks_right:
        raise HostUnfit(f"{root} is not a Python installation to show to a box; use a virtual environment")
    here = Path(__file__).resolve()
    inside = here.is_relative_to(root.resolve()) and "site-packages" not in here.parts
    if inside and root != SYSTEM:
        raise HostUnfit(
            f"the virtual environment {root} contains the platform's own source, which students must not see;"
            " make the environment in a folder of its own, such as .venv"
        )


def _package_folders(roots: tuple[Path, ...]) -> tuple[Path, ...]:
    below = [folder for root in roots for folder in root.glob("lib*/python3*/*-packages")]
    # Debian keeps packages for its own Python here; a student may add the folder to sys.path.
    system = [*SYSTEM.glob("lib/python3*/*-packages"), *SYSTEM.glob("local/lib/python3*/*-packages")]
    folders = dict.fromkeys(folder.resolve() for folder in (*below, *system) if folder.is_dir())
    return tuple(folders)
