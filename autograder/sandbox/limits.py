"""What a box may use. Every limit is explicit and positive: zero never means "no limit"."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """The limits of one box.

    Seconds are wall-clock seconds, except ``cpu_seconds``. ``output_kb`` caps what the cells of
    one notebook may print and display; ``tmp_mb`` sizes each of /tmp and /dev/shm (RAM-backed).

    Raises ValueError for a limit that is not a positive number.
    """

    cell_seconds: float
    notebook_seconds: float
    cpu_seconds: float
    memory_mb: int
    processes: int
    file_mb: int
    output_kb: int
    tmp_mb: int

    def __post_init__(self) -> None:
        for each in fields(self):
            amount = getattr(self, each.name)
            number = isinstance(amount, int | float) and not isinstance(amount, bool)
            if not number or not 0 < amount < float("inf"):
                raise ValueError(f"limit {each.name} must be a positive number, not {amount!r}")


DEFAULT_LIMITS = Limits(
    cell_seconds=30,
    notebook_seconds=300,
    cpu_seconds=300,
    memory_mb=1024,
    processes=128,
    file_mb=64,
    output_kb=1024,
    tmp_mb=64,
)
