"""Differences of rows: kept as bytes, applied both ways."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from autograder.gradebook.regrading.ledger import ORDER, Change, Ledger, Row, differences, pack, unpack

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.datetimes(min_value=datetime(2000, 1, 1)),
)
ROWS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.fixed_dictionaries({"one": VALUES, "two": VALUES})
)
LEDGERS = st.dictionaries(st.sampled_from(["grade", "notebook", "base_cell"]), ROWS)


def ledger(tables: dict[str, dict[str, Row]]) -> Ledger:
    made = Ledger("layers", "1")
    for table, rows in tables.items():
        made.tables[table] = {key: {"id": key, **row} for key, row in rows.items()}
    return made


def applied(to: Ledger, changes: tuple[Change, ...]) -> dict[str, dict[str, Row]]:
    done = to.copy()
    for each in changes:
        rows = done.tables[each.table]
        if each.after is None:
            del rows[each.key]
        else:
            rows[each.key] = {**rows.get(each.key, {}), **each.after}
    return done.tables


@given(LEDGERS, LEDGERS)
def test_differences_lead_there_and_back(
    before: dict[str, dict[str, Row]], after: dict[str, dict[str, Row]]
) -> None:
    one, other = ledger(before), ledger(after)
    changes = unpack(pack(differences(one, other)))
    assert applied(one, changes) == other.tables
    assert applied(other, tuple(each.reversed for each in changes)) == one.tables
    assert (changes == ()) == (one.tables == other.tables)


@given(LEDGERS)
def test_a_copy_is_a_ledger_of_its_own(rows: dict[str, dict[str, Row]]) -> None:
    one = ledger(rows)
    other = one.copy()
    for table in ORDER:
        for row in other.rows(table):
            row["one"] = "changed"
    assert one.tables == ledger(rows).tables
