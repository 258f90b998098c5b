"""The tables of an export as bytes, for a download. The same as ``mlsys export`` writes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from autograder.gradebook import Gradebook, Standing

TABLES = {
    "grades": "one row a student and assignment, with state and reason",
    "wide-table": "one row a student, one column an assignment, and the total",
    "questions": "one row a student and question",
}


def table_csv(name: str, gradebook: Gradebook, standings: Sequence[Standing]) -> bytes:
    """One of ``TABLES`` as CSV."""
    # pandas takes half a second to load, which no other page needs.
    from autograder.gradebook import export

    if name == "questions":
        table = export.question_table(gradebook)
    else:
        table = (export.long_table if name == "grades" else export.wide_table)(standings)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        export.write_csv(table, file)
        return file.read_bytes()
