"""Chooses, for each notebook of an assignment, the submitted file that is it, and repairs it.

Contract: a file is used for one notebook at most. The name decides; then the grade_ids; then
the cells' texts. One file that can't be read never spoils another notebook.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from nbformat.notebooknode import NotebookNode

from autograder.errors import SubmissionError
from autograder.repair import repairs as said
from autograder.repair.reading import SubmittedNotebook, read_notebook
from autograder.repair.rebuilding import Repaired, repair
from autograder.repair.source import SourceCell, normal, read_source

SUFFIX = ".ipynb"
COPY = re.compile(r"[\s_-]*(?:\(\d+\)|-?copy\d*|-?kopie\d*)$", re.IGNORECASE)


def repair_submission(
    sources: Mapping[str, NotebookNode], files: Mapping[str, bytes]
) -> dict[str, Repaired | SubmissionError]:
    """Repairs all notebooks of a submission.

    ``sources``: notebook name without ".ipynb" -> source notebook. ``files``: file name -> bytes;
    files that are no notebooks by name are left alone. Returns for each source notebook the
    repaired one, or the error that says why there is none. Never raises SubmissionError.
    """
    read = {name: _read(name, data) for name, data in files.items() if name.lower().endswith(SUFFIX)}
    chosen = _choose(sources, read)
    return {name: _repair(name, sources[name], chosen.get(name), read) for name in sources}


def _read(name: str, data: bytes) -> SubmittedNotebook | SubmissionError:
    try:
        return read_notebook(data, name)
    except SubmissionError as error:
        return error


def _repair(
    name: str, source: NotebookNode, file: str | None, read: Mapping[str, SubmittedNotebook | SubmissionError]
) -> Repaired | SubmissionError:
    if file is None:
        there = ", ".join(sorted(read)[:5]) or "no notebook"
        return SubmissionError(
            f"{name}{SUFFIX} is not in the submission (it has {there}): submit it under that name."
        )
    submitted = read[file]
    if isinstance(submitted, SubmissionError):
        return submitted
    repaired = repair(source, submitted, name=file)
    if file == name + SUFFIX:
        return repaired
    return dataclasses.replace(repaired, repairs=(said.renamed(file, name + SUFFIX), *repaired.repairs))


def _choose(
    sources: Mapping[str, NotebookNode], read: Mapping[str, SubmittedNotebook | SubmissionError]
) -> dict[str, str]:
    chosen = {name: name + SUFFIX for name in sources if name + SUFFIX in read}
    wanted = {name: read_source(source) for name, source in sources.items()}
    scores = [
        (_likeness(name, wanted[name], file, read[file]), name, file)
        for name in sources
        for file in read
        if name not in chosen and file not in chosen.values()
    ]
    for score, name, file in sorted(scores, key=lambda each: (tuple(-part for part in each[0]), each[1:])):
        if any(score) and name not in chosen and file not in chosen.values():
            chosen[name] = file
    return chosen


def _likeness(
    name: str, wanted: tuple[SourceCell, ...], file: str, read: SubmittedNotebook | SubmissionError
) -> tuple[int, int, int]:
    """How much a file is a notebook: by grade_ids, by texts, by its name without "(1)" and "-Copy1"."""
    stem = COPY.sub("", file[: -len(SUFFIX)]).strip()
    named = int(stem.casefold() == name.casefold())
    if isinstance(read, SubmissionError):
        return (0, 0, named)
    ids = {each.grade_id for each in wanted if each.grade_id}
    texts = {each.released for each in wanted if each.released}
    cells = read.cells
    return (
        len(ids & {cell.grade_id for cell in cells}),
        len(texts & {normal(cell.text) for cell in cells}),
        named,
    )
