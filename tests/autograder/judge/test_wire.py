"""The wire: what is plain comes back equal, and no bytes whatever do more than raise WireError."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.sandbox.frames import HEADER, MAX_BODY, MAX_TAIL
from autograder.sandbox.wire import (
    HELD_UP_SECONDS,
    MAX_DEPTH,
    MAX_ITEMS,
    Channel,
    Closed,
    Decoder,
    Encoder,
    Late,
    NotPlain,
    Tail,
    WireError,
    pack,
    require_tree,
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


@pytest.mark.parametrize("x", [1 << 63, 1 << 64, 1j, 2.5, b"x", range(2), {}, np.float32(1)])
def test_what_one_side_sends_in_the_deepest_place_the_other_takes(x: object) -> None:
    sent = 0
    for depth in range(MAX_DEPTH - 2, MAX_DEPTH + 3):
        deep = x
        for _ in range(depth):
            deep = [deep]
        with contextlib.suppress(NotPlain):
            assert through(deep) == deep
            sent += 1
    assert 0 < sent < 5


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


def test_what_is_there_is_not_late_where_the_reader_was_held_up(pair: Any) -> None:
    ours, theirs = pair
    Channel(ours).send(["there"])
    assert Channel(theirs).receive(deadline=time.monotonic() - 0.5).message == ["there"]
    Channel(ours).send(["there"])
    with pytest.raises(Late):
        Channel(theirs).receive(deadline=time.monotonic() - HELD_UP_SECONDS - 1)


def framed(sent: Any, tail: bytes = b"") -> Any:
    """What a decoder makes of ``sent`` after it went through msgpack."""
    return decode(unpack(msgpack.packb(sent)), tail)


def test_a_boolean_of_another_byte_is_true_and_nothing_else() -> None:
    """numpy adds, packs and compares by the byte: a True that is 2 would count twice."""
    array = framed(["a", "|b1", [4], 0], bytes([0, 1, 2, 255]))
    assert array.tobytes() == bytes([0, 1, 1, 1])
    assert framed(["g", "|b1", b"\x02"]).tobytes() == b"\1"
    tensor = framed(["T", "bool", [2, 2], 0], bytes([0, 1, 2, 255]))
    assert tensor.view(torch.uint8).tolist() == [[0, 1], [1, 1]]


def test_an_80_bit_pattern_that_is_no_number_is_nan() -> None:
    unnormal = (0x0123456789ABCDEF).to_bytes(8, "little") + b"\x00\x40" + bytes(6)
    got = framed(["a", "<f16", [1], 0], unnormal)
    assert got.tobytes()[:10] == np.array([np.nan], np.longdouble).tobytes()[:10]
    assert np.isnan(framed(["g", "<c32", unnormal + bytes(16)]))


@pytest.mark.parametrize(
    "name", ["f8", "float64", "<f8 ", "=f8", "l", "<l", "M8[s]", "|S1", "2f4", "longdouble", "\x00"]
)
def test_a_dtype_in_other_words_is_not_parsed(name: str) -> None:
    for sent in (["a", name, [1], 0], ["g", name, b"\0" * 8], ["dt", name], ["nt", name]):
        with pytest.raises(WireError):
            framed(sent, b"\0" * 64)


@pytest.mark.parametrize("dtype", [">f8", "<f2", "<f16", ">c32", "|b1", ">i2"])
def test_every_numeric_dtype_of_either_byte_order_crosses(dtype: str) -> None:
    x = np.arange(3).astype(dtype)
    assert through(x).dtype.str == dtype
    assert through(np.dtype(dtype)) == np.dtype(dtype)
    assert np.array_equal(through(x), x)


@pytest.mark.parametrize(
    "shape", [[0, 1 << 62], [1 << 62, 0], [1 << 40, 0], [0, 1 << 31, 1 << 31], [0] + [1 << 20] * 31]
)
@pytest.mark.parametrize("tag", [["a", "<f8"], ["T", "float32"]])
def test_an_empty_array_of_endless_rows_is_refused(tag: list[str], shape: list[int]) -> None:
    with pytest.raises(WireError):
        framed([*tag, shape, 0])


def test_an_empty_array_of_endless_rows_is_not_sent() -> None:
    for x in (np.empty((0, 1 << 40)), torch.empty(1 << 40, 0)):
        with pytest.raises(NotPlain):
            encode(x)


def test_arrays_share_no_bytes_of_a_message() -> None:
    """A thousand arrays of one tail of 256 MB would be a thousand copies."""
    with pytest.raises(WireError, match="outside its message"):
        framed(["l", [["a", "|u1", [64], 0], ["a", "|u1", [1], 0]]], bytes(64))
    with pytest.raises(WireError, match="outside its message"):
        framed(["l", [["T", "uint8", [64], 0], ["T", "uint8", [1], 5]]], bytes(64))


@pytest.mark.parametrize(
    "sent",
    [
        ["rg", 0, 1 << 62, 1],
        ["rg", -(1 << 63), 1 << 63, 1],
        ["l", [["rg", 0, 700_000, 1]] * 2],
        ["rg", 0, 1, 0],
    ],
)
def test_a_range_is_as_long_as_a_list_may_be(sent: list[Any]) -> None:
    """sum(range(1 << 62)) never ends, and no signal ends it."""
    with pytest.raises(WireError):
        framed(sent)


def test_a_range_too_long_is_not_sent() -> None:
    for x in (
        range(1 << 62),
        range(-(1 << 63), 1 << 63),
        range(1 << 70, (1 << 70) + 1),
        [range(700_000)] * 2,
    ):
        with pytest.raises(NotPlain):
            encode(x)
    assert through(range(-5, 1 << 60, 1 << 50)) == range(-5, 1 << 60, 1 << 50)


PRIME = (1 << 61) - 1


@pytest.mark.parametrize("tag", ["s", "z", "d"])
def test_keys_that_all_have_one_hash_are_refused(tag: str) -> None:
    """n of them take n² steps to put into a set; a body holds a million."""
    keys = [["i", (n * PRIME).to_bytes(16, "big")] for n in range(1, 5000)]
    with pytest.raises(WireError, match="hash"):
        framed([tag, [[key, 1] for key in keys] if tag == "d" else keys])


def test_many_ordinary_keys_are_no_attack() -> None:
    x = {n * 1.5: str(n) for n in range(-3000, 3000)}
    assert through(x) == x
    y = {complex(a, b) for a in range(50) for b in range(50)} | {(a, -a) for a in range(3000)}
    assert through(y) == y


def test_more_elements_than_a_message_has_are_not_sent_and_not_taken() -> None:
    x = [0] * (MAX_ITEMS + 1)
    for each in (x, [x[: MAX_ITEMS // 2]] * 3, dict.fromkeys(range(MAX_ITEMS + 1))):
        with pytest.raises(NotPlain):
            encode(each)
    for sent in (["l", x], ["l", [["l", [0] * (MAX_ITEMS // 2)]] * 3]):
        with pytest.raises(WireError):
            framed(sent)


def test_arrays_count_for_more_than_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million empty tensors are a dozen megabytes on the wire and more than one gigabyte beside it."""
    monkeypatch.setattr("autograder.sandbox.wire.MAX_ITEMS", 1000)
    for tag, x in ((["a", "<f8"], np.empty(0)), (["T", "uint8"], torch.empty(0))):
        with pytest.raises(WireError):
            framed(["l", [[*tag, [0], 0]] * 150])
        with pytest.raises(NotPlain):
            encode([x] * 150)


@pytest.mark.parametrize("empty", [b"\x90", b"\x80"])
def test_a_body_of_nothing_but_containers_is_refused_before_it_fills_the_memory(empty: bytes) -> None:
    part = b"\xdd" + MAX_ITEMS.to_bytes(4, "big") + empty * MAX_ITEMS
    with pytest.raises(WireError):
        unpack(b"\x9f" + part * 15)
    assert gc.isenabled()


@pytest.mark.parametrize(
    "body", [b"\xd6\xff\0\0\0\0", b"\xc7\x00\x05", b"\xd4\x01a", b"\xc7\x0c\xff" + bytes(12)]
)
def test_times_and_extensions_are_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(unpack(body))


def test_a_text_with_half_a_pair_is_not_sent() -> None:
    for x in ("\ud800", ["a", "é\udfff"], {"\ud800": 1}):
        with pytest.raises(NotPlain, match="surrogate"):
            encode(x)
    assert through("é漢\U0001f600") == "é漢\U0001f600"


def test_a_message_outside_values_is_sent_whatever_its_text(pair: Any) -> None:
    """A student who prints half a pair, or raises an error that holds one, must not lose the box."""
    ours, theirs = pair
    Channel(ours).send([1, "err", "a\ud800b"])
    assert Channel(theirs).receive().message == [1, "err", "a?b"]


def test_a_message_that_msgpack_refuses_is_not_plain() -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    for message in (deep, 1 << 64):
        with pytest.raises(NotPlain):
            pack(message)


def held_by_itself() -> list[Any]:
    x: list[Any] = [1]
    x += [x, x]
    return x


def doubled(times: int) -> list[Any]:
    x: list[Any] = [1]
    for _ in range(times):
        x = [x, x]
    return x


@pytest.mark.parametrize(
    "x",
    [held_by_itself(), doubled(30), {1: held_by_itself()}, (doubled(25),)],
    ids=["itself", "twice", "in a dict", "in a tuple"],
)
def test_lists_that_never_end_are_no_tree(x: object) -> None:
    """np.asarray walks 2**30 elements of 30 lists, and no signal stops it."""
    with pytest.raises(WireError):
        require_tree(x)


def test_a_list_that_occurs_twice_is_a_tree() -> None:
    x = [1, 2]
    require_tree([x, x], {"a": x}, np.ones(3), "text", doubled(10))


def test_arguments_that_hold_each_other_are_counted_one_by_one() -> None:
    """A matrix of lists is an argument, and so is each of its rows."""
    rows = [[0] * 1000 for _ in range(900)]
    require_tree(rows, rows, *rows, [rows, rows])
