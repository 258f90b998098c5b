"""Jobs: long actions as child processes of the ``mlsys`` command, which outlive the web process.

Theory of operation. A job is a folder ``jobs/<id>/`` in the course directory: ``job.json`` (what was
ordered, by whom), ``events.jsonl`` (what the commands report), ``words.log`` (what they tell people)
and ``lock``. ``hub.pages.runner`` holds the lock as long as it lives and writes the event ``end`` last.
So whoever reads the folder, this process or one started later, knows: locked is running; ``end``
says how it ended; neither means that it was killed.

Contract: one job that grades an assignment at a time. Trusts the folder, which staff alone can write,
but no id that a request names.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.errors import AuthorError, PlatformError
from autograder.gradebook import Clock
from autograder.gradebook.regrading import Keep

ID = re.compile(r"[0-9]{8}T[0-9]{6}-[a-z]+-[0-9a-f]{8}")
MLSYS = (sys.executable, "-P", "-m", "hub.cli.app")
KEPT_BACK = ("JUPYTERHUB_", "JPY_", "CONFIGPROXY_")  # the service's own tokens are no job's
START_SECONDS = 30
LAST_WORDS = 4000
STOPPED = 130
Event = dict[str, Any]


class JobKind(StrEnum):
    """What a job does to an assignment. REGRADE shows whose points would change; PUBLISH makes that the
    grades, UNDO takes it back. LOOK shows what a learning platform would get, PUSH sends it."""

    GRADE = "grade"
    REGRADE = "regrade"
    PUBLISH = "publish"
    UNDO = "undo"
    FEEDBACK = "feedback"
    LOOK = "look"
    PUSH = "push"

    @property
    def grades(self) -> bool:
        return self not in (JobKind.FEEDBACK, JobKind.LOOK, JobKind.PUSH)

    @property
    def is_signed(self) -> bool:
        """Whether the gradebook's record wants to know who and why."""
        return self in (JobKind.PUBLISH, JobKind.UNDO)


class JobState(StrEnum):
    """STOPPED by a person; LOST: killed, nobody knows by whom."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True)
class Order:
    """What is to be done; ``students``: only theirs, all if there are none. ``everything``: give back
    feedback that isn't final, too. ``keep``, ``reason`` and ``by`` are a published regrading's."""

    kind: JobKind
    assignment: str
    students: tuple[str, ...] = ()
    everything: bool = False
    keep: Keep = Keep.REPLACE
    reason: str = ""
    by: str = ""

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """The arguments of ``mlsys``, as a person would type them."""
        chosen = tuple(word for student in self.students for word in ("--student", student))
        if self.kind is JobKind.GRADE:
            return (
                ("collect", self.assignment, *chosen),
                ("autograde", self.assignment, "--json", *chosen),
            )
        if self.kind is JobKind.REGRADE:
            return (("regrade", self.assignment, "--dry-run", "--again", "--json", *chosen),)
        if self.kind.is_signed:
            # One word each: what people write is never taken for another option.
            signed = (f"--reason={self.reason}", f"--by={self.by}", "--json")
            if self.kind is JobKind.UNDO:
                return (("regrade", self.assignment, "--undo", *signed),)
            policy = ("--policy", self.keep.value)
            return (("regrade", self.assignment, "--publish", *policy, *signed, *chosen),)
        if self.kind in (JobKind.LOOK, JobKind.PUSH):
            how = "--dry-run" if self.kind is JobKind.LOOK else "--yes"
            return (("lti", "push", self.assignment, how, "--json", *chosen),)
        too = ("--all",) if self.everything else ()
        return (
            ("feedback", self.assignment, "--json", *chosen),
            ("return", self.assignment, *too, *chosen),
        )


@dataclass(frozen=True)
class Job:
    """A job as its folder tells it. ``exit``: the code of the command that ended it."""

    id: str
    order: Order
    by: str
    started: datetime
    state: JobState
    exit: int | None = None

    @property
    def running(self) -> bool:
        return self.state is JobState.RUNNING

    @property
    def typed(self) -> tuple[str, ...]:
        """The commands, to type them oneself."""
        return tuple(
            shlex.join(["mlsys", *(word for word in words if word != "--json")])
            for words in self.order.commands
        )


class Jobs:
    """The jobs of one course directory."""

    def __init__(
        self,
        course_file: Path,
        course_dir: Path,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
        program: Sequence[str] = (),
    ) -> None:
        """``environment``: what commands inherit, but for the hub's tokens; ``program``: how ``mlsys``
        is started, if not by this Python."""
        self.program = tuple(program) or MLSYS
        self.folder = course_dir.resolve() / "jobs"
        self.clock = clock
        kept = {name: value for name, value in environment.items() if not name.startswith(KEPT_BACK)}
        self.environment = {
            **kept,
            "MLSYS_COURSE": str(course_file.resolve()),
            "MLSYS_COURSE_DIR": str(course_dir.resolve()),
        }

    def start(self, order: Order, by: str) -> Job:
        """Starts a job. Raises AuthorError where the assignment is being graded already."""
        with self._starting():
            if order.kind.grades and (busy := self.grading(order.assignment)):
                raise AuthorError(
                    f"{order.assignment} is being graded already, by {busy.by}; wait, or stop that job"
                )
            started = self.clock()
            name = f"{started:%Y%m%dT%H%M%S}-{order.kind}-{secrets.token_hex(4)}"
            folder = self.folder / name
            folder.mkdir(mode=0o700)
            commands = [[*self.program, *words] for words in order.commands]
            record = {**asdict(order), "commands": commands, "by": by, "started": started.isoformat()}
            (folder / "job.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
            (folder / "events.jsonl").touch()
            self._launch(folder)
        return self.job(name)

    def job(self, name: str) -> Job:
        """The job of this id. Raises KeyError."""
        folder = self._folder(name)
        running = is_locked(folder / "lock")  # first: what ends meanwhile has written its end
        record = json.loads((folder / "job.json").read_bytes())
        order = Order(
            JobKind(record["kind"]),
            record["assignment"],
            tuple(record["students"]),
            record.get("everything", False),
            Keep(record.get("keep", Keep.REPLACE)),
            record.get("reason", ""),
            record.get("by", "") if JobKind(record["kind"]).is_signed else "",
        )
        code = None if running else _exit_code(folder)
        state = JobState.RUNNING if running else _state(code)
        return Job(name, order, record["by"], datetime.fromisoformat(record["started"]), state, code)

    def jobs(self, most: int = 50) -> tuple[Job, ...]:
        """The newest jobs, newest first."""
        names = sorted((path.parent.name for path in self.folder.glob("*/job.json")), reverse=True)
        return tuple(self.job(name) for name in names[:most] if ID.fullmatch(name))

    def running(self) -> tuple[Job, ...]:
        """The jobs that are running now."""
        locked = (path.parent.name for path in self.folder.glob("*/lock") if is_locked(path))
        return tuple(self.job(name) for name in sorted(locked) if ID.fullmatch(name))

    def grading(self, assignment: str) -> Job | None:
        """The job that grades an assignment now."""
        found = (job for job in self.running() if job.order.kind.grades)
        return next((job for job in found if job.order.assignment == assignment), None)

    def stop(self, name: str) -> None:
        """Asks a job to end after what it is doing; nothing where it has ended."""
        folder = self._folder(name)
        if is_locked(folder / "lock"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int((folder / "pid").read_text()), signal.SIGINT)

    def events(self, name: str, after: int = 0) -> tuple[list[tuple[int, Event]], int]:
        """The events behind a place in the log, each with the place behind it, and the last place."""
        found = []
        place = after
        with (self._folder(name) / "events.jsonl").open("rb") as file:
            file.seek(after)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # it is still being written
                place += len(line)
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        found.append((place, event))
        return found, place

    def words(self, name: str) -> str:
        """The end of what the commands told people."""
        file = self._folder(name) / "words.log"
        data = file.read_bytes() if file.is_file() else b""
        return data[-LAST_WORDS:].decode("utf-8", "replace")

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        if not ID.fullmatch(name) or not (folder / "job.json").is_file():
            raise KeyError(name)
        return folder

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One start at a time, also of several web processes."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / ".starting").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _launch(self, folder: Path) -> None:
        """Starts the runner, which inherits the lock and leaves this process at once."""
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = [sys.executable, "-P", "-m", "hub.pages.runner", str(folder), str(lock.fileno())]
            try:
                subprocess.run(  # noqa: S603  # our own module, no shell
                    command,
                    env=self.environment,
                    pass_fds=(lock.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=True,
                    timeout=START_SECONDS,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise PlatformError(f"{folder.name} didn't start: {error}") from error


def is_locked(file: Path) -> bool:
    """Whether some process holds the lock."""
    try:
        with file.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _exit_code(folder: Path) -> int | None:
    """The code that the last event tells, None where the job did not come to its end."""
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    try:
        last = json.loads(lines[-1])
        return int(last["exit"]) if last["event"] == "end" else None
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def _state(code: int | None) -> JobState:
    if code is None:
        return JobState.LOST
    return {0: JobState.DONE, STOPPED: JobState.STOPPED}.get(code, JobState.FAILED)
