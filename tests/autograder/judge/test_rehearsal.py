"""The judge process's rehearsal keeps to what judges and boxes say to each other, and leaves nothing."""

from __future__ import annotations

import linecache
import random
import socket
import sys
from typing import Any

import numpy as np
import pytest
import torch

from autograder.judge.programs import compiled
from autograder.judge.rehearsal import rehearse
from autograder.judge.server import Chance, Desk


@pytest.fixture
def chance() -> Chance:
    return Chance()


def test_the_checks_end_as_they_are_meant_to(chance: Chance, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(sock: socket.socket) -> None:
        Desk(sock, chance).serve()

    assert rehearse(serve, 1) == ["OK", "WRONG", "OK"]
    monkeypatch.delitem(sys.modules, "torch")
    assert rehearse(serve, 2) == ["OK", "WRONG"]


def test_it_leaves_nothing(chance: Chance) -> None:
    files, before = set(linecache.cache), drawn_so_far()
    rehearse(lambda sock: Desk(sock, chance).serve(), 2)
    assert set(linecache.cache) <= files
    assert compiled.cache_info().currsize == 0
    assert drawn_so_far() == before


def drawn_so_far() -> tuple[Any, ...]:
    """The state of the generators that checks may use."""
    return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()
