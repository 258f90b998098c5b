"""Where submissions are judged: this process's own court, or workers elsewhere that have one each.

Contract: a bench takes a submission's bytes and gives back its notebooks, judged. It may be called from
several threads, one call a submission, and raises PlatformError where the platform failed. It writes nothing
and knows no student: who submitted, when, and what becomes of the marks is the caller's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from nbformat.notebooknode import NotebookNode

from autograder.errors import PlatformError, SubmissionError
from autograder.gradebook import GradedNotebook
from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.repair import Repaired, repair_submission

Sources = Mapping[str, NotebookNode]
Files = Mapping[str, bytes]
Seeds = Mapping[str, bytes]
# A notebook's name, what was repaired in it, and what its visible checks said.
Seen = Callable[[str, Repaired, NotebookResult], None]


class BenchLost(PlatformError):
    """Nothing can be judged there any more: no submission's fault, and the end of a batch."""


class Bench(Protocol):
    """``GradingRoom.grade`` calls it, once for each try of a submission."""

    def judge(self, sources: Sources, files: Files, seeds: Seeds) -> tuple[GradedNotebook, ...]:
        """``seeds``: for each notebook, what its hidden inputs are drawn from."""


@dataclass(frozen=True)
class LocalBench:
    """Judges here. ``seen`` is called with what the visible checks said, before hidden ones are judged."""

    court: Court
    seen: Seen | None = None

    def judge(self, sources: Sources, files: Files, seeds: Seeds) -> tuple[GradedNotebook, ...]:
        repaired = repair_submission(sources, files)
        return tuple(
            GradedNotebook(name, sources[name], problem=str(one))
            if isinstance(one, SubmissionError)
            else self.judge_notebook(name, sources[name], one, seeds[name])
            for name, one in repaired.items()
        )

    def judge_notebook(
        self, name: str, source: NotebookNode, repaired: Repaired, seed: bytes
    ) -> GradedNotebook:
        judgement = self.court.judge_for_staff(
            plan_notebook(repaired.notebook, source),
            Settings.of_source(source),
            seed,
            seen=functools.partial(self.seen, name, repaired) if self.seen else None,
        )
        if judgement.result.verdict is Verdict.FAULT:
            raise PlatformError(f"{name}: {next(iter(judgement.staff.values()), 'it could not be judged')}")
        return GradedNotebook(name, source, repaired=repaired, result=judgement.result)
