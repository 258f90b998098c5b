"""Backups of a course and its hub, taken while they run, and their restoring elsewhere."""

from hub.backup.archive import Check, check
from hub.backup.holdings import Holdings, holdings_of
from hub.backup.restoring import Restored, Targets, restore
from hub.backup.writing import Backup, back_up

__all__ = [
    "Backup",
    "Check",
    "Holdings",
    "Restored",
    "Targets",
    "back_up",
    "check",
    "holdings_of",
    "restore",
]
