"""The program inside a box: holds the student's notebook and answers requests about it.

Contract: ``python -m autograder.sandbox.agent FD [ARENA]`` serves one connection until it closes. A
request is ``[id, operation, released handles, arguments…]``; the answer is ``[id, "ok", value,
changes]`` or ``[id, "err", …]``, with ``[id, "cb", …]`` in between where the student's code
calls a function that the judge passed in.

Trust: none is owed to this process. The student's code shares its memory and may rewrite all of
it; the judge treats every answer as the student's own words. Nothing secret is ever sent here.

Theory of operation: plain data crosses by value; any other object gets a handle, a number in
``Objects``, and stays. Arrays and containers that came with a call are compared after it and the
changed ones are sent back, so that a check sees what the student's code did to its arguments.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import gc
import io
import operator
import os
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgpack
import numpy as np

from autograder.sandbox.arena import Arena, ArenaDecoder, ArenaTail
from autograder.sandbox.heap import Settled
from autograder.sandbox.pages import REHEARSALS
from autograder.sandbox.shell import Outputs, make_shell
from autograder.sandbox.wire import (
    Channel,
    Decoder,
    Encoder,
    Frame,
    NotPlain,
    Tail,
    WireError,
    is_builtin_exception,
)

TEXT_CAP = 4000
OPERATORS = frozenset(
    (
        "add sub mul truediv floordiv mod pow matmul lshift rshift and_ or_ xor neg pos abs invert "
        "iadd isub imul itruediv ifloordiv imod ipow imatmul ilshift irshift iand ior ixor "
        "getitem setitem delitem contains lt le gt ge eq ne index"
    ).split()
)
BUILTINS = frozenset("len float int complex str repr iter next round reversed divmod format dir".split())
CALLABLE, CLASS, EXCEPTION = 1, 2, 4


class Objects:
    """Handles of the objects that stay in the box."""

    def __init__(self) -> None:
        self.by_handle: dict[int, object] = {}
        self.handle_of: dict[int, int] = {}
        self.count = 0

    def handle(self, x: object) -> int:
        known = self.handle_of.get(id(x))
        if known is not None:
            return known
        self.count += 1
        self.by_handle[self.count] = x
        self.handle_of[id(x)] = self.count
        return self.count

    def release(self, handles: list[int]) -> None:
        for handle in handles:
            gone = self.by_handle.pop(handle, None)
            self.handle_of.pop(id(gone), None)

    def reference(self, x: object) -> list[Any]:
        handle, flags = self.handle(x), CALLABLE if callable(x) else 0
        if not isinstance(x, type):
            return ["r", handle, type(x).__name__[:80], flags, []]
        if not issubclass(x, Exception):
            return ["r", handle, x.__name__[:80], flags | CLASS, []]
        bases = [base.__name__ for base in x.__mro__ if is_builtin_exception(base.__name__)]
        return ["r", handle, x.__name__[:80], flags | CLASS | EXCEPTION, bases]


class Agent:
    """Answers the judge, one request at a time, callbacks nested inside."""

    channel: Channel

    def __init__(self, arena: Arena | None = None) -> None:
        self.arena = arena
        self.objects = Objects()
        self.outputs = Outputs()
        self.shell = make_shell(self.outputs)
        self.namespace: dict[str, Any] = self.shell.user_ns
        self.callbacks: dict[int, object] = {}
        self.request = 0
        self.heap: Settled | None = None

    def serve(self, channel: Channel) -> None:
        """Answers until the other side is gone."""
        self.channel = channel
        gc.freeze()  # the student's collections need not walk what was there before
        channel.send([0, "ok", "ready", []])
        with contextlib.suppress(Exception):
            while True:
                self.answer(self.channel.receive())

    def warm_up(self, *values: object) -> None:
        """Runs cells and hands values over until Python has rewritten the code that does it (see
        `judge.rehearsal`). Leaves nothing of it."""
        handle = self.objects.handle(copy.copy)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            judge, self.channel = Channel(theirs), Channel(ours, buffered=True)
            for _ in range(REHEARSALS):
                self.shell.warm_up(*values)
                for each in values:
                    tail = Tail()
                    given = Encoder(lambda x: None, tail).encode([each])
                    judge.send([1, "call", [], ["r", handle], given, ["l", []], False], tail)
                    self.answer(self.channel.receive())
                    judge.receive()
        self.objects = Objects()

    def answer(self, frame: Frame) -> None:
        self.request, operation, released, *arguments = frame.message
        self.objects.release(released)
        if operation == "cell":
            self.channel.send([self.request, "ok", self.run_cell(*arguments), []])
            return
        decoder, tail = Decoder(self.resolve, frame.tail), Tail()
        try:
            if operation == "race":
                self.channel.send([self.request, "ok", *self.timed_calls(*arguments)])
                return
            decoded = [decoder.decode(each) for each in arguments]
            before = [self.fingerprint(each, decoder.mutables) for each in decoder.mutables]
            result = getattr(self, f"do_{operation}")(*decoded)
            encoded = self.encode(result, tail, decoder.mutables)
            changed = self.changes(decoder.mutables, before, tail)
            self.channel.send([self.request, "ok", encoded, changed], tail)
        except WireError:
            raise
        except BaseException as error:
            self.channel.send(self.failure(error))

    # -- values ---------------------------------------------------------------------------

    def encode(self, x: object, tail: Tail, arguments: Sequence[object] = ()) -> Any:
        if isinstance(x, Kept):
            return self.objects.reference(x.value)
        known = {id(each): index for index, each in enumerate(arguments)}
        try:
            return Encoder(self.objects.reference, tail, known).encode(x)
        except NotPlain:
            return self.objects.reference(x)

    def resolve(self, e: list[Any]) -> object:
        if e[0] == "r":
            return self.objects.by_handle[e[1]]
        if e[0] == "f":
            return self.callback(e[1])
        if e[0] == "it":
            return Pulled(self.callback(e[1]))
        raise WireError(f"unknown tag {e[0]!r}")

    def callback(self, number: int) -> object:
        if number not in self.callbacks:

            def call_the_check(*args: Any, **kwargs: Any) -> Any:
                mine, tail = self.request, Tail()
                encoded = [self.encode(each, tail) for each in args]
                pairs = [[key, self.encode(each, tail)] for key, each in kwargs.items()]
                self.channel.send([mine, "cb", number, encoded, pairs], tail)
                return self.await_return(mine)

            self.callbacks[number] = call_the_check
        return self.callbacks[number]

    def await_return(self, mine: int) -> Any:
        """Serves requests that the callback makes until it returns."""
        while True:
            frame = self.channel.receive()
            if frame.message[1] == "ret":
                self.request = mine
                return Decoder(self.resolve, frame.tail).decode(frame.message[2])
            if frame.message[1] == "raise":
                self.request = mine
                raise builtin_exception(frame.message[2])
            self.answer(frame)

    def fingerprint(self, x: object, mutables: list[object]) -> bytes:
        """The content of ``x``, to see afterwards whether it changed."""
        if isinstance(x, np.ndarray):
            return x.tobytes()
        tail = Tail()
        body = msgpack.packb(self.whole(x, mutables, tail))
        return b"".join((body, *tail.parts))

    def whole(self, x: object, mutables: list[object], tail: Tail) -> Any:
        """``x`` with the other arguments inside it as ``["m", index]``."""
        known = {id(each): index for index, each in enumerate(mutables) if each is not x}
        return Encoder(self.objects.reference, tail, known).encode(x)

    def changes(self, mutables: list[object], before: list[bytes], tail: Tail) -> list[list[Any]]:
        changed = []
        for index, (x, old) in enumerate(zip(mutables, before, strict=True)):
            with contextlib.suppress(NotPlain):
                if self.fingerprint(x, mutables) != old:
                    changed.append([index, self.whole(x, mutables, tail)])
        return changed

    def failure(self, error: BaseException) -> list[Any]:
        names = [base.__name__[:80] for base in type(error).__mro__]
        own = [self.objects.handle(base) for base in type(error).__mro__ if base.__module__ == "__main__"]
        return [self.request, "err", names, text_of(error), student_traceback(error), own]

    # -- operations -----------------------------------------------------------------------

    def run_cell(self, source: str, cap: int) -> list[Any]:
        """[status, outputs]; outputs are nbformat dicts of at most ``cap`` bytes together."""
        self.outputs.start(cap)
        try:
            with self.outputs.capture():
                result = self.shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
            status = "ok" if result.success else "error"
        except BaseException as error:
            self.outputs.error(type(error).__name__, text_of(error), [])
            status = "error"
        return [status, self.outputs.finish()]

    def timed_calls(self, function: list[Any], calls: Any) -> tuple[Any, int]:
        """The results of the function for each tuple of arguments, and the nanoseconds that the calls took,
        which is to be believed of a reference. Arrays come and go through the arena."""
        assert self.arena is not None  # noqa: S101 -- for the type checker
        f: Any = self.resolve(function)
        inputs = ArenaDecoder(self.resolve, self.arena.inputs).decode(calls)

        def called() -> tuple[list[Any], int]:
            begin = time.perf_counter_ns()
            results = [f(*arguments) for arguments in inputs]
            return results, time.perf_counter_ns() - begin

        outputs, took = self.heap.turn(called) if self.heap else called()
        return Encoder(self.objects.reference, ArenaTail(self.arena.outputs)).encode(outputs), took

    def do_name(self, name: str) -> object:
        if name in self.namespace:
            return self.namespace[name]
        raise MissingName(name)

    def do_bind(self, name: str, value: object) -> None:
        self.namespace[name] = value

    def do_unbind(self, name: str) -> None:
        if name not in self.namespace:
            raise MissingName(name)
        del self.namespace[name]

    def do_get(self, x: object, name: str) -> object:
        return getattr(x, name)

    def do_set(self, x: object, name: str, value: object) -> None:
        setattr(x, name, value)

    def do_delete(self, x: object, name: str) -> None:
        delattr(x, name)

    def do_call(self, f: Callable[..., object], args: list[Any], kwargs: list[Any], keep: bool) -> object:
        result = f(*args, **dict(kwargs))
        return Kept(result) if keep else result

    def do_operator(self, name: str, *operands: object) -> object:
        if name not in OPERATORS:
            raise WireError(f"unknown operator {name!r}")
        return getattr(operator, name)(*operands)

    def do_builtin(self, name: str, *arguments: object) -> object:
        if name not in BUILTINS:
            raise WireError(f"unknown builtin {name!r}")
        result = getattr(builtins, name)(*arguments)
        return Kept(result) if name in ("iter", "reversed") else result

    def do_array(self, x: object) -> object:
        array = np.asarray(x)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"{type(x).__name__} doesn't convert to a numeric array")
        return array

    def do_copy(self, x: object, deep: bool) -> object:
        return Kept(copy.deepcopy(x) if deep else copy.copy(x))

    def do_isinstance(self, x: object, kind: type) -> bool:
        return isinstance(x, kind)

    def do_issubclass(self, x: type, kind: type) -> bool:
        return issubclass(x, kind)

    def do_enter(self, manager: Any) -> object:
        return type(manager).__enter__(manager)

    def do_exit(self, manager: Any, name: str | None, text: str) -> None:
        if name is None:
            type(manager).__exit__(manager, None, None, None)
            return
        error = builtin_exception(name, text)
        type(manager).__exit__(manager, type(error), error, None)

    def do_value(self, x: object) -> object:
        return x

    def do_settle(self) -> None:
        """From now on time doesn't depend on where what was run before has left things in memory."""
        self.heap = None  # an earlier race's: its memory is given back first
        self.heap = Settled()

    def do_constant(self, x: object) -> object:
        """A function that does nothing and returns ``x``: what handing over takes."""
        return Kept(lambda *arguments: x)

    def do_reader(self, x: object) -> object:
        """A function that reads its arguments and returns ``x``: afterwards what is shared is in memory."""

        def read_all(*arguments: object) -> object:
            for each in arguments:
                read_through(each)
            return x

        return Kept(read_all)


def read_through(x: Any) -> None:
    """Reads every byte of an array or a tensor."""
    array = x.numpy() if hasattr(x, "numpy") else x
    if isinstance(array, np.ndarray):
        np.max(array.reshape(-1).view(np.uint8), initial=0)


class Kept:
    """A result that stays in the box though it may be plain data."""

    def __init__(self, value: object) -> None:
        self.value = value


class Pulled(Iterator[Any]):
    """An iterator of the judge's, pulled one element at a time."""

    def __init__(self, pull: Any) -> None:
        self.pull = pull

    def __next__(self) -> Any:
        more, value = self.pull()
        if not more:
            raise StopIteration
        return value


class MissingName(NameError):
    """The notebook doesn't define a name."""


class Discard(io.TextIOBase):
    """Where prints go between cells, while a check runs: a hidden input must not be echoed."""

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


def builtin_exception(name: str, text: str = "") -> Exception:
    kind = getattr(builtins, name, Exception) if is_builtin_exception(name) else Exception
    try:
        made: Exception = kind(text)
        return made
    except Exception:  # UnicodeDecodeError and its like want more arguments
        return Exception(text)


def text_of(error: BaseException) -> str:
    try:
        return str(error)[:TEXT_CAP]
    except BaseException:
        return ""


def student_traceback(error: BaseException) -> str:
    """The frames of the student's own cells, as Python prints them."""
    try:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("/")]
        mine = [f for f in frames if "autograder" not in f.filename][-8:]
        return "".join(traceback.format_list(mine))[:TEXT_CAP]
    except BaseException:
        return ""


def main() -> None:
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.stdout = sys.stderr = Discard()  # cells bring streams of their own
    channel = Channel(socket.socket(fileno=int(sys.argv[1])), buffered=True)
    agent = Agent(Arena(int(sys.argv[2])) if len(sys.argv) > 2 else None)
    agent.serve(channel)
    os._exit(0)


if __name__ == "__main__":
    # The notebook becomes __main__, so the agent's classes must live in a module of their own.
    from autograder.sandbox import agent

    agent.main()
