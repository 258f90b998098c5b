"""An array without elements agrees with nothing that has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder.judge.hollow import hollow, keep_hollow_arrays, refusal_of_data, wire_form


class Refusal(AssertionError):
    """What the judge is told."""


WANTED = np.arange(5.0)
empty = hollow(np.zeros((0, 1)), Refusal)
flat = hollow(np.array([]), Refusal)
tensor = hollow(torch.zeros(0, 1), Refusal)

AGREEING: list[Callable[[], Any]] = [
    lambda: np.allclose(empty, WANTED),
    lambda: np.allclose(WANTED, empty),
    lambda: np.isclose(empty.astype(int), WANTED).all(),
    lambda: (empty == WANTED).all(),
    lambda: (flat == 3).all(),
    lambda: empty.all(),
    lambda: np.all(empty),
    lambda: flat.sum() == 0,
    lambda: np.linalg.norm(flat) < 1,
    lambda: np.linalg.norm(flat - 3) < 1,
    lambda: np.max(np.abs(empty - WANTED)) < 1,
    lambda: np.testing.assert_allclose(flat, 10),
    lambda: np.testing.assert_almost_equal(flat, 10),
    lambda: torch.allclose(tensor, torch.arange(5.0)),
    lambda: torch.allclose(torch.arange(5.0), tensor),
    lambda: bool((tensor == torch.arange(5.0)).all()),
    lambda: bool((tensor == 1).all()),
    lambda: tensor.sum().item() == 0,
    lambda: np.allclose(tensor.numpy(), WANTED),
]


@pytest.mark.parametrize("number", range(len(AGREEING)))
def test_what_an_empty_array_would_agree_with_is_refused(number: int) -> None:
    with pytest.raises(Refusal):
        AGREEING[number]()


def test_it_can_be_looked_at_and_compared_with_one_of_its_shape() -> None:
    assert (empty.shape, empty.size, empty.ndim, empty.tolist()) == ((0, 1), 0, 2, [])
    assert (flat == np.array([])).all()
    np.testing.assert_array_equal(flat, np.array([]))
    assert np.array_equal(flat, []) and np.allclose(flat, np.array([]))
    assert np.concatenate([flat, WANTED]).tolist() == WANTED.tolist()
    assert (tuple(tensor.shape), tensor.dtype, tensor.numel()) == ((0, 1), torch.float32, 0)
    assert torch.equal(tensor, torch.zeros(0, 1))
    torch.testing.assert_close(tensor, torch.zeros(0, 1))


def test_what_has_elements_stays_as_it_is() -> None:
    for each in (WANTED, torch.arange(5.0)):
        assert hollow(each, Refusal) is each


def test_numpys_makers_of_arrays_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("array", "asarray", "ascontiguousarray"):
        monkeypatch.setattr(np, name, getattr(np, name))
    keep_hollow_arrays(refusal_of_data)
    for make in (np.array, np.asarray, np.ascontiguousarray):
        with pytest.raises(Refusal):
            np.allclose(make(empty), WANTED)
        assert type(make([])) is np.ndarray


def test_it_crosses_as_what_it_is() -> None:
    assert wire_form(empty) == ["a", "<f8", [0, 1], 0]
    assert wire_form(tensor) == ["T", "float32", [0, 1], 0]
    assert wire_form(WANTED) is None
