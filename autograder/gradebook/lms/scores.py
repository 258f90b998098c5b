"""Scores as the gradebooks elsewhere read them: at most two decimals, a point before them.

Contract: pure. Half a hundredth is rounded up, as people do, and not to the even digit.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

HUNDREDTH = Decimal("0.01")
NUMBER = re.compile(r"-?\d{1,12}(?:[.,]\d{1,12})?")
THOUSAND = re.compile(r"-?\d{1,3},\d{3}")  # 1,000 may be a thousand or one


def rounded(score: float) -> Decimal:
    """To hundredths. Raises ValueError for what is no number."""
    if score != score or score in (float("inf"), float("-inf")):
        raise ValueError(f"{score} is no score")
    return Decimal(repr(float(score))).quantize(HUNDREDTH, ROUND_HALF_UP)


def score_text(score: float) -> str:
    """8.5 for 8.5, 8.33 for 8.3333, 10 for 10.0, 0 for -0.0."""
    text = f"{rounded(score):f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def read_score(text: str) -> Decimal | None:
    """The number that a cell holds; None for none, or for one that could be two."""
    text = text.strip()
    if not NUMBER.fullmatch(text) or THOUSAND.fullmatch(text):
        return None
    return Decimal(text.replace(",", ".")).quantize(HUNDREDTH, ROUND_HALF_UP)


def is_score(text: str, score: str) -> bool:
    """Whether a cell holds this score already, to two decimals."""
    held = read_score(text)
    return held is not None and held == Decimal(score).quantize(HUNDREDTH)
