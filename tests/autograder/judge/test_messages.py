"""Of a hidden line only the author's literal words leave the judge."""

from __future__ import annotations

import pytest

from autograder.judge.messages import award_words, literal_words


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("assert f(1) == 2, 'off by one'", 1, "off by one"),
        ("assert f(1) == 2, f'off for {1}: use {2}'", 1, "off for …: use …"),
        ("assert f(1) == 2, 'off for %d' % 1", 1, "off for %d"),
        ("assert f(1) == 2, 'off for {}'.format(1)", 1, "off for {}"),
        ("assert f(1) == 2, 'a' + str(1)", 1, "a…"),
        ("assert f(1) == 2, message", 1, None),
        ("assert f(1) == 2", 1, None),
        ("raise AssertionError('no')", 1, "no"),
        ("np.testing.assert_allclose(f(1), 2, err_msg='sum is off')", 1, "sum is off"),
        ("assert_close(f(1), 2, msg=f'at {1}')", 1, "at …"),
        ("for x in (1, 2):\n    assert f(x) == x, f'case {x}'", 2, "case …"),
        ("def g():\n    assert f(1) == 2, 'inner'\ng()", 2, "inner"),
        ("assert (\n    f(1) == 2\n), 'tall'", 2, "tall"),
        ("assert f(1) ==", 1, None),
        ("x = 1", 9, None),
    ],
)
def test_literal_words(source: str, line: int, words: str | None) -> None:
    assert literal_words(source, line) == words


def test_award_shows_literal_words_too() -> None:
    source = "x = f(1)\naward(3, f'{x} is close')"
    assert award_words(source, 2) == "… is close"
    assert award_words("award(3, message=x)", 1) == ""
    assert award_words(source, None) == ""
