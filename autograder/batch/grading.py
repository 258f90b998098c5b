"""From one submission's bytes to its grading: repair, judge, lateness. Writes nothing.

Contract: every problem ends in a ``Grading``. What is the student's is a notebook's ``problem``
with zero points; what is ours is ``fault``, and no grade. A bug of ours that one submission meets is
that submission's fault, and not the end of the class's batch.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder.batch.bench import Bench, BenchLost
from autograder.batch.jobs import Job
from autograder.errors import GraderError
from autograder.gradebook import GradedNotebook, Grading, read_snapshot
from autograder.judge import Settings

JUDGE_BYTES = 256 << 20  # what a session of the judge's takes, as a rule
Penalty = Callable[[float, float], float]
Due = Callable[[str], datetime | None]
Clock = Callable[[], datetime]


def no_penalty(late_seconds: float, points: float) -> float:
    """Lateness costs nothing."""
    return 0.0


def never(student: str) -> datetime | None:
    """No submission is late."""
    return None


def late_seconds(due: datetime | None, received: datetime) -> float:
    """How late a submission is; 0 where nothing is due."""
    return max(0.0, (received - due).total_seconds()) if due else 0.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def fault_of(grading: Grading, error: Exception) -> Grading:
    """The fault that a bug of ours is."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    words = f"the grader failed ({type(error).__name__}, {Path(last.filename).name}:{last.lineno})"
    advice = "fault.txt in the attempt's folder says where; report it"
    return grading.as_fault(f"{words}; {advice}", "".join(traceback.format_exception(error)))


@dataclass(frozen=True)
class GradingRoom:
    """What grading an assignment needs beside the submissions.

    ``secret`` decides the hidden inputs. ``due`` maps a student to the time from which lateness
    counts, None for never. ``penalty`` maps (late seconds, points) to the points that lateness costs.
    """

    course_dir: Path
    bench: Bench
    sources: Mapping[str, NotebookNode]
    secret: bytes
    due: Due = never
    penalty: Penalty = no_penalty
    clock: Clock = utc_now

    @property
    def races(self) -> bool:
        """Whether some check of the assignment's measures speed."""
        cells = [cell for source in self.sources.values() for cell in source.cells]
        return any(cell.metadata.get("mlsys", {}).get("speed", False) for cell in cells)

    @functools.cached_property
    def memory_bytes(self) -> int:
        """What one submission may use while it is judged."""
        boxes = 2 if self.races else 1
        most = max(Settings.of_source(source).limits.memory_mb for source in self.sources.values())
        return (boxes * most << 20) + JUDGE_BYTES

    def grade(self, job: Job) -> Grading:
        """Judges one submission. Raises BenchLost where none can be judged any more, and nothing else."""
        receipt = job.receipt
        blank = Grading(
            student=receipt.student,
            assignment=receipt.assignment,
            sha256=receipt.sha256,
            submitted=receipt.received,
            graded=self.clock(),
            notebooks=tuple(GradedNotebook(name, source) for name, source in self.sources.items()),
        )
        try:
            return self.judged(job, blank)
        except BenchLost:
            raise
        except GraderError as error:
            return blank.as_fault(str(error))
        except Exception as error:  # whatever a submission sets off in our code is told, not raised
            return fault_of(blank, error)

    def judged(self, job: Job, blank: Grading) -> Grading:
        """``blank`` with all that there is to say of the submission. Raises what goes wrong on our side."""
        files = read_snapshot(self.course_dir, job.receipt)
        notebooks = self.judge(job, files)
        late_seconds = self.late_seconds(job.student, job.receipt.received)
        points = sum(each.result.points for each in notebooks if each.result is not None)
        others = {name: data for name, data in files.items() if not name.lower().endswith(".ipynb")}
        return replace(
            blank,
            graded=self.clock(),
            notebooks=notebooks,
            late_seconds=late_seconds,
            penalty=self.penalty(late_seconds, points) if late_seconds else 0.0,
            files=others,
        )

    def late_seconds(self, student: str, received: datetime) -> float:
        return late_seconds(self.due(student), received)

    def judge(self, job: Job, files: Mapping[str, bytes]) -> tuple[GradedNotebook, ...]:
        seeds = {name: self.seed(job.assignment, name, job.receipt.sha256) for name in self.sources}
        return self.bench.judge(self.sources, files, seeds)

    def seed(self, *parts: str) -> bytes:
        """The same hidden inputs whenever this submission is judged, others for every other one."""
        return hmac.new(self.secret, "\0".join(parts).encode(), hashlib.sha256).digest()
