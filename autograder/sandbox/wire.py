"""The plain data that crosses between the judge and a box, and nothing else.

Contract: a frame is two little-endian lengths, a msgpack value of the first and raw bytes of the
second, its tail. Scalars stand for themselves; everything else is a tagged list, such as
``["a", dtype, shape, offset]`` for an array whose bytes lie in the tail. The value is capped far lower
than the tail: a byte of msgpack can become an object, a byte of an array stays one.
Decoding never runs code that the other side chose: no pickle, no eval, no import by name, no
attribute access. Sizes, depth and element counts are capped before anything is built from them, what
a value may cost afterwards too (see ``bounds``), and whatever isn't understood is a WireError.

Trust: both ends use this module, and each treats what it receives as hostile.
"""

from __future__ import annotations

import builtins
import math
import select
import socket
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgpack
import numpy as np

from autograder.sandbox.bounds import NUMERIC_DTYPES, canonical, collisions, counted, expanded
from autograder.sandbox.collecting import uncollected
from autograder.sandbox.frames import HEADER, MAX_BODY, MAX_TAIL

MAX_DEPTH = 40
MAX_ITEMS = 1_000_000
MAX_LISTS = 3 * MAX_ITEMS + 1000
BULK_ITEMS = 8  # what an array or a tensor counts for: each takes a kilobyte, whatever is in it
MAX_TREE = 10 * MAX_ITEMS
MAX_COLLISIONS = 1000
MAX_INT_BYTES = 1 << 16
READ_AHEAD = 1 << 14
EMPTY = memoryview(b"")
CHUNK = 1 << 20
SMALL = 1 << 20
AT_ONCE = socket.MSG_DONTWAIT
HELD_UP_SECONDS = 5.0
LONGEST_WAIT = 1e6  # seconds that fit into poll's milliseconds
NUMERIC_KINDS = "biufc"
PLAIN_TYPES = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, dict, set)
}
BARE = frozenset((type(None), bool, int, float, str, bytes))
TORCH_DTYPES = (
    "bool uint8 int8 int16 int32 int64 float16 float32 float64 bfloat16 complex64 complex128".split()
)

Reference = Callable[[object], "list[Any] | None"]
Resolve = Callable[["list[Any]"], object]
Take = Callable[["list[Any]", int], memoryview]


class WireError(Exception):
    """The other side sent something that isn't plain data within the caps."""


class NotPlain(Exception):
    """A value has no encoding; ``reason`` names its type."""


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """The deadline passed before a whole frame arrived."""


class Tail:
    """The raw bytes that one message refers to."""

    def __init__(self) -> None:
        self.parts: list[memoryview] = []
        self.size = 0

    def add(self, raw: memoryview) -> int:
        """Keeps ``raw`` (not a copy) and returns its offset."""
        offset = self.size
        if offset + raw.nbytes > MAX_TAIL:
            raise NotPlain(f"arrays of {offset + raw.nbytes} bytes (at most {MAX_TAIL})")
        self.parts.append(raw)
        self.size += raw.nbytes
        return offset


class Frame(NamedTuple):
    """A received message and its tail."""

    message: Any
    tail: memoryview


class Encoder:
    """Turns values into tagged lists, arrays' bytes into ``tail``.

    ``reference`` is asked for each value that isn't plain; it returns a tagged list, or None
    to refuse. ``mutables`` collects the list, dict, set, bytearray and array objects in the
    order in which the decoder on the other side meets them.
    """

    def __init__(self, reference: Reference, tail: Tail, known: dict[int, int] | None = None) -> None:
        self.reference = reference
        self.tail = tail
        self.known = known or {}
        self.mutables: list[object] = []
        self.items = 0

    def encode(self, x: object, depth: int = 0) -> Any:
        kind = type(x)
        if x is None or kind is bool or kind is float or kind is bytes:
            return x
        if kind is str:
            return x if x.isascii() else whole_text(x)  # type: ignore[attr-defined]
        if kind is int and -(1 << 63) <= x < (1 << 64):  # type: ignore[operator]
            return x
        if depth > MAX_DEPTH:
            raise NotPlain(f"nested deeper than {MAX_DEPTH}")
        if kind is int:
            return ["i", big_int_bytes(x)]  # type: ignore[arg-type]
        if id(x) in self.known:
            return ["m", self.known[id(x)]]
        if kind in CONTAINERS:
            return self._container(x, kind, depth + 1)
        # An object of the judge's that stands for one in a box says so; asking it what else it is takes long.
        plain = None if hasattr(kind, "seat_of") else encode_leaf(x, self.tail)
        if plain is not None:
            if plain[0] == "a":
                self.mutables.append(x)
            self.count(cost(plain[0], x))
            return plain
        ref = self.reference(x)
        if ref is None:
            raise NotPlain(kind.__name__)
        if ref[0] == "a":  # an array of another kind, which the other side takes for an ordinary one
            self.mutables.append(x)
        return ref

    def count(self, items: int) -> None:
        self.items += items
        if self.items > MAX_ITEMS:
            raise NotPlain(f"more than {MAX_ITEMS} elements")

    def _container(self, x: Any, kind: type, depth: int) -> list[Any]:
        if kind is not tuple and kind is not frozenset:
            self.mutables.append(x)
        if kind is bytearray:
            return ["y", bytes(x)]
        self.count(len(x))
        if kind is dict:
            return ["d", [[self.encode(k, depth), self.encode(v, depth)] for k, v in list(x.items())]]
        return [CONTAINERS[kind], [self.encode(each, depth) for each in list(x)]]


CONTAINERS: dict[type, str] = {list: "l", tuple: "t", dict: "d", set: "s", frozenset: "z", bytearray: "y"}


def cost(tag: str, x: Any) -> int:
    """The elements that a value without elements of its own counts for, beside its place in a list."""
    return len(x) if tag == "rg" else BULK_ITEMS if tag in BULK else 0


def whole_text(x: Any) -> Any:
    """A text that UTF-8 can hold: half a surrogate pair can't be sent."""
    try:
        x.encode()
    except UnicodeEncodeError as error:
        raise NotPlain("a text with a lone surrogate") from error
    return x


def big_int_bytes(x: int) -> bytes:
    """Two's complement, big-endian."""
    size = x.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise NotPlain(f"an integer of {size} bytes")
    return x.to_bytes(size, "big", signed=True)


def encode_leaf(x: Any, tail: Tail) -> list[Any] | None:
    """A tagged list for a plain value without elements of its own, None for anything else."""
    kind = type(x)
    if kind is np.ndarray:
        return encode_array(x, tail)
    if isinstance(x, np.generic) and kind.__module__ == "numpy" and x.dtype.kind in NUMERIC_KINDS:
        return ["g", x.dtype.str, x.tobytes()]
    if kind is complex:
        return ["c", x.real, x.imag]
    if kind is slice and all(part is None or type(part) is int for part in (x.start, x.stop, x.step)):
        return ["sl", x.start, x.stop, x.step]
    if kind is range:
        return encode_range(x)
    if x is Ellipsis:
        return ["el"]
    if isinstance(x, np.dtype) and x.kind in NUMERIC_KINDS:
        return ["dt", x.str]
    if kind is type:
        return encode_type(x)
    return encode_torch(x, tail)


def encode_range(x: range) -> list[Any]:
    """A range counts as the list that it stands for: whoever adds it up does as much work."""
    parts = (x.start, x.stop, x.step)
    if not all(-(1 << 63) <= part < (1 << 64) for part in parts) or x[MAX_ITEMS:]:
        raise NotPlain(f"a range of more than {MAX_ITEMS} numbers")
    return ["rg", *parts]


def encode_array(x: Any, tail: Tail) -> list[Any] | None:
    """An array of a numeric dtype; object, string and structured arrays have no encoding."""
    if x.dtype.kind not in NUMERIC_KINDS or x.ndim > 32:
        return None
    if claimed_bytes(x.shape, x.itemsize) > MAX_TAIL:  # before a copy is made: of a broadcast array, too
        raise NotPlain(f"an array of the shape {x.shape} (at most {MAX_TAIL} bytes)")
    return ["a", x.dtype.str, list(x.shape), tail.add(bytes_of(x))]


def bytes_of(x: Any) -> memoryview:
    """An array's bytes in C order, without a copy where it is contiguous."""
    flat: Any = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    return memoryview(flat)


def encode_type(x: type) -> list[Any] | None:
    """The plain types and numpy's numeric scalar types, by name."""
    if PLAIN_TYPES.get(x.__name__) is x:
        return ["bt", x.__name__]
    if issubclass(x, np.generic) and x.__module__ == "numpy" and np.dtype(x).kind in NUMERIC_KINDS:
        return ["nt", np.dtype(x).str]
    return None


def encode_torch(x: Any, tail: Tail) -> list[Any] | None:
    """A dense torch tensor as detached data. Never imports torch: a box may not have it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(x, torch.dtype):
        return ["Td", str(x).removeprefix("torch.")]
    if type(x) not in (torch.Tensor, torch.nn.Parameter) or x.layout is not torch.strided:
        return None
    name = str(x.dtype).removeprefix("torch.")
    if name not in TORCH_DTYPES:
        return None
    if claimed_bytes(x.shape, x.element_size()) > MAX_TAIL:
        raise NotPlain(f"a tensor of the shape {tuple(x.shape)} (at most {MAX_TAIL} bytes)")
    flat = x.detach().cpu().contiguous().reshape(-1)
    raw = flat.view(torch.uint8) if flat.numel() else flat.to(torch.uint8)
    return ["T", name, list(x.shape), tail.add(bytes_of(raw.numpy()))]


class Decoder:
    """Builds values from tagged lists and a frame's tail. ``resolve`` is asked for the tags that
    aren't plain data."""

    def __init__(self, resolve: Resolve, tail: memoryview) -> None:
        self.resolve = resolve
        self.tail = tail
        self.mutables: list[object] = []
        self.items = 0
        self.taken = 0
        self.collisions = 0

    def decode(self, e: Any, depth: int = 0) -> Any:
        if type(e) is not list:
            return decode_scalar(e)
        if depth > MAX_DEPTH:
            raise WireError(f"nested deeper than {MAX_DEPTH}")
        if not e or type(e[0]) is not str:
            raise WireError("a value without a tag")
        tag = e[0]
        if tag in ("l", "t", "d", "s", "z"):
            return self._container(tag, field(e, 1, list), depth + 1)
        leaf = LEAVES.get(tag)
        if leaf is None and tag not in BULK:
            return self.resolve(e)
        try:
            x = self.bulk(e) if leaf is None else leaf(e)
        except WireError:
            raise
        except Exception as error:  # whatever a malformed value does to numpy or torch
            raise WireError(f"malformed {tag!r} value") from error
        if tag in ("a", "y"):
            self.mutables.append(x)
        self.count(cost(tag, x))
        return x

    def bulk(self, e: list[Any]) -> Any:
        """An array or a tensor, whose bytes lie in the tail."""
        return BULK[e[0]](e, self.take)

    def take(self, e: list[Any], size: int) -> memoryview:
        """The ``size`` bytes of the tail at the offset that ``e`` names; all values together get no
        more than there are, or a thousand arrays of one tail would be a thousand copies of it."""
        offset = field(e, 3, int)
        self.taken += size
        if offset < 0 or size > len(self.tail) - offset or self.taken > len(self.tail):
            raise WireError("an array that lies outside its message")
        return self.tail[offset : offset + size]

    def count(self, items: int) -> None:
        self.items += items
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} elements")

    def _container(self, tag: str, elements: list[Any], depth: int) -> Any:
        self.count(len(elements))
        if tag == "d":
            return self._dict(elements, depth)
        x: Any = [] if tag == "l" else set()
        if tag in ("l", "s"):
            self.mutables.append(x)
        decoded = [each if type(each) in BARE else self.decode(each, depth) for each in elements]
        if tag == "t":
            return tuple(decoded)
        if tag == "l":
            x.extend(decoded)
            return x
        self._require_keys(decoded)
        x.update(decoded)
        return x if tag == "s" else frozenset(x)

    def _dict(self, pairs: list[Any], depth: int) -> dict[Any, Any]:
        x: dict[Any, Any] = {}
        self.mutables.append(x)
        keys, values = [], []
        for pair in pairs:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("a dict entry that isn't a pair")
            keys.append(self.decode(pair[0], depth))
            values.append(self.decode(pair[1], depth))
        self._require_keys(keys)
        x.update(zip(keys, values, strict=True))
        return x

    def _require_keys(self, keys: list[Any]) -> None:
        try:
            self.collisions += collisions(keys)
        except Exception as error:  # a list has no hash, and a tuple that holds one has none
            raise WireError("a value without a hash where a key must stand") from error
        if self.collisions > MAX_COLLISIONS:
            raise WireError("keys that all have one hash")


def decode_scalar(e: Any) -> Any:
    if e is None or type(e) in (bool, int, float, str, bytes):
        return e
    raise WireError(f"a bare {type(e).__name__}")


def field(e: list[Any], index: int, kind: type) -> Any:
    """Element ``index`` of a tagged list, which must be exactly of ``kind``."""
    if len(e) <= index or type(e[index]) is not kind:
        raise WireError(f"malformed {e[0]!r} value")
    return e[index]


def numeric_dtype(e: list[Any]) -> np.dtype[Any]:
    dtype = NUMERIC_DTYPES.get(field(e, 1, str))
    if dtype is None:
        raise WireError("not a numeric dtype")
    return dtype


def shape_of(e: list[Any], itemsize: int) -> tuple[int, ...]:
    shape = field(e, 2, list)
    if len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise WireError("malformed shape")
    if claimed_bytes(shape, itemsize) > MAX_TAIL:
        raise WireError("a shape of more bytes than a message has")
    return tuple(shape)


def claimed_bytes(shape: Iterable[int], itemsize: int) -> int:
    """The bytes of an array of this shape, empty dimensions taken for 1: an empty array with a
    dimension of 2**60 is a list of 2**60 rows to whoever walks it."""
    return itemsize * math.prod(n or 1 for n in shape)


def decode_array(e: list[Any], take: Take) -> np.ndarray[Any, Any]:
    dtype = numeric_dtype(e)
    shape = shape_of(e, dtype.itemsize)
    raw = take(e, math.prod(shape) * dtype.itemsize)
    return canonical(np.frombuffer(raw, dtype).reshape(shape).copy())


def decode_numpy_scalar(e: list[Any]) -> Any:
    dtype, raw = numeric_dtype(e), field(e, 2, bytes)
    if len(raw) != dtype.itemsize:
        raise WireError("a scalar of the wrong size")
    return canonical(np.frombuffer(raw, dtype).copy())[0]


def decode_torch(e: list[Any], take: Take) -> Any:
    import torch  # only a side that uses tensors pays for it

    dtype = torch_dtype(field(e, 1, str))
    shape = shape_of(e, dtype.itemsize)
    raw = bytearray(take(e, math.prod(shape) * dtype.itemsize))
    if not raw:
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:  # of any byte but 0 and 1 torch makes a boolean that is neither
        return (torch.frombuffer(raw, dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(raw, dtype=dtype).reshape(shape)


def torch_dtype(name: str) -> Any:
    import torch

    if name not in TORCH_DTYPES:
        raise WireError("not a torch dtype")
    return getattr(torch, name)


def decode_big_int(e: list[Any]) -> int:
    raw = field(e, 1, bytes)
    if len(raw) > MAX_INT_BYTES:
        raise WireError("an integer too large")
    return int.from_bytes(raw, "big", signed=True)


def decode_range(e: list[Any]) -> range:
    x = range(field(e, 1, int), field(e, 2, int), field(e, 3, int))
    if x[MAX_ITEMS:]:  # its len() may be an error of its own
        raise WireError(f"a range of more than {MAX_ITEMS} numbers")
    return x


def decode_slice(e: list[Any]) -> slice:
    parts = e[1:]
    if len(parts) != 3 or any(part is not None and type(part) is not int for part in parts):
        raise WireError("malformed slice")
    return slice(*parts)


def decode_plain_type(e: list[Any]) -> type:
    name = field(e, 1, str)
    if name not in PLAIN_TYPES:
        raise WireError("not a plain type")
    return PLAIN_TYPES[name]


BULK: dict[str, Callable[[list[Any], Take], Any]] = {"a": decode_array, "T": decode_torch}
LEAVES: dict[str, Callable[[list[Any]], Any]] = {
    "g": decode_numpy_scalar,
    "Td": lambda e: torch_dtype(field(e, 1, str)),
    "i": decode_big_int,
    "c": lambda e: complex(field(e, 1, float), field(e, 2, float)),
    "sl": decode_slice,
    "rg": decode_range,
    "el": lambda e: Ellipsis,
    "dt": numeric_dtype,
    "nt": lambda e: numeric_dtype(e).type,
    "bt": decode_plain_type,
    "y": lambda e: bytearray(field(e, 1, bytes)),
}


def require_tree(*values: object) -> None:
    """Raises WireError for values that hold themselves, or hold one list so many times that whoever
    walks them never comes to an end. A decoded value can, where ``resolve`` gave it known objects."""
    if expanded(values, MAX_TREE, 2 * MAX_DEPTH) > MAX_TREE:
        raise WireError("lists that hold themselves or each other too many times")


def pack(message: Any, tail: Tail | None = None) -> list[memoryview]:
    """One frame, in the pieces that have to be sent one after the other."""
    try:
        body = packed(message)
    except (ValueError, OverflowError) as error:  # nested deeper than msgpack goes, an integer too large
        raise NotPlain(f"a message that can't be packed ({error})") from error
    if len(body) > MAX_BODY:
        raise NotPlain(f"a message of {len(body)} bytes beside its arrays (at most {MAX_BODY})")
    head = HEADER.pack(len(body), tail.size if tail else 0) + body
    return [memoryview(head), *(tail.parts if tail else ())]


def packed(message: Any) -> bytes:
    """The message in msgpack. A lone surrogate, which an error's text or an output may hold, becomes "?"."""
    try:
        return bytes(msgpack.packb(message, use_bin_type=True))
    except UnicodeEncodeError:
        return bytes(msgpack.packb(message, use_bin_type=True, unicode_errors="replace"))


def unpack(body: bytes | bytearray) -> Any:
    """The message in a frame's body. Counts and sizes are bounded by the body's own length, and for a
    large one by ``MAX_LISTS``: a byte can be an empty list, which takes 90 times as much memory."""
    hook = counted(MAX_LISTS) if len(body) > SMALL else None
    try:
        with uncollected():  # it makes no garbage, and collections while it runs take longer than it does
            return msgpack.unpackb(
                body,
                raw=False,
                strict_map_key=True,
                max_map_len=10_000,
                max_ext_len=0,
                max_array_len=MAX_ITEMS,
                list_hook=hook,
                object_hook=hook,
            )
    except Exception as error:  # msgpack raises many kinds, UnicodeDecodeError among them
        raise WireError("not a message") from error


class Channel:
    """Frames over a stream socket, each read or write under a deadline on the monotonic clock.

    A buffered channel reads ahead, which saves a system call a frame; one over which descriptors
    are passed too must not.
    """

    def __init__(self, sock: socket.socket, *, buffered: bool = False) -> None:
        sock.settimeout(None)  # here once: each time it is a system call
        self.sock = sock
        self.arrivals = select.poll()
        self.arrivals.register(sock, select.POLLIN)
        self.ahead = READ_AHEAD if buffered else 0
        self.buffer = bytearray()

    def send(self, message: Any, tail: Tail | None = None, deadline: float = math.inf) -> None:
        """Raises Late, Closed, and NotPlain for a message that is too large."""
        for piece in pack(message, tail):
            self._write(piece, deadline)

    def receive(self, deadline: float = math.inf) -> Frame:
        """Raises Late, Closed and WireError."""
        body, tail = HEADER.unpack(self._read(HEADER.size, deadline))
        if body > MAX_BODY or tail > MAX_TAIL:
            raise WireError(f"a frame of {body} and {tail} bytes")
        message = unpack(self._read(body, deadline))
        return Frame(message, memoryview(self._read(tail, deadline)) if tail else EMPTY)

    def _write(self, piece: memoryview, deadline: float) -> None:
        flags = AT_ONCE if deadline < math.inf else 0
        while piece:
            try:
                piece = piece[self.sock.send(piece, flags) :]
            except BlockingIOError:
                room = select.poll()
                room.register(self.sock, select.POLLOUT)
                wait(room, deadline)
            except OSError as error:
                raise Closed from error

    def _read(self, count: int, deadline: float) -> bytearray:
        got, flags = self.buffer, AT_ONCE if deadline < math.inf else 0
        while len(got) < count:
            if flags:
                wait(self.arrivals, deadline)
            try:
                part = self.sock.recv(max(self.ahead, min(count - len(got), CHUNK)), flags)
            except BlockingIOError:
                continue
            except OSError as error:
                raise Closed from error
            if not part:
                raise Closed
            got += part
        if len(got) == count:
            self.buffer = bytearray()
            return got
        whole, self.buffer = got[:count], got[count:]
        return whole


def wait(poll: select.poll, deadline: float) -> None:
    """Until something happens that ``poll`` watches for. Raises Late.

    What is there at the first look isn't late where this process was held up; not for ever, as more may come.
    """
    left = deadline - time.monotonic()
    if left < -HELD_UP_SECONDS or not poll.poll(math.ceil(max(0.0, min(left, LONGEST_WAIT)) * 1000)):
        raise Late


def is_builtin_exception(name: str) -> bool:
    """Whether ``name`` is an ordinary exception of Python's own (never SystemExit and the like)."""
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, Exception)
