"""nbgrader's rows of one assignment as plain data: read whole, compared, and written as differences.

Theory of operation. A regrading is planned on a copy of these rows, with no hand on the database. What
differs afterwards is written in one transaction, kept, and taken back the same way: column by column, so
that what a person has written since in another column stays.

Contract: ``read_ledger`` reads all rows that belong to the assignment, and the ids of all students.
``write`` writes in the caller's transaction. Trusts nbgrader's tables for their shape.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from nbgrader import api
from sqlalchemy import Select, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from autograder.errors import PlatformError
from autograder.gradebook.tables import CountingRow

Row = dict[str, Any]

# Parents before children: in this order rows are added, in the other one removed.
LAYOUT = ("notebook", "base_cell", "grade_cells", "solution_cells", "task_cells", "source_cell")
MARKS = ("submitted_assignment", "submitted_notebook", "grade", "comment")
COUNTING = CountingRow.__tablename__
ORDER = ("student", *LAYOUT, *MARKS, COUNTING)
KEYS = {COUNTING: "student"}
TIME = "$time"


@dataclass(frozen=True)
class Change:
    """One row. ``before`` is None for a row that is added, ``after`` for one that is removed; of a row that
    changes both have the columns that do."""

    table: str
    key: str
    before: Row | None
    after: Row | None

    @property
    def reversed(self) -> Change:
        return Change(self.table, self.key, self.after, self.before)


@dataclass
class Ledger:
    """The rows by table and key. ``assignment``: nbgrader's id of it."""

    name: str
    assignment: str
    tables: dict[str, dict[str, Row]] = field(default_factory=lambda: {name: {} for name in ORDER})

    def copy(self) -> Ledger:
        tables = {name: {key: dict(row) for key, row in rows.items()} for name, rows in self.tables.items()}
        return Ledger(self.name, self.assignment, tables)

    def add(self, table: str, row: Row) -> Row:
        self.tables[table][row[KEYS.get(table, "id")]] = row
        return row

    def rows(self, table: str) -> Iterable[Row]:
        return self.tables[table].values()


def read_ledger(session: Session, name: str) -> Ledger:
    """Raises PlatformError for an assignment that isn't in the gradebook."""
    row = session.execute(select(api.Assignment.id).where(api.Assignment.name == name)).one_or_none()
    if row is None:
        raise PlatformError(f"{name} is not in the gradebook; run `mlsys release {name}` first")
    ledger = Ledger(name, str(row[0]))
    for table, wanted in _queries(name, ledger.assignment).items():
        for found in session.execute(wanted):
            ledger.add(table, dict(found._mapping))
    return ledger


def table_of(name: str) -> Table:
    found: Table = CountingRow.metadata.tables[name] if name == COUNTING else api.Base.metadata.tables[name]
    return found


def _queries(name: str, assignment: str) -> dict[str, Select[Any]]:
    columns = {each: table_of(each).c for each in ORDER}
    notebooks = select(columns["notebook"].id).where(columns["notebook"].assignment_id == assignment)
    cells = select(columns["base_cell"].id).where(columns["base_cell"].notebook_id.in_(notebooks))
    own = columns["submitted_assignment"]
    submissions = select(own.id).where(own.assignment_id == assignment)
    parts = select(columns["submitted_notebook"].id).where(
        columns["submitted_notebook"].assignment_id.in_(submissions)
    )
    limits = {
        "notebook": columns["notebook"].assignment_id == assignment,
        "base_cell": columns["base_cell"].notebook_id.in_(notebooks),
        **{each: columns[each].id.in_(cells) for each in ("grade_cells", "solution_cells", "task_cells")},
        "source_cell": columns["source_cell"].notebook_id.in_(notebooks),
        "submitted_assignment": own.assignment_id == assignment,
        "submitted_notebook": columns["submitted_notebook"].assignment_id.in_(submissions),
        "grade": columns["grade"].notebook_id.in_(parts),
        "comment": columns["comment"].notebook_id.in_(parts),
        COUNTING: columns[COUNTING].assignment == name,
    }
    whole: dict[str, Select[Any]] = {
        each: select(table_of(each)).where(limit) for each, limit in limits.items()
    }
    return {"student": select(columns["student"].id), **whole}


def differences(before: Ledger, after: Ledger) -> tuple[Change, ...]:
    """What has to be written to come from one to the other."""
    found = []
    for table in ORDER:
        old, new = before.tables[table], after.tables[table]
        for key in [*old, *(key for key in new if key not in old)]:
            was, now = old.get(key), new.get(key)
            if was is None or now is None:
                found.append(Change(table, key, was, now))
            elif changed := [name for name in was if was[name] != now.get(name)]:
                found.append(
                    Change(table, key, {n: was[n] for n in changed}, {n: now.get(n) for n in changed})
                )
    return tuple(found)


def write(session: Session, assignment: str, changes: Sequence[Change]) -> None:
    """Writes changes of one assignment's rows; many of a kind at once."""
    connection = session.connection()
    for name in reversed(ORDER):
        table, key = table_of(name), table_of(name).c[KEYS.get(name, "id")]
        gone = [{"the_key": each.key} for each in changes if each.table == name and each.after is None]
        if gone:
            connection.execute(
                delete(table).where(key == bindparam("the_key"), *_of(table, assignment)), gone
            )
    for name in ORDER:
        table, key = table_of(name), table_of(name).c[KEYS.get(name, "id")]
        own = [each for each in changes if each.table == name]
        for columns, rows in _updates(own):
            values: Row = {column: bindparam(f"new_{column}") for column in columns}
            statement = update(table).where(key == bindparam("the_key"), *_of(table, assignment))
            connection.execute(statement.values(values), rows)
        if new := [each.after for each in own if each.before is None and each.after is not None]:
            connection.execute(insert(table), new)
    session.expire_all()


def _of(table: Table, assignment: str) -> list[Any]:
    """The pointer's table holds all assignments, each student once in each."""
    return [table.c.assignment == assignment] if table.name == COUNTING else []


def _updates(changes: Sequence[Change]) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    """Parameters of updates, those of the same columns together."""
    own = [each for each in changes if each.before is not None and each.after is not None]

    def columns(change: Change) -> tuple[str, ...]:
        return tuple(sorted(change.after or ()))

    for names, group in groupby(sorted(own, key=columns), key=columns):
        yield (
            names,
            [
                {"the_key": each.key, **{f"new_{name}": (each.after or {})[name] for name in names}}
                for each in group
            ],
        )


def layout_digest(ledger: Ledger) -> str:
    """A fingerprint of the assignment's cells, whoever wrote them."""
    rows = [[table, sorted(ledger.tables[table].items())] for table in LAYOUT]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def pack(changes: Sequence[Change]) -> bytes:
    """Changes as bytes, to be kept."""
    plain = [[each.table, each.key, each.before, each.after] for each in changes]
    return zlib.compress(json.dumps(plain, default=_plain).encode())


def unpack(packed: bytes) -> tuple[Change, ...]:
    return tuple(Change(*each) for each in json.loads(zlib.decompress(packed), object_hook=_times))


def _plain(value: object) -> Mapping[str, str]:
    if isinstance(value, datetime):
        return {TIME: value.isoformat()}
    raise TypeError(f"{type(value)} is in no row of nbgrader's that a regrading changes")


def _times(found: dict[str, Any]) -> Any:
    return datetime.fromisoformat(found[TIME]) if found.keys() == {TIME} else found
