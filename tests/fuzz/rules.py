"""What holds for every frame: plain data within the caps, or a WireError, soon and without growth."""

from __future__ import annotations

import resource
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from autograder.sandbox.wire import MAX_DEPTH, MAX_ITEMS, Decoder, Encoder, Tail, WireError, pack, unpack

MAX_SECONDS = 1.0
MAX_GROWTH = 256 << 20
PEAK_EVERY = 100
PLAIN = (
    type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, slice, range,
    type(Ellipsis), type, np.ndarray, torch.Tensor, torch.dtype,
)  # fmt: skip


class Broken(Exception):
    """A frame broke a rule. No error of the decoder's own, so that nothing catches it on its way."""


class Watch:
    """Sees to it that an input is done in time and that all of them together take no more memory."""

    def __init__(self) -> None:
        self.base = peak_bytes()
        self.runs = 0

    def run(self, target: Callable[[bytes], None], data: bytes) -> None:
        start = time.perf_counter()
        target(data)
        if time.perf_counter() - start > MAX_SECONDS:  # on a busy machine that may be another's time
            start = time.process_time()
            target(data)
            if time.process_time() - start > MAX_SECONDS:
                raise Broken(f"took {time.process_time() - start:.1f} s")
        if self.runs % PEAK_EVERY == 0 and peak_bytes() - self.base > MAX_GROWTH:
            raise Broken(f"grew by {(peak_bytes() - self.base) >> 20} MB")
        self.runs += 1


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def refuse(e: list[Any]) -> object:
    raise WireError(f"tag {e[0]!r}")


def check_frame(body: bytes, tail: bytes) -> bool:
    """Decodes one frame; raises Broken, or whatever the decoder shouldn't have. True for plain data."""
    try:
        x = Decoder(refuse, memoryview(tail)).decode(unpack(body))
    except WireError:
        return False
    size = require_plain(x, 0)
    if size > MAX_ITEMS + 1:
        raise Broken(f"{size} elements")
    if not same(x, again(x)):
        raise Broken(f"came back as another value: {x!r}"[:1000])
    return True


def again(x: object) -> Any:
    """``x`` encoded, framed and decoded."""
    tail = Tail()
    frame = pack(Encoder(lambda each: None, tail).encode(x), tail)
    return Decoder(refuse, memoryview(b"".join(frame[1:]))).decode(unpack(bytes(frame[0])[8:]))


def require_plain(x: Any, depth: int) -> int:
    """How many elements ``x`` has. Raises Broken for what is no plain data, or too deep."""
    if type(x) not in PLAIN and not isinstance(x, np.generic | np.dtype):
        raise Broken(f"decoded to a {type(x).__name__}")
    if depth > MAX_DEPTH + 1:
        raise Broken("decoded to something too deep")
    if isinstance(x, range):
        return len(x)
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind not in "biufc":
        raise Broken(f"decoded to the dtype {x.dtype}")
    if isinstance(x, np.ndarray) and x.dtype.kind == "b" and x.size and x.view(np.uint8).max() > 1:
        raise Broken("decoded to a boolean that is neither true nor false")
    parts = (
        [*x.keys(), *x.values()]
        if isinstance(x, dict)
        else x
        if isinstance(x, list | tuple | set | frozenset)
        else []
    )
    return 1 + sum(require_plain(each, depth + 1) for each in parts)


def same(a: Any, b: Any) -> bool:
    """Whether two values are the same, bit by bit and of one type throughout."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, set | frozenset):
        return sorted(map(bits, a)) == sorted(map(bits, b))
    return bits(a) == bits(b)


def bits(x: Any) -> bytes:
    """A leaf's content."""
    if type(x) is int:
        return b"int" + x.to_bytes(x.bit_length() // 8 + 1, "big", signed=True)
    if isinstance(x, float):
        return (
            b"float" + struct.pack("<d", x) if not isinstance(x, np.generic) else number_bits(np.asarray(x))
        )
    if isinstance(x, complex) and not isinstance(x, np.generic):
        return struct.pack("<dd", x.real, x.imag)
    if isinstance(x, np.ndarray | np.generic):
        return number_bits(np.asarray(x))
    if isinstance(x, torch.Tensor):
        flat = x.contiguous().reshape(-1)
        raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        return f"{x.dtype} {tuple(x.shape)} ".encode() + raw
    if isinstance(x, tuple | frozenset):
        parts = map(bits, x)
        return type(x).__name__.encode() + b",".join(sorted(parts) if isinstance(x, frozenset) else parts)
    return f"{type(x).__name__} {x!r}".encode("utf-8", "surrogatepass")


def number_bits(x: np.ndarray[Any, Any]) -> bytes:
    """Dtype, shape and bytes; of an 80-bit float without the six bytes that fill it up."""
    raw = np.frombuffer(x.tobytes(), np.uint8)
    if x.dtype.kind in "fc" and x.dtype.itemsize > 8 * (1 + (x.dtype.kind == "c")):
        part = raw.reshape(-1, 16)
        raw = part[:, :10] if x.dtype.byteorder != ">" else part[:, 6:]
    return f"{x.dtype.str} {x.shape} ".encode() + raw.tobytes()
