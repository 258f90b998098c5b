"""The wire: what is plain comes back equal, and no bytes whatever do more than raise WireError."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.sandbox.wire import (
    HEADER,
    MAX_BODY,
    MAX_DEPTH,
    MAX_TAIL,
    Channel,
    Closed,
    Decoder,
    Encoder,
    Late,
    NotPlain,
    Tail,
    WireError,
    pack,
    unpack,
)

NUMERIC = st.sampled_from("? i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16 >f8 >i4".split()).map(np.dtype)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.builds(range, st.integers(-5, 5), st.integers(-5, 5), st.integers(1, 3))
)
KEYS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.tuples(st.integers(), st.text(max_size=3))
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.sets(KEYS, max_size=4)
        | st.frozensets(KEYS, max_size=4)
    ),
    max_leaves=20,
)
ARRAYS = NUMERIC.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=4))
)


def nothing_crosses(x: object) -> None:
    return None


def refuse(e: list[Any]) -> object:
    raise WireError(f"tag {e[0]!r}")


def encode(x: object) -> tuple[Encoder, Any]:
    encoder = Encoder(nothing_crosses, Tail())
    return encoder, encoder.encode(x)


def decode(sent: Any, tail: bytes = b"") -> Any:
    return Decoder(refuse, memoryview(tail)).decode(sent)


def through(x: object) -> Any:
    """``x`` over a real socket."""
    encoder, encoded = encode(x)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(encoded, encoder.tail)
        frame = Channel(theirs).receive()
    return Decoder(refuse, frame.tail).decode(frame.message)


def same_types(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    return not isinstance(a, list | tuple) or all(map(same_types, a, b))


@given(PLAIN)
def test_plain_data_comes_back_equal_and_of_the_same_type(x: object) -> None:
    back = through(x)
    assert back == x
    assert same_types(x, back)


@given(ARRAYS)
def test_arrays_come_back_bit_for_bit(x: Any) -> None:
    back = through(x)
    assert back.dtype == x.dtype
    assert back.shape == x.shape
    assert back.tobytes() == np.ascontiguousarray(x).tobytes()
    assert back.flags.writeable


@given(ARRAYS.filter(lambda x: x.size > 0))
def test_numpy_scalars_keep_their_type(x: Any) -> None:
    scalar = x.reshape(-1)[0]
    back = through(scalar)
    assert type(back) is type(scalar)
    assert back.tobytes() == scalar.tobytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool, torch.bfloat16, torch.complex64])
def test_tensors_come_back_as_detached_data(dtype: torch.dtype) -> None:
    x = torch.ones(2, 3).to(dtype)
    back = through(x)
    assert torch.equal(back, x)
    assert back.dtype == dtype
    assert not through(torch.ones(2, requires_grad=True)).requires_grad


def test_views_and_empty_arrays_cross() -> None:
    x = np.arange(12.0).reshape(3, 4)[::-1, ::2]
    assert np.array_equal(through(x), x)
    assert through(np.zeros((0, 3))).shape == (0, 3)
    assert through(torch.empty(0, 2)).shape == (0, 2)


def test_aliases_inside_one_message_keep_their_order() -> None:
    x = {"a": [1, np.ones(2)], "b": {3}}
    encoder, encoded = encode(x)
    decoder = Decoder(refuse, memoryview(b"".join(encoder.tail.parts)))
    decoder.decode(encoded)
    assert [type(each) for each in encoder.mutables] == [type(each) for each in decoder.mutables]


@pytest.mark.parametrize(
    "x",
    [
        object(),
        np.array([object()]),
        np.array(["text"]),
        np.zeros(1, dtype=[("a", "i4")]),
        np.datetime64("2027-01-01"),
        np.ma.masked_array([1.0]),
        type("Float", (float,), {})(1),
        type("Own", (), {}),
        torch.nn.Linear(1, 1),
        lambda: 1,
    ],
)
def test_what_is_not_plain_has_no_encoding(x: object) -> None:
    with pytest.raises(NotPlain):
        encode(x)


def test_depth_is_capped_on_both_sides() -> None:
    deep: list[Any] = []
    sent: list[Any] = ["l", []]
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
        sent = ["l", [sent]]
    with pytest.raises(NotPlain):
        encode(deep)
    with pytest.raises(WireError):
        decode(sent, b"\0" * 64)


def test_a_list_that_holds_itself_is_refused() -> None:
    x: list[Any] = []
    x.append(x)
    with pytest.raises(NotPlain):
        encode(x)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8) | st.binary(max_size=8)
    | st.sampled_from("a g T Td i c sl rg el dt nt bt y l t d s z m r f <f8 |O O8 V8 float32 i4,i4".split()),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=500)
@given(JUNK)
def test_junk_is_an_error_or_plain_data(sent: Any) -> None:
    try:
        x = decode(unpack(msgpack.packb(sent)), b"\0" * 64)
    except WireError:
        return
    assert not isinstance(x, np.ndarray) or x.dtype.kind in "biufc"


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_an_error_or_a_message(body: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(unpack(body))


@pytest.mark.parametrize(
    "sent",
    [
        ["a", "<f8", [1 << 40, 1 << 40], 0],
        ["a", "<f8", [-1], 0],
        ["a", "<f8", [9], 0],
        ["a", "<f8", [1], 60],
        ["a", "<f8", [1], -8],
        ["a", "<f8", [1], 1 << 62],
        ["a", "<f8", [1], b"\0" * 8],
        ["a", "|O", [1], 0],
        ["a", "<f8,<f8", [1], 0],
        ["a", "<f8", [True], 0],
        ["g", "<f8", b"\0" * 9],
        ["T", "float64", [9], 0],
        ["T", "Tensor", [0], 0],
        ["Td", "nn"],
        ["i", b"\0" * (1 << 20)],
        ["d", [[["l", []], 1]]],
        ["s", [["l", []]]],
        ["d", [[1]]],
        ["bt", "eval"],
        ["nt", "|O"],
        ["c", 1, 2],
        ["l"],
        [],
        [1],
    ],
)
def test_lies_about_size_and_type_are_refused(sent: list[Any]) -> None:
    with pytest.raises(WireError):
        decode(sent, b"\0" * 64)


@pytest.fixture
def pair() -> Any:
    a, b = socket.socketpair()
    with a, b:
        yield a, b


@pytest.mark.parametrize("buffered", [False, True])
def test_frames_arrive_in_order_however_they_are_cut(pair: Any, buffered: bool) -> None:
    ours, theirs = pair
    stream = b"".join(piece for n in range(50) for piece in pack([n, "x" * n], tail_of(bytes(n))))
    channel = Channel(theirs, buffered=buffered)
    # In a thread: the socket holds fewer small pieces than there are.
    cut = [stream[start : start + 7] for start in range(0, len(stream), 7)]
    sender = threading.Thread(target=lambda: [ours.sendall(piece) for piece in cut])
    sender.start()
    frames = [channel.receive() for _ in range(50)]
    sender.join()
    assert [frame.message for frame in frames] == [[n, "x" * n] for n in range(50)]
    assert [frame.tail for frame in frames] == [bytes(n) for n in range(50)]


def tail_of(raw: bytes) -> Tail:
    tail = Tail()
    tail.add(memoryview(raw))
    return tail


@pytest.mark.parametrize("sizes", [(0xFFFFFFFF, 0), (MAX_BODY + 1, 0), (0, MAX_TAIL + 1)])
def test_a_frame_over_the_cap_is_refused_before_it_is_read(pair: Any, sizes: tuple[int, int]) -> None:
    ours, theirs = pair
    ours.sendall(HEADER.pack(*sizes))
    with pytest.raises(WireError):
        Channel(theirs).receive()


def test_the_deadline_and_the_end_are_told_apart(pair: Any) -> None:
    ours, theirs = pair
    with pytest.raises(Late):
        Channel(theirs).receive(deadline=0)
    ours.close()
    with pytest.raises(Closed):
        Channel(theirs).receive()
