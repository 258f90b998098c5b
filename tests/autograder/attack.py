"""The hostile submissions of tests/attacks: one file each, read into an `Attack`.

Contract: a file's header is TOML in comments; its cells are the student's. A last cell marked
``# %% edit`` isn't the student's: it is ours, and runs here, to change the notebook's file as an attacker
would change it with an editor. It defines ``edit(notebook)``, which returns None (the notebook was changed
in place), the file's bytes, or a dict of file names and bytes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from tests.autograder.target import NAME, assignment

FOLDER = Path(__file__).parent.parent / "attacks"
FOUND = re.compile(r"FOUND: ?(.*)")  # what an attack prints of what it got
Assignment = Callable[[Mapping[str, str], tuple[str, ...], tuple[str, ...]], Any]
KINDS = ("forge", "read", "harm", "escape")
REQUIRED = frozenset({"kind", "goal", "trick", "mark"})
OPTIONAL = frozenset({"verdict", "leak", "silent", "refused", "ours_only", "stumbles", "ungrouped"})


@dataclass(frozen=True)
class Attack:
    """One hostile submission. ``before`` and ``after`` are cells around the questions' ``answers``.

    ``mark``: the points of 10 that it must get. ``verdict``: how it must end, where that matters.
    ``leak``: words that no student may read afterwards. ``silent``: it doesn't print what it FOUND.
    ``refused``: it must not be taken in, or be unreadable; the words that say so begin like this.
    ``stumbles``: a cell of it may end in a NameError and the like, which else says that it attacked nothing.
    ``ungrouped``: the verdict where no control group holds the box, if it is another one there.
    ``ours_only``: it aims at what the stock nbgrader doesn't have, and isn't tried there.
    """

    name: str
    kind: str
    mark: float
    goal: str
    trick: str
    verdict: str | None
    leak: str | None
    silent: bool
    refused: str | None
    ours_only: bool
    stumbles: bool
    ungrouped: str | None
    answers: Mapping[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    editing: str

    @property
    def must_report(self) -> bool:
        """Whether its cells print ``FOUND: […]``, which must be there and empty."""
        return self.kind in ("read", "escape") and not self.silent

    def files(self, made_by: Assignment = assignment) -> dict[str, bytes]:
        """The files that the attacker hands in, for the target or another assignment."""
        made = made_by(self.answers, self.before, self.after)
        edited = self._edit()(made) if self.editing else None
        if isinstance(edited, dict):
            return edited
        data = edited if isinstance(edited, bytes) else nbformat.writes(made).encode()
        return {f"{NAME}.ipynb": data}

    def _edit(self) -> Callable[[Any], Any]:
        space: dict[str, Any] = {}
        exec(compile(self.editing, f"{self.name}.py", "exec"), space)  # noqa: S102 - our own words
        edit: Callable[[Any], Any] = space["edit"]
        return edit


def read_attack(path: Path) -> Attack:
    """Parses an attack's header and cells. Raises ValueError for a header that isn't right."""
    head, *cells = re.split(r"^# %%", path.read_text(), flags=re.MULTILINE)
    header = tomllib.loads("\n".join(line.removeprefix("# ") for line in head.splitlines()))
    if not header.keys() >= REQUIRED or header.keys() - REQUIRED - OPTIONAL or header["kind"] not in KINDS:
        raise ValueError(f"{path.name}: the header needs {sorted(REQUIRED)} and may have {sorted(OPTIONAL)}")
    answers: dict[str, str] = {}
    before: list[str] = []
    after: list[str] = []
    editing = ""
    for cell in cells:
        first, _, body = cell.partition("\n")
        solved = re.fullmatch(r'\s*solve="([a-z]+)"\s*', first)
        if solved:
            answers[solved[1]] = body
        elif first.strip() == "edit":
            editing = body
        elif first.strip():
            raise ValueError(
                f'{path.name}: a cell is "# %%", "# %% solve=…" or "# %% edit", not "# %%{first}"'
            )
        else:
            (after if answers else before).append(body)
    return Attack(
        name=path.stem,
        kind=header["kind"],
        mark=header["mark"],
        goal=header["goal"],
        trick=header["trick"],
        verdict=header.get("verdict"),
        leak=header.get("leak"),
        silent=header.get("silent", False),
        refused=header.get("refused"),
        ours_only=header.get("ours_only", False),
        stumbles=header.get("stumbles", False),
        ungrouped=header.get("ungrouped"),
        answers=answers,
        before=tuple(before),
        after=tuple(after),
        editing=editing,
    )


def attacks(folder: Path = FOLDER) -> list[Attack]:
    """All of a folder's, by name."""
    return [read_attack(path) for path in sorted(folder.glob("*.py"))]
