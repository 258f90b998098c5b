"""Values in the wire's encoding, right and wrong, drawn from a fuzzer's bytes.

Contract: any bytes draw something, the same bytes the same, and more bytes more of it; what is drawn
always gets past msgpack, so that a fuzzer's changes reach the decoder behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

DTYPES = (
    "|b1", "|i1", "|u1", "<i2", ">i2", "<u4", "<i8", ">u8", "<f2", ">f4", "<f8", ">f8", "<f16", "<c8", ">c16", "<c32",
    "f8", "?", "|O", "<M8[s]", "|S4", "<f8,<f8", "2f4", "|V8", "=f8", "",
)  # fmt: skip
TORCH = (
    *"bool uint8 int64 float16 float32 bfloat16 complex64 complex128".split(),
    "quint8",
    "float8_e4m3fn",
    "nn",
    "",
)
TAGS = "l t d s z a T g Td i c sl rg el dt nt bt y m r f it".split()
NUMBERS = (
    0,
    1,
    2,
    -1,
    7,
    64,
    255,
    1 << 31,
    (1 << 61) - 1,
    (1 << 63) - 1,
    -(1 << 63),
    (1 << 64) - 1,
    1_000_001,
    1 << 40,
)
FLOATS = (
    0.0,
    -0.0,
    1.0,
    float("nan"),
    float("inf"),
    5e-324,
    1e308,
    struct.unpack("<d", b"\1\0\0\0\0\0\xf0\x7f")[0],
)
TEXTS = ("", "a", "int", "float", "eval", "object", "é", "\U0001f600", "__class__", "l", "ok", "<f8")
ITEM = {"1": 1, "2": 2, "4": 4, "8": 8, "6": 16}


class Draw:
    """Choices made by bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def byte(self) -> int:
        if self.left <= 0:
            return 0
        self.at += 1
        return self.data[self.at - 1]

    def below(self, most: int) -> int:
        return self.byte() % most

    def raw(self, size: int) -> bytes:
        got = self.data[self.at : self.at + size]
        self.at += len(got)
        return got

    def one_of(self, choices: Any) -> Any:
        return choices[self.below(len(choices))]


def draw_frame(draw: Draw) -> tuple[Any, bytes]:
    """A message and its tail."""
    tail = draw.raw(draw.below(65))
    return draw_value(draw), tail


def draw_value(draw: Draw, depth: int = 0) -> Any:
    """A value as a sender encodes it, or nearly."""
    kind = draw.below(16)
    if kind < 5 or depth > 6 or draw.left <= 0:
        return draw_scalar(draw)
    if kind == 5:
        return draw_junk(draw, depth)
    if kind == 6:
        return draw_deep(draw)
    tag = draw.one_of(TAGS)
    return MAKERS.get(tag, draw_reference)(draw, tag, depth + 1)


def draw_scalar(draw: Draw) -> Any:
    kind = draw.below(8)
    if kind == 0:
        return draw.one_of((None, True, False))
    if kind == 1:
        return draw.one_of(FLOATS)
    if kind == 2:
        return draw.raw(draw.below(12))
    if kind == 3:
        return draw.one_of(TEXTS)
    if kind == 4:
        return draw.one_of(NUMBERS)
    if kind == 5:
        return int.from_bytes(draw.raw(8), "big")
    if kind == 6:
        return struct.unpack("<d", draw.raw(8).ljust(8, b"\0"))[0]
    return draw.byte() - 128


def draw_junk(draw: Draw, depth: int) -> Any:
    """A list with a tag, or without, and too much or too little behind it."""
    head = draw.one_of((*TAGS, 1, None, "?", ""))
    parts = [
        draw.one_of((draw_scalar, lambda d: d.one_of(DTYPES), lambda d: []))(draw)
        for _ in range(draw.below(5))
    ]
    return [head, *parts] if draw.below(4) else {"a": parts, "b": draw_value(draw, depth + 1)}


def draw_deep(draw: Draw) -> Any:
    x: Any = draw_scalar(draw)
    tag = draw.one_of("ltzds")
    for _ in range(draw.below(50)):
        x = [tag, [[1, x] if tag == "d" else x]]
    return x


def draw_elements(draw: Draw, tag: str, depth: int) -> Any:
    if depth == 1 and draw.below(8) == 0:  # many of a kind
        x = draw_value(draw, depth)
        return [tag, [x] * draw.below(40)]
    return [tag, [draw_value(draw, depth) for _ in range(draw.below(6))]]


def draw_pairs(draw: Draw, tag: str, depth: int) -> Any:
    return [
        tag,
        [
            [draw_value(draw, depth) for _ in range(draw.one_of((2, 2, 2, 2, 1, 3)))]
            for _ in range(draw.below(6))
        ],
    ]


def draw_array(draw: Draw, tag: str, depth: int) -> Any:
    name = draw.one_of(DTYPES if tag == "a" else TORCH)
    shape = [draw.one_of((draw.below(5), draw.below(5), draw.one_of(NUMBERS))) for _ in range(draw.below(5))]
    return [tag, name, shape, draw.one_of((0, 0, 0, draw.byte(), draw.one_of(NUMBERS)))]


def draw_number(draw: Draw, tag: str, depth: int) -> Any:
    name = draw.one_of(DTYPES)
    size = ITEM.get(name[-1:], 8) if draw.below(8) else draw.below(40)
    return [tag, name, draw.raw(size).ljust(size, b"\0")]


def draw_big(draw: Draw, tag: str, depth: int) -> Any:
    if draw.below(4) == 0:  # keys of one hash
        return ["s", [["i", (n * ((1 << 61) - 1)).to_bytes(32, "big")] for n in range(1, draw.below(30))]]
    return [tag, draw.raw(draw.below(40)) * draw.one_of((1, 1, 1, 200))]


def draw_numbers(draw: Draw, tag: str, depth: int) -> Any:
    return [
        tag,
        *(
            draw.one_of((draw.below(9), draw.one_of(NUMBERS), draw_scalar(draw)))
            for _ in range(draw.one_of((3, 3, 3, 2, 4)))
        ),
    ]


def draw_floats(draw: Draw, tag: str, depth: int) -> Any:
    return [tag, *(draw.one_of((draw.one_of(FLOATS), draw_scalar(draw))) for _ in range(2))]


def draw_name(draw: Draw, tag: str, depth: int) -> Any:
    return [tag, draw.one_of({"Td": TORCH, "bt": TEXTS}.get(tag, DTYPES))]


def draw_reference(draw: Draw, tag: str, depth: int) -> Any:
    """What only a link resolves: known arguments, handles, functions."""
    if tag == "r":
        bases = draw.one_of(
            ([], ["ValueError"], ["UnicodeDecodeError"], ["ExceptionGroup"], ["SystemExit", 5], 7)
        )
        return ["r", draw.below(6), draw.one_of(TEXTS), draw.one_of((0, 1, 2, 3, 4, 7, 255)), bases]
    return [tag, draw.one_of((draw.below(4), draw.one_of(NUMBERS)))]


Maker = Callable[[Draw, str, int], Any]
MAKERS: dict[str, Maker] = {
    **dict.fromkeys("ltsz", draw_elements),
    **dict.fromkeys(("a", "T"), draw_array),
    **dict.fromkeys(("dt", "nt", "bt", "Td"), draw_name),
    **dict.fromkeys(("sl", "rg"), draw_numbers),
    "d": draw_pairs,
    "g": draw_number,
    "i": draw_big,
    "c": draw_floats,
    "el": lambda draw, tag, depth: [tag],
    "y": lambda draw, tag, depth: [tag, draw.raw(draw.below(20))],
}
