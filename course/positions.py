"""Finds the line on which each key of a TOML text stands, which tomllib doesn't tell.

Contract: the text is valid TOML (tomllib has read it). A path is the keys and array indices
that lead to a value, as in ``("assignments", 0, "due")``; every table, key and array element
has one. Trusts tomllib for validity and looks only at structure: keys, brackets, strings.
"""

from __future__ import annotations

import re
from bisect import bisect_right

KeyPath = tuple[str | int, ...]

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
INLINE_BLANK = re.compile(r"[ \t]*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
SCALAR = re.compile(r"[^,\]}#\n]*")
STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, of every path in a valid TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {(): 1}
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._tables: dict[KeyPath, int] = {}  # arrays of tables, and how many each has so far

    def scan(self) -> dict[KeyPath, int]:
        prefix: KeyPath = ()
        while self._skip(BLANK) < len(self.text):
            if self._take("[["):
                prefix = self._open_table(self._keys(), in_array=True)
                self._take("]]")
            elif self._take("["):
                prefix = self._open_table(self._keys(), in_array=False)
                self._take("]")
            else:
                self._pair(prefix)
        return self.lines

    def _open_table(self, keys: list[str], *, in_array: bool) -> KeyPath:
        path: KeyPath = ()
        for depth, key in enumerate(keys, 1):
            path = self._enter((*path, key), new=in_array and depth == len(keys))
        self.lines[path] = self._line()
        return path

    def _enter(self, path: KeyPath, *, new: bool) -> KeyPath:
        """The path itself, or its newest element where it is an array of tables."""
        self._mark(path)
        if new:
            self._tables[path] = self._tables.get(path, 0) + 1
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _pair(self, prefix: KeyPath) -> None:
        path = prefix
        for key in self._keys():
            path = (*path, key)
            self._mark(path)
        self._take("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(INLINE_BLANK)
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            while not self._closed("}"):
                self._pair(path)
        elif self.text[self.at] in "\"'":
            self._string()
        else:
            self._skip(SCALAR)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while not self._closed("]"):
            self._mark((*path, index))
            self._value((*path, index))
            index += 1

    def _closed(self, bracket: str) -> bool:
        self._skip(BLANK)
        self._take(",")
        self._skip(BLANK)
        return self._take(bracket)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._take("."):
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip(INLINE_BLANK)
        if self.text[self.at] not in "\"'":
            start = self.at
            return self.text[start : self._skip(BARE_KEY)]
        word = self._string()
        return ESCAPE.sub(_unescape, word[1:-1]) if word[0] == '"' else word[1:-1]

    def _string(self) -> str:
        found = next(filter(None, (pattern.match(self.text, self.at) for pattern in STRINGS)))
        self.at = found.end()
        return found.group()

    def _take(self, mark: str) -> bool:
        self._skip(INLINE_BLANK)
        taken = self.text.startswith(mark, self.at)
        self.at += len(mark) if taken else 0
        return taken

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self._line())

    def _line(self) -> int:
        return bisect_right(self._starts, self.at)


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else ESCAPED[code]
