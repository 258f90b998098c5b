"""The Python that runs in a box: this one, seen at the same path inside as outside.

Contract: `interpreter()` names the folders that have to be bound (none of them is the repository) and
the folders in which packages are found, so that the policy can take packages out of a box.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.errors import HostUnfit

_SYSTEM_PREFIXES = (Path("/usr"), Path("/usr/local"))
# What of /usr a box sees. Not all of it: people keep sources and courses in /usr/src and /usr/local.
SYSTEM_FOLDERS = tuple(
    prefix / name
    for prefix in _SYSTEM_PREFIXES
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "include", "share")
)
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
    return _found(sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)


@functools.lru_cache(maxsize=8)
def _found(executable: str, *named: str) -> Interpreter:
    """What is installed later is seen by the next process."""
    prefixes = _prefixes(executable, named)
    roots = tuple(prefix for prefix in prefixes if not _is_system(prefix))
    for root in roots:
        _refuse_wide(root)
    for shown in (*roots, *SYSTEM_FOLDERS):
        _refuse_the_platform(shown)
    return Interpreter(
        executable=executable,
        prefix=Path(named[0]),
        roots=roots,
        package_folders=_package_folders(prefixes),
    )


def _prefixes(executable: str, named: Sequence[str]) -> tuple[Path, ...]:
    """The prefixes, as named and as they really lie: links in a box must find what they point to."""
    paths = [Path(each) for each in named]
    real = [path.resolve() for path in paths]
    binary = Path(executable).resolve().parent.parent
    return tuple(dict.fromkeys((*paths, *real, binary)))


def _is_system(prefix: Path) -> bool:
    return prefix in _SYSTEM_PREFIXES or any(prefix.is_relative_to(folder) for folder in SYSTEM_FOLDERS)


def _refuse_wide(root: Path) -> None:
    """A root is bound whole, so it must be a Python installation and nothing more."""
    looks_right = (root / "pyvenv.cfg").exists() or any(root.glob("lib*/python3*"))
    if root == Path("/") or not looks_right:
        raise HostUnfit(f"{root} is not a Python installation to show to a box; use a virtual environment")


def _refuse_the_platform(shown: Path) -> None:
    here = Path(__file__).resolve()
    # Installed as a package, the platform is hidden from the box like any other package.
    if here.is_relative_to(shown.resolve()) and not {"site-packages", "dist-packages"} & set(here.parts):
        raise HostUnfit(
            f"students' boxes see {shown}, and the platform's own source lies in it: keep the virtual"
            " environment in a folder of its own, such as .venv, and the source outside /usr"
        )


def _package_folders(prefixes: tuple[Path, ...]) -> tuple[Path, ...]:
    # The system's too: a student may add them to sys.path. Debian has python3 beside python3.11.
    everywhere = dict.fromkeys((*prefixes, *_SYSTEM_PREFIXES))
    found = [folder for prefix in everywhere for folder in prefix.glob("lib*/python3*/*-packages")]
    return tuple(dict.fromkeys(folder.resolve() for folder in found if folder.is_dir()))
