"""What a chart is made of: a few kinds of shapes, each with a look that the style sheet knows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WIDTH = 320.0
LETTER = 6.3  # the width of a bold letter of 11 px, about

Place = tuple[float, float]


class Look(StrEnum):
    """What a shape stands for; the style sheet gives it its colour."""

    AXIS = "axis"
    STEP = "step"
    REACHED = "reached"
    RAMP = "ramp"
    MARK = "mark"
    RIDGE = "ridge"
    INTERVAL = "interval"
    RATIO = "ratio"
    ALLOWED = "allowed"
    FIT = "fit"
    SPREAD = "spread"
    SAMPLE = "sample"
    QUIET = "quiet"


@dataclass(frozen=True)
class Path:
    """A line through places, or the area that they enclose."""

    look: Look
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Dot:
    """A round dot."""

    look: Look
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Label:
    """Words; ``anchor``: start, middle or end of them is at x."""

    look: Look
    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True)
class Chart:
    """What the template draws, areas first; ``sentence`` says the same in words, ``notes`` say more."""

    width: float
    height: float
    areas: tuple[Path, ...]
    lines: tuple[Path, ...]
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]
    sentence: str
    notes: tuple[str, ...] = ()
