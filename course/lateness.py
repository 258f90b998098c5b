"""What lateness costs, by a course's late policy."""

from __future__ import annotations

import math

from course.records import Late

DAY_SECONDS = 86_400.0


def late_penalty(late: Late, late_seconds: float, points: float) -> float:
    """Points that lateness takes from ``points``: each begun day after the grace costs
    ``percent_per_day`` of them; after ``cutoff_days`` nothing is left. Never more than ``points``."""
    overdue = late_seconds - late.grace_minutes * 60
    if overdue <= 0:
        return 0.0
    if overdue > late.cutoff_days * DAY_SECONDS:
        return points
    days = math.ceil(overdue / DAY_SECONDS)
    return min(points, points * late.percent_per_day * days / 100)
