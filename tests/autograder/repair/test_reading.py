"""Files that are no notebooks get a clear verdict and hurt nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.repair import MAX_BYTES, read_notebook, repair
from tests.autograder.notebooks import as_bytes, right, two_questions

CELL = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": []}


def file(**fields: object) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL], **fields}
    ).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"print('hello')", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b'{"cells": NaN, "nbformat": 4}', "no cells"),
        (file(nbformat=[[99]]), "format '…'"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[]", "not a Jupyter notebook"),
        (b'"cells"', "not a Jupyter notebook"),
        (b'{"nbformat": 4}', "not a Jupyter notebook"),
        (file(nbformat=99), "format '99'"),
        (file(nbformat=True), "format 'True'"),
        (file(cells=[]), "no cells"),
        (file(cells={"a": 1}), "no cells"),
        (file(cells=[CELL] * 5001), "5001 cells"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]," * 1_000_001, "too complex"),
        (b" " + b"1" * MAX_BYTES, "20 MB"),
        (b'{"cells": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_notebook_says_why(data: bytes, words: str) -> None:
    with pytest.raises(SubmissionError, match=words) as caught:
        read_notebook(data, "mine.ipynb")
    assert str(caught.value).startswith("mine.ipynb")


def test_damaged_cells_are_left_out_and_counted() -> None:
    damaged = [
        None,
        3,
        {"cell_type": "code", "source": 5},
        {"source": "x"},
        {"cell_type": "widget", "source": ""},
    ]
    read = read_notebook(file(cells=[CELL, *damaged]))
    assert (len(read.cells), read.dropped) == (1, 5)


def test_characters_that_no_file_takes_are_replaced() -> None:
    read = read_notebook(file(cells=[{**CELL, "source": "a\ud800b\0c"}]))
    assert read.cells[0].text == "a\ufffdb\ufffdc"
    read.cells[0].text.encode()


def test_names_and_data_of_attachments_are_text_that_a_file_takes() -> None:
    pasted = {"a\ud800": {"image/png\0": "\udfff"}, "b": {"c": 1}}
    read = read_notebook(file(cells=[{**CELL, "cell_type": "markdown", "attachments": pasted}]))
    assert read.cells[0].attachments == {"a\ufffd": {"image/png\ufffd": "\ufffd"}, "b": {}}


@pytest.mark.parametrize("word", [b"NaN", b"-Infinity", b"1e999"])
def test_a_number_in_outputs_that_is_no_json_is_no_damage(word: bytes) -> None:
    read = read_notebook(
        file(cells=[{**CELL, "outputs": [{"data": {"x": "HERE"}}]}]).replace(b'"HERE"', word)
    )
    assert read.cells[0].text == "1"


def test_a_byte_order_mark_is_no_damage() -> None:
    assert read_notebook(b"\xef\xbb\xbf" + file()).cells[0].text == "1"


@pytest.mark.parametrize("grade_id", [None, 7, "", ["a"], "x" * 1000])
def test_an_id_that_is_no_id_is_none(grade_id: object) -> None:
    read = read_notebook(file(cells=[{**CELL, "metadata": {"nbgrader": {"grade_id": grade_id}}}]))
    assert read.cells[0].grade_id is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_notebook(data)
    except SubmissionError as error:
        assert str(error)


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 3, 1.5, "", "text", [], ["a", "b"], [["x"]], {}, {"grade_id": 1}, {"a": {"b": []}}]
)
CELLS = st.lists(
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["code", "markdown", "heading"]) | JUNK},
        optional={"source": JUNK, "metadata": JUNK, "attachments": JUNK, "outputs": JUNK, "level": JUNK},
    ),
    max_size=4,
)
SHEETS = st.lists(JUNK | st.fixed_dictionaries({"cells": CELLS}), max_size=2)


@given(
    st.fixed_dictionaries(
        {"nbformat": st.just(4)}, optional={"cells": CELLS | JUNK, "worksheets": SHEETS | JUNK}
    )
)
def test_any_json_is_repaired_or_refused(document: dict[str, object]) -> None:
    source = two_questions()
    try:
        built = repair(source, json.dumps(document).encode())
    except SubmissionError:
        return
    assert len(built.notebook.cells) >= 8


def test_bytes_and_a_parsed_notebook_read_the_same() -> None:
    nb = right(two_questions())
    assert read_notebook(as_bytes(nb)) == read_notebook(nb)
