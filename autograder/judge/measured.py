"""The judge's end of a line that goes through a turnstile."""

from __future__ import annotations

import math
import socket

from autograder.sandbox.turnstile import TURN, Turn
from autograder.sandbox.wire import Channel, Frame


class MeasuredChannel(Channel):
    """A channel on which each answer comes with what the box's turn used, in ``turn``."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, buffered=True)
        self.turn = Turn(0, 0, 0, 0, 0)

    def receive(self, deadline: float = math.inf) -> Frame:
        """Raises as ``Channel.receive``."""
        self.turn = Turn.unpack(self._read(TURN.size, deadline))
        return super().receive(deadline)
