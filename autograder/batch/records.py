"""A submission's way to a worker elsewhere and back, as bytes.

Contract: what a worker sends back is read as strictly as if it weren't ours: a record that isn't one is a
PlatformError. Notebooks aren't sent back but rebuilt here, from the same submission and the same source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import nbformat

from autograder.batch.bench import Files, Sources
from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook import GradedNotebook
from autograder.judge import CellResult, CheckResult, NotebookResult, RaceResult, Usage, Verdict
from autograder.repair import repair_submission

MOST_RECORD = 64 << 20


def bundle_bytes(sources: Sources) -> bytes:
    """An assignment's source notebooks, hidden tests and all."""
    return json.dumps({name: nbformat.writes(source) for name, source in sources.items()}).encode()


def read_bundle(bundle: bytes) -> Sources:
    return {name: nbformat.reads(text, as_version=4) for name, text in json.loads(bundle).items()}


def result_bytes(notebooks: tuple[GradedNotebook, ...]) -> bytes:
    """The judgements of a submission's notebooks."""
    return json.dumps({"notebooks": judgements(notebooks)}).encode()


def fault_bytes(words: str) -> bytes:
    """Of a submission that couldn't be judged there."""
    return json.dumps({"fault": words}).encode()


def read_result(text: bytes, sources: Sources, files: Files) -> tuple[GradedNotebook, ...]:
    """Raises PlatformError for a fault, and for what is no result of these notebooks."""
    try:
        if len(text) > MOST_RECORD:
            raise ValueError(f"{len(text)} bytes")
        said = json.loads(text)
        if "fault" in said:
            raise PlatformError(str(said["fault"])[:2000])
        results = read_judgements(said["notebooks"], sources)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlatformError(
            f"a worker sent no result ({error}); is the same version installed there?"
        ) from error
    return rebuilt(sources, files, results)


def judgements(notebooks: Sequence[GradedNotebook]) -> dict[str, dict[str, Any] | None]:
    """The judgements of a submission's notebooks as plain data, by name; None for what couldn't be read."""
    return {each.name: _result(each) for each in notebooks}


def read_judgements(found: Mapping[str, Any], sources: Sources) -> dict[str, NotebookResult | None]:
    """What ``judgements`` gave. Raises ValueError, TypeError, KeyError or AttributeError for any other."""
    if found.keys() != sources.keys():
        raise ValueError("other notebooks")
    return {name: None if one is None else _notebook_result(one) for name, one in found.items()}


def rebuilt(
    sources: Sources, files: Files, results: Mapping[str, NotebookResult | None]
) -> tuple[GradedNotebook, ...]:
    """The judged notebooks, from the submission and its judgements. Raises PlatformError."""
    notebooks = []
    for name, one in repair_submission(sources, files).items():
        unreadable = isinstance(one, SubmissionError)
        if unreadable != (results[name] is None):
            raise PlatformError(f"{name}: a worker read it otherwise; is the same version installed there?")
        if isinstance(one, SubmissionError):
            notebooks.append(GradedNotebook(name, sources[name], problem=str(one)))
        else:
            notebooks.append(GradedNotebook(name, sources[name], repaired=one, result=results[name]))
    return tuple(notebooks)


def _result(notebook: GradedNotebook) -> dict[str, Any] | None:
    return None if notebook.result is None else asdict(notebook.result)


def _notebook_result(sent: Mapping[str, Any]) -> NotebookResult:
    return NotebookResult(
        checks=tuple(_check_result(each) for each in sent["checks"]),
        cells=tuple(
            CellResult(int(each["index"]), Verdict(each["status"]), tuple(each["outputs"]))
            for each in sent["cells"]
        ),
        usage=Usage(**sent["usage"]),
    )


def _check_result(sent: Mapping[str, Any]) -> CheckResult:
    race = sent["race"]
    known = {**sent, "verdict": Verdict(sent["verdict"])}
    return CheckResult(**{**known, "race": None if race is None else RaceResult.from_plain(race)})
