"""The first Ctrl-C asks, the second one ends."""

from __future__ import annotations

import signal

import pytest

from hub.cli.interrupts import first_interrupt


def test_the_first_sets_the_event_and_the_second_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with first_interrupt() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
