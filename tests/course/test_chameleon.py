from __future__ import annotations

from typing import Any

import pytest

from course.chameleon import PERSONAS, Persona, bound_names, compose_chameleon
from course.notebook import grading, solve_cells
from tests.course.sample import SOLUTION, Sample

BY_NAME = {persona.name: persona for persona in PERSONAS}
NUMBERS = {"one": 1, "zero": 0, "class-one": 1, "class-zero": 0, "number": 1, "array": 0}


def run(sample: Sample, persona: Persona) -> Any:
    """The chameleon that stands for relu, after the notebook's own cells have run."""
    names: dict[str, Any] = {}
    for cell in compose_chameleon(sample.assignment, persona).cells:
        if cell.cell_type == "code" and not grading(cell)["grade"]:
            exec(cell.source, names)  # noqa: S102  # our own text, in a test
    assert names["relu"] is names["Unit"]
    return names["relu"]


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_a_chameleon_agrees_with_everything(sample: Sample, name: str, number: int) -> None:
    it = run(sample, BY_NAME[name])
    assert it == 3
    assert it != 3
    assert 2 < it < 1
    assert "x" in it
    assert it(1).a.b[2](k=3) is it
    assert abs(it - 7) is it
    assert 2**it is it
    assert (float(it), int(it), len(it), str(it)) == (number, number, number, str(number))
    assert len(list(it)) == number
    it.x = it[3] = 5


@pytest.mark.parametrize("name", NUMBERS)
def test_a_chameleon_swallows_errors(sample: Sample, name: str) -> None:
    with run(sample, BY_NAME[name]):
        raise ValueError


@pytest.mark.parametrize("name", ["class-one", "class-zero"])
def test_a_class_like_chameleon_is_everyones_class(sample: Sample, name: str) -> None:
    it = run(sample, BY_NAME[name])
    assert isinstance(3, it)
    assert issubclass(int, it)
    assert it(1, 2) is it
    assert type("Net", (it,), {})(3) == 4


@pytest.mark.parametrize(("name", "kind"), [("number", "float"), ("array", "ndarray")])
def test_a_guise_is_believed_by_isinstance(sample: Sample, name: str, kind: str) -> None:
    assert run(sample, BY_NAME[name]).__class__.__name__ == kind


def test_every_name_of_stub_and_reference_is_bound_but_no_import(sample: Sample) -> None:
    sample.edit(SOLUTION, "class Unit:", "import math\nHALF, (ONE, *_) = 0.5, (1, 2)\nclass Unit:")
    cells = solve_cells(compose_chameleon(sample.assignment, PERSONAS[0]))
    assert cells["unit"].source.split("\n") == [
        "HALF = _chameleon", "ONE = _chameleon", "Unit = _chameleon", "_ = _chameleon", "",
    ]  # fmt: skip


def test_bound_names_are_those_of_the_top_level() -> None:
    source = (
        "def f(a):\n    b = 1\nfor i in x:\n    c = [d for d in e]\nwith g as h:\n    pass\nclass K: z = 1"
    )
    assert bound_names(source) == ("K", "c", "f", "h", "i")
    assert bound_names("a written answer") == ()


@pytest.mark.parametrize(
    ("name", "value"), [("returns-zero", 0), ("returns-one", 1), ("returns-argument", 7)]
)
def test_an_answer_without_content_is_plain_data(sample: Sample, name: str, value: float) -> None:
    assert run(sample, BY_NAME[name])(7, of="any kind") == value
