"""Nothing of a hidden check reaches what a student may read, whatever the student's code does.

Every way to write something into a check that a student mustn't see stands in one notebook, each with a secret of
its own, and every way in which a student's code may make it speak is one submission.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.errors import SubmissionError
from autograder.judge import Court, Verdict
from tests.autograder.judge.notebooks import check, given, notebook, scratch, solve
from tests.autograder.pipeline import Pipeline, open_pipeline, printed
from tests.autograder.target import NAME

WINDOW = 12
RANDOM = random.Random(8)  # noqa: S311 - secrets of a test
PLACES = {
    "a comment": "# {}\nassert f(1) == 'no'",
    "a name": "{} = f(2)\nassert {} == 'no'",
    "a missing name": "assert {} == f(3)",
    "an expected text": "assert f(4) == '{}'",
    "a computed message": "assert f(5) == 'no', 'got ' + '{}'[0:] + str(f(5))",
    "a field of a message": "x = '{}'\nassert f(6) == 'no', f'wanted {{x}}'",
    "a comparison of texts": "np.testing.assert_equal(f(7), '{}')",
    "a comparison of lists": "assert [f(8)] == ['{}', 'no']",
    "an error of the check's own": "if f(9) != 'no':\n    raise ValueError(str(['{}']))",
    "a missing key": "table = {{}}\ntable['{}'] if f(10) != 'no' else None",
    "a wanted error": "with pytest.raises(ValueError, match='{}'):\n    f(11)",
    "an unwanted kind": "with pytest.raises(type('{}', (Exception,), {{}})):\n    f(12)",
    "an approximation": "{} = {number}\nassert f(13) == pytest.approx({})",
    "a warning": "import warnings\nf(14)\nwarnings.warn('{}')\nassert False",
    "a print": "print('{}')\nassert f(15) == 'no'",
    "a log": "import logging\nlogging.warning('{}')\nassert f(16) == 'no'",
    "a last expression": "f(17)\n'{}'",
    "an award": "award(0, str(['{}'][0]))",
    "a failure": "f(18)\npytest.fail('{}'[0:])",
    "a skip": "f(19)\npytest.skip('{}'[0:])",
    "an exit": "f(20)\nraise SystemExit('{}'[0:])",
    "a syntax error": "f(21)\n{} {}",
    "an attribute": "f(22).{}",
    "a method": "f(23).{}(1)",
    "a callback's error": "def told(x):\n    raise KeyError('{}'[0:])\nassert f(told) == 'no'",
    "a callback's value": "assert f(lambda x: '{}') == 'no'",
    "a chain of errors": "try:\n    raise OSError('{}'[0:])\nexcept OSError as e:\n    assert f(24) == 'no', e",
    "a nested function": "def {}():\n    assert f(25) == 'no'\n{}()",
    "a module's name": "import {}\nassert f(26)",
    "a file": "open('/tmp/{}').read(f(27))",
    "an array": "np.testing.assert_array_equal(np.array([f(28)] * 2), np.array(['{}', '']))",
}
ANSWERS = {
    "wrong": "def f(x): return 'wrong'",
    "none": "def f(x): return None",
    "a number": "def f(x): return 1.5",
    "an echo": "def f(x): return x",
    "an error that tells": "def f(x): raise ValueError(f'GOT {x!r} {getattr(x, \"__name__\", 0)}')",
    "a named error": "def f(x): raise type(str(x), (KeyError,), {})(x)",
    "a caller": "def f(x):\n    got = x(1) if callable(x) else x\n    print(got)\n    raise RuntimeError(got)",
    "a keeper": (
        "kept = []\ndef f(x):\n    try:\n        kept.append(x(1) if callable(x) else x)\n"
        "    except BaseException as e:\n        kept.append(repr(e))\n    return str(kept)"
    ),
    "an object": "class Any:\n    def __getattr__(self, n): raise AttributeError(n)\ndef f(x): return Any()",
    "a snoop": (
        "import sys, gc, inspect, linecache\ndef f(x):\n    seen = [str(i.frame.f_locals) for i in inspect.stack()]\n"
        "    raise ValueError(str(seen) + str(list(linecache.cache)) + str([o for o in gc.get_objects() if "
        "isinstance(o, str)]))"
    ),
    "a crash": "import os\ndef f(x): os._exit(3)",
    "no function": "f = 3",
    "nothing": "",
    "a broken cell": "def f(x:",
}


def secret() -> str:
    return "k" + "".join(RANDOM.choices(string.ascii_lowercase + string.digits, k=19))


SECRETS = {place: secret() for place in PLACES}
NUMBER = "81.5734920668142"


def hidden(place: str) -> str:
    return (
        PLACES[place]
        .replace("{number}", NUMBER)
        .replace("{{", "{")
        .replace("}}", "}")
        .replace("{}", SECRETS[place])
    )


def assignment(answer: str) -> NotebookNode:
    """One question; each check's visible line passes, its hidden ones hold a secret."""
    after = "try:\n    print(kept)\nexcept NameError:\n    pass"
    checks = [check(f"c{n}", "assert True", hidden(place), question="f") for n, place in enumerate(PLACES)]
    made: NotebookNode = notebook(
        given("import numpy as np\nimport pytest"), solve("f", answer), *checks, scratch(after)
    )
    return made


@pytest.fixture(scope="module")
def pipeline(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    source = assignment("def f(x):\n    return 'no'")
    with open_pipeline(tmp_path_factory.mktemp("hygiene"), court, source) as opened:
        yield opened


def leaks(shown: str) -> list[str]:
    """The places whose secret, or a part of it, stands in a text."""
    every = {**SECRETS, "a number": NUMBER}
    return [
        place
        for place, words in every.items()
        if any(words[start : start + WINDOW] in shown for start in range(len(words) - WINDOW + 1))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_part_of_a_hidden_check_is_shown(pipeline: Pipeline, kind: str) -> None:
    student = kind.replace(" ", ".")
    data = nbformat.writes(assignment(ANSWERS[kind])).encode()
    got = pipeline.hand_in(student, {f"{NAME}.ipynb": data})
    assert Verdict.FAULT not in [each.verdict for page in got.attempt.notebooks for each in page.checks]
    assert leaks(printed(got) + got.shown) == []


def test_the_secrets_would_be_seen(pipeline: Pipeline) -> None:
    source = pipeline.course / "source" / NAME / f"{NAME}.ipynb"
    assert leaks(source.read_text()) == [*PLACES, "a number"]


def test_what_is_released_holds_none_of_them(pipeline: Pipeline) -> None:
    released = sorted((pipeline.course / "release").rglob("*.ipynb"))
    assert released
    assert [leaks(path.read_text()) for path in released] == [[]] * len(released)


def test_refusals_name_no_path_of_the_platform(pipeline: Pipeline) -> None:
    with pytest.raises(SubmissionError) as refused:
        pipeline.hand_in("pathless", {"../x.ipynb": b"{}"})
    got = pipeline.hand_in("broken", {f"{NAME}.ipynb": b"{"})
    for words in (str(refused.value), got.problem, got.shown):
        assert str(pipeline.course) not in words and str(Path(__file__).parents[2]) not in words
