"""The lines of a class as they stand now: asks the records, and joins what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.pages.roll import Line, roll
from hub.pages.site import Site


@dataclass(frozen=True)
class Classroom:
    """A class, seen by staff."""

    site: Site

    def lines(self, assignments: Sequence[str] = ()) -> dict[str, list[Line]]:
        """The lines of these assignments, of all without any."""
        records = self.site.records
        return roll(
            records.standings(),
            records.arrivals(),
            records.students(),
            records.judged(),
            records.returned_attempts(),
            assignments or [entry.id for entry in self.site.course.entries],
        )
