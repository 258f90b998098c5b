"""A race as a small chart, and in words.

Contract: pure geometry in the units of the chart's own box; ``chart.html.j2`` draws it in the style of
``chart.css``, on feedback pages and on the hub's. Whatever a race holds (nan, inf, 0, thousands of
samples), every place is inside the box and the number of shapes is bounded. What a student reads of a
race of hidden inputs is coarse: numbers of two or three digits, places of whole units, and of the
samples a smoothed outline or their medians. A student's function decides how long it takes, so a finer
chart would be a wider channel out of a hidden check.
"""

from __future__ import annotations

from pathlib import Path as Folder

from autograder.gradebook.charts.growth import draw_growth
from autograder.gradebook.charts.ratio import draw_ratio
from autograder.gradebook.charts.shapes import Chart, Dot, Label, Look, Path, Place
from autograder.judge import RaceKind, RaceResult

FOLDER = Folder(__file__).parent


def draw(race: RaceResult) -> Chart:
    """The chart of a race; where no marks are kept, the reference's own speed, 1, is the mark."""
    return draw_growth(race) if race.kind is RaceKind.GROWTH else draw_ratio(race)


__all__ = ["FOLDER", "Chart", "Dot", "Label", "Look", "Path", "Place", "draw"]
