from __future__ import annotations

import pytest

from course.markers import MarkerError, Region, marker_in, regions

ORDINARY = [
    "# the solution",
    "# Solution",
    "# hidden tests",
    "# hidden layer",
    "# begin with the hidden layer",
    "# start the hidden state at zero",
    "# end of the loop",
    "# test that it ends",
    "x = 1  # solution of the system",
    "- hidden tests",
    "print('begin')",
    "solution = solve(a, b)",
    "",
    "####",
]


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_is_no_marker(line: str) -> None:
    assert marker_in(line) == ""


RESEMBLING = [
    ("### BEGIN SOLUTION", "BEGIN SOLUTION"),
    ("# END SOLUTION #", "END SOLUTION"),
    ("=== BEGIN MARK SCHEME ===", "BEGIN MARK SCHEME"),
    ("### BEGN SOLUTION", "BEGIN SOLUTION"),
    ("### BEGIN SOLUTOIN", "BEGIN SOLUTION"),
    ("### Begin Solution", "BEGIN SOLUTION"),
    ("### START SOLUTION", "BEGIN SOLUTION"),
    ("### SOLUTION END", "END SOLUTION"),
    ("### BEGIN HIDEN TESTS", "BEGIN HIDDEN TESTS"),
    ("### BEGIN HIDDEN TEST", "BEGIN HIDDEN TESTS"),
    ("### BEGIN HIDDEN  TESTS", "BEGIN HIDDEN TESTS"),
    ("### BEGIN-HIDDEN-TESTS", "BEGIN HIDDEN TESTS"),
    ("### BEGIN TESTS", "BEGIN HIDDEN TESTS"),
    ("### HIDDEN TESTS BEGIN", "BEGIN HIDDEN TESTS"),
    ("### START HIDDEN TESTS", "BEGIN HIDDEN TESTS"),
    ("### END HIDDN TETS", "END HIDDEN TESTS"),
    ("### STOP HIDDEN TESTS", "END HIDDEN TESTS"),
    ("    # begin hidden tests:", "BEGIN HIDDEN TESTS"),
]


@pytest.mark.parametrize(("line", "marker"), RESEMBLING)
def test_a_line_that_resembles_a_marker_is_recognised(line: str, marker: str) -> None:
    assert marker_in(line) == marker


def test_lines_know_their_region() -> None:
    lines = regions(
        "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\n### BEGIN HIDDEN TESTS\nc\n### END HIDDEN TESTS"
    )
    assert [(line.text, line.region) for line in lines if not line.marker] == [
        ("a", None),
        ("b", Region.SOLUTION),
        ("c", Region.HIDDEN),
    ]


BROKEN = [
    ("a\n### BEGIN SOLUTION\nb", 2, "without an 'END SOLUTION'"),
    ("a\n### END SOLUTION", 2, "without a 'BEGIN SOLUTION'"),
    ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", 2, "inside the region that line 1 begins"),
    ("### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n### END SOLUTION", 2, "inside"),
    ("### BEGIN SOLUTION\n### END HIDDEN TESTS", 2, "without a 'BEGIN HIDDEN TESTS'"),
    ("### BEGIN HIDEN TESTS\nb\n### END HIDDEN TESTS", 1, "did you mean '### BEGIN HIDDEN TESTS'"),
    ("### begin solution\n### END SOLUTION", 1, "did you mean '### BEGIN SOLUTION'"),
    ("x = 1 ### BEGIN SOLUTION\n### END SOLUTION", 1, "stands alone"),
    ('print("BEGIN SOLUTION")', 1, "stands alone"),
    ("### BEGIN SOLUTION ### END SOLUTION", 1, "two markers in one line"),
]


@pytest.mark.parametrize(("source", "line", "words"), BROKEN)
def test_a_broken_region_is_named_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(MarkerError, match=words) as caught:
        regions(source)
    assert caught.value.line == line
