"""nbgrader's list of assignments: for `nbgrader list`, the Assignment List and the formgrader.

The dictionaries are nbgrader's: its own exchange makes the same keys, and JupyterLab's extension reads
them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc

from hub.exchange.client import Offer
from hub.exchange.plugin import STAMP, HubExchange, feedback_folder
from hub.exchange.records import Returned, Submission

Entry = dict[str, Any]


class HubList(HubExchange, abc.ExchangeList):  # type: ignore[misc]  # nbgrader has no types
    """Everybody: what is released (and fetched), or with --cached and --inbound what was submitted."""

    def start(self) -> list[Entry]:
        found: list[Entry] = super().start()
        return found

    def list_files(self) -> list[Entry]:
        """Called by ``start``."""
        if self.inbound or self.cached:
            return self.list_submitted()
        entries = [self.released_entry(each) for each in self.offers()]
        self.log.info("Released assignments:")
        for entry in entries:
            note = " (already downloaded)" if entry["status"] == "fetched" else ""
            self.log.info(f"{entry['course_id']} {entry['assignment_id']}{note}")
        return entries

    def remove_files(self) -> list[Entry]:
        """Called by ``start`` for --remove: withdraws what is released."""
        if self.inbound or self.cached:
            self.fail("Submissions are never removed.")
        entries = []
        for offer in self.offers():
            self.client.withdraw(offer.assignment)
            self.log.info(f"Withdrawn: {self.course.id} {offer.assignment}")
            entries.append({**self.released_entry(offer), "status": "removed"})
        return entries

    def list_submitted(self) -> list[Entry]:
        """One entry for a student and an assignment, with all submissions in it, oldest first."""
        whose = self.student or (None if self.inbound else self.course.member.name)
        returned = self.client.returned(whose, self.wanted)
        groups: dict[tuple[str, str], list[Entry]] = {}
        self.log.info("Submitted assignments:")
        for submission in self.client.submissions(whose, self.wanted):
            entry = self.submitted_entry(submission, feedback_on(submission, returned))
            groups.setdefault((submission.student, submission.assignment), []).append(entry)
            self.log.info(
                f"{self.course.id} {submission.student} {submission.assignment} {entry['timestamp']} "
                f"({words_of(entry)})"
            )
        return [
            {
                "course_id": self.course.id,
                "student_id": student,
                "assignment_id": assignment,
                "status": "submitted",
                "submissions": entries,
            }
            for (student, assignment), entries in sorted(groups.items())
        ]

    @property
    def wanted(self) -> str | None:
        name = self.coursedir.assignment_id if self.coursedir is not None else ""
        return None if name in ("", "*") else self.assignment

    def offers(self) -> list[Offer]:
        return [
            each
            for each in self.client.assignments()
            if each.released and self.wanted in (None, each.assignment)
        ]

    def released_entry(self, offer: Offer) -> Entry:
        folder = self.folder(offer.assignment)
        is_there = folder.is_dir()
        paths = sorted(folder.glob("*.ipynb")) if is_there else [Path(each.name) for each in offer.files]
        return {
            "course_id": self.course.id,
            "assignment_id": offer.assignment,
            "status": "fetched" if is_there else "released",
            "path": str(folder) if is_there else "",
            "notebooks": [
                {"notebook_id": path.stem, "path": str(path) if is_there else ""}
                for path in paths
                if path.suffix == ".ipynb"
            ],
        }

    def submitted_entry(self, submission: Submission, returned: Returned | None) -> Entry:
        folder = feedback_folder(self.folder(submission.assignment), submission)
        ready = {each.name: each.sha256 for each in returned.files} if returned is not None else {}
        here = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        is_new = any(name not in here or digest(folder / name) != ready[name] for name in ready)
        state = {
            "has_local_feedback": bool(here),
            "has_exchange_feedback": bool(ready),
            "feedback_updated": bool(here) and is_new,
        }
        notebooks = [each.name for each in submission.files if each.name.lower().endswith(".ipynb")]
        return {
            **state,
            "course_id": self.course.id,
            "student_id": submission.student,
            "assignment_id": submission.assignment,
            "timestamp": submission.received.strftime(STAMP),
            "status": "submitted",
            "path": "",
            "local_feedback_path": str(folder) if here else None,
            "notebooks": [
                {
                    **state,
                    "notebook_id": Path(name).stem,
                    "path": "",
                    "local_feedback_path": str(folder / f"{Path(name).stem}.html") if here else None,
                }
                for name in notebooks
            ],
        }


def feedback_on(submission: Submission, returned: Iterable[Returned]) -> Returned | None:
    """The newest feedback on these bytes."""
    return next((each for each in returned if _key(each) == _key(submission)), None)


def _key(record: Submission | Returned) -> tuple[str, str, str]:
    return (record.student, record.assignment, record.sha256)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def words_of(entry: Entry) -> str:
    if entry["has_local_feedback"] and not entry["feedback_updated"]:
        return "feedback already fetched"
    return "feedback ready to be fetched" if entry["has_exchange_feedback"] else "no feedback available"
