"""The judge's end of a line that goes through a turnstile."""

from __future__ import annotations

import math
import socket

from autograder.sandbox.turnstile import TURN, Turn
from autograder.sandbox.wire import Channel, Frame


class MeasuredChannel(Channel):
    """A channel on which each answer comes with what the box's turn used, in ``turn``.

    ``resident_at_start`` are the bytes that the box held when it was new.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, buffered=True)
        self.turn = Turn(0, 0, 0, 0, 0, 0, -1)
        self.resident_at_start = 0

    def receive(self, deadline: float = math.inf) -> Frame:
        """Raises as ``Channel.receive``."""
        self.turn = Turn.unpack(self._read(TURN.size, deadline))
        self.resident_at_start = self.resident_at_start or self.turn.resident
        return super().receive(deadline)
