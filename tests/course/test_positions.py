from __future__ import annotations

import tomllib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from course.positions import KeyPath, key_lines

TRICKY = '''\
# a comment with "quotes" and = [brackets]
title = "a # no comment"
"quoted key" = 1
'literal' = 2
a.b.c = 3

text = """
[not.a.table]
x = 1 \\""" still text
"""
raw = \'\'\'
[[neither]] \'\'\'

list = [ # of
    1,
    [2, 3],

    { name = "x", deep = { y = 1 } },
]
when = 2027-01-01 09:00:00

[table]
key = "v"
[table.sub]
key = "v"

[[rows]]
id = "one"
[[rows]]
id = "two"
[rows.inside]
z = 1
[[rows.rows]]
id = "nested"
[[rows.rows]]
id = "again"
'''


def paths(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    yield at
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths(each, (*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from paths(each, (*at, index))


def line_of(text: str) -> int:
    return TRICKY[: TRICKY.index(text)].count("\n") + 1


def test_every_path_of_a_tricky_text_has_a_line() -> None:
    assert set(paths(tomllib.loads(TRICKY))) <= set(key_lines(TRICKY))


def test_lines_are_where_the_keys_stand() -> None:
    lines = key_lines(TRICKY)
    assert lines[("quoted key",)] == line_of('"quoted key"')
    assert lines[("a", "b", "c")] == line_of("a.b.c")
    assert lines[("raw",)] == line_of("raw =")
    assert lines[("list", 1, 0)] == line_of("[2, 3]")
    assert lines[("list", 2, "deep", "y")] == line_of('{ name = "x"')
    assert lines[("when",)] == line_of("when")
    assert lines[("table",)] == line_of("[table]")
    assert lines[("rows", 1)] == line_of('id = "two"') - 1
    assert lines[("rows", 1, "inside", "z")] == line_of("z = 1")
    assert lines[("rows", 1, "rows", 1, "id")] == line_of('id = "again"')


def test_a_header_overrules_the_line_of_an_implied_table() -> None:
    assert key_lines("[a.b]\nx = 1\n[a]\ny = 2\n")[("a",)] == 3


def test_escapes_in_keys_are_read() -> None:
    assert key_lines('\n"caf\\u00e9 \\"x\\"" = 1\n')[('café "x"',)] == 2


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)
STRINGS = st.text(alphabet="ab#=[]{}\", \n\\'", max_size=8)


def basic(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'


def multiline(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{quoted}"""'


VALUES = st.recursive(
    st.integers(-99, 99).map(str)
    | STRINGS.map(basic)
    | STRINGS.map(multiline)
    | st.just("2027-01-01T09:00:00"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[\n" + ",\n".join(each) + "\n]")
        | st.dictionaries(KEYS, inner, max_size=2).map(
            lambda each: "{ " + ", ".join(f"{key} = {value}" for key, value in each.items()) + " }"
        )
    ),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(TABLES, st.lists(TABLES, max_size=3), st.sampled_from(["", "# note [x]\n", "\n\n"]))
def test_finds_every_key_of_any_text(top: dict[str, str], rows: list[dict[str, str]], gap: str) -> None:
    text = gap
    expected: dict[KeyPath, int] = {}
    for prefix, table in [((), top), *((("zz-rows", index), row) for index, row in enumerate(rows))]:
        text += "[[zz-rows]]\n" if prefix else ""
        for key, value in table.items():
            expected[(*prefix, key)] = text.count("\n") + 1
            text += f"{key} = {value}\n{gap}"
    lines = key_lines(text)
    assert set(paths(tomllib.loads(text))) <= set(lines)
    assert {path: lines[path] for path in expected} == expected
