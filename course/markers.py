"""nbgrader's region markers: which lines are one, which only look like one.

nbgrader cuts from ``BEGIN`` to ``END`` and searches for the exact phrase, so a misspelt BEGIN
leaves the hidden test in the student's notebook. Contract: a line that resembles a marker is
reported unless it is one; the regions of a notebook are balanced, never nested, and each
stands in a cell of the kind that nbgrader expects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from enum import StrEnum


class Region(StrEnum):
    """What stands between a pair of markers."""

    SOLUTION = "SOLUTION"
    HIDDEN = "HIDDEN TESTS"
    SCHEME = "MARK SCHEME"

    @property
    def begin(self) -> str:
        """The phrase that opens it."""
        return f"BEGIN {self.value}"

    @property
    def end(self) -> str:
        """The phrase that closes it."""
        return f"END {self.value}"


PHRASES = {phrase: region for region in Region for phrase in (region.begin, region.end)}
VERBS = ("BEGIN", "START", "END", "STOP")
LIKENESS = 0.85


@dataclass(frozen=True)
class Line:
    """A line of a cell, and the region that it stands in; a marker belongs to no region."""

    number: int
    text: str
    region: Region | None
    marker: bool = False


class MarkerError(Exception):
    """A marker is misspelt, nested or without its partner; ``line`` counts from 1 in the cell."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def marker_in(line: str) -> str:
    """The marker phrase that a line contains or resembles; empty if it is an ordinary line."""
    for phrase in PHRASES:
        if phrase in line:
            return phrase
    text = line[line.index("#") :] if "#" in line else line.strip()
    words = re.findall(r"[A-Z]+", text.upper()) if re.match(r"[#=<%/*-]", text) else []
    return _resembled(words) if 0 < len(words) <= 5 else ""


def _resembled(words: list[str]) -> str:
    squeezed = "".join(words)
    likeness = {phrase: _likeness(squeezed, phrase.replace(" ", "")) for phrase in PHRASES}
    best = max(likeness, key=lambda phrase: likeness[phrase])
    if likeness[best] >= LIKENESS and squeezed != "HIDDENTESTS":
        return best
    return _paraphrased(words) if len(words) <= 3 else ""


def _paraphrased(words: list[str]) -> str:
    """The marker meant by words such as ``start hidden tests`` or ``solution begin``."""
    verb, solution = _among(words, VERBS), _among(words, ("SOLUTION",))
    tests = _among(words, ("TESTS",)) and (len(words) == 2 or _among(words, ("HIDDEN",)))
    if not verb or not (solution or tests):
        return ""
    region = Region.SOLUTION if solution else Region.HIDDEN
    return region.begin if verb in ("BEGIN", "START") else region.end


def _among(words: list[str], known: Sequence[str]) -> str:
    found = (get_close_matches(word, known, n=1, cutoff=0.8) for word in words)
    return next((match[0] for match in found if match), "")


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def regions(source: str) -> tuple[Line, ...]:
    """The lines of a cell with their regions. MarkerError for anything but proper pairs."""
    return tuple(_walk(source.split("\n")))


def _walk(lines: Sequence[str]) -> Iterator[Line]:
    inside: Region | None = None
    opened = 0
    for number, text in enumerate(lines, 1):
        phrase = marker_in(text)
        if not phrase:
            yield Line(number, text, inside)
            continue
        region = _proper(text, phrase, number)
        if phrase == region.begin:
            if inside:
                raise MarkerError(number, f"'{phrase}' inside the region that line {opened} begins")
            inside, opened = region, number
        else:
            if inside is not region:
                raise MarkerError(number, f"'{phrase}' without a '{region.begin}' before it")
            inside = None
        yield Line(number, text, None, marker=True)
    if inside:
        raise MarkerError(opened, f"'{inside.begin}' without an '{inside.end}' after it")


def _proper(text: str, phrase: str, number: int) -> Region:
    if phrase not in text:
        raise MarkerError(number, f"{text.strip()!r} is no marker of nbgrader; did you mean '### {phrase}'?")
    if sum(text.count(each) for each in PHRASES) > 1:
        raise MarkerError(number, "two markers in one line; give each a line of its own")
    if not re.fullmatch(rf"\W*{phrase}\W*", text):
        raise MarkerError(number, f"a marker stands alone in its line: write '### {phrase}'")
    return PHRASES[phrase]
