"""Says where in an author's file something is wrong: ``file:line: message``.

Contract: every error of this package about an author's text is made here, so that every one
names the file and the line in the form that editors and terminals can jump to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from autograder.judge import AuthorError


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1."""

    file: Path
    line: int = 1

    def error(self, message: str) -> AuthorError:
        """The error to raise for what is written here."""
        return AuthorError(f"{self}: {message}")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of an error message: the right word nearest to ``word``, or all of them."""
    known = sorted(words)
    if close := get_close_matches(word.lower(), known, n=1, cutoff=0.5):
        return f"did you mean {str(close[0])!r}?"
    return "known here: " + ", ".join(known) if known else "nothing may stand here"


def read_text(file: Path) -> str:
    """The text of an author's file; AuthorError if it is missing or isn't UTF-8."""
    try:
        return file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError:
        raise AuthorError(f"{file}: no such file") from None
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        raise Place(file, line).error("not UTF-8: save the file as UTF-8") from e
    except OSError as e:
        raise AuthorError(f"{file}: can't be read: {e.strerror}") from e
