"""The judge's end of the line to a box: sends requests, receives plain data and proxies.

Contract: ``request`` returns what the student's code answered or raises what it raised, within
the deadline. Once a box is lost (dead, late, or speaking nonsense) every later request raises
``BoxLost`` at once, and a check that met it has failed whatever it caught.

Trust: every answer is hostile. Exceptions cross as names and text and become ordinary
exceptions of the judge's own making; handles become proxies that can't be a verdict.
"""

from __future__ import annotations

import builtins
import math
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.errors import AuthorError
from autograder.judge.hollow import Refuse, hollow, wire_form
from autograder.judge.measured import MeasuredChannel
from autograder.sandbox.arena import Arena, ArenaTail
from autograder.sandbox.turnstile import Turn
from autograder.sandbox.wire import (
    Channel,
    Closed,
    Decoder,
    Encoder,
    Late,
    NotPlain,
    Resolve,
    Tail,
    WireError,
    is_builtin_exception,
    require_tree,
)

MAX_CALLBACKS = 64


class StudentError(Exception):
    """The student's code raised; subclasses add the built-in exception that it was."""

    trace = ""


class BoxLost(BaseException):
    """The box died, was late or broke the protocol. No ``except Exception`` of a check's catches it."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Refused(AssertionError):
    """A proxy was used as a verdict. It fails the check even where the check catches it."""


class Received(Decoder):
    """A decoder of what a box sent, one a reply. ``refuse`` is told where a check leans on data without
    elements; ``shared`` says that the reply named one of the check's own objects."""

    def __init__(self, resolve: Resolve, tail: memoryview, refuse: Refuse) -> None:
        super().__init__(self.noted, tail)
        self.known = resolve
        self.refuse = refuse
        self.shared = False

    def noted(self, e: list[Any]) -> object:
        self.shared = self.shared or e[0] == "m"
        return self.known(e)

    def bulk(self, e: list[Any]) -> Any:
        return hollow(super().bulk(e), self.refuse)


class Link:
    """One box, seen from the judge."""

    def __init__(
        self,
        channel: Channel,
        make_proxy: Callable[..., Any],
        operators: frozenset[str] | None = None,
        arena: Arena | None = None,
    ) -> None:
        """``operators``: those that a class of the source notebook has ("__add__"); None for all.
        ``arena`` where the box's turns are measured."""
        self.channel = channel
        self.arena = arena
        self.make_proxy = make_proxy
        self.operators = operators
        self.deadline = math.inf
        self.took = 0  # nanoseconds of the last timed calls, as the box says
        self.lost: str | None = None
        self.refused: str | None = None
        self.count = 0
        self.proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.released: set[int] = set()
        self.error_classes: dict[int, type] = {}
        self.callbacks: list[Callable[..., Any]] = []
        self.callback_number: dict[int, int] = {}
        self.raised_in_callback: Exception | None = None
        self.swallowed: Exception | None = None

    # -- requests -------------------------------------------------------------------------

    def request(self, operation: str, *arguments: object) -> Any:
        """Asks the box; returns plain data or a proxy.

        Raises what the student's code raised, ``AuthorError`` for an argument that can't cross,
        ``BoxLost`` when there is no answer to be had.
        """
        tail = Tail()
        encoder = Encoder(self.reference, tail)
        try:
            encoded = [encoder.encode(each) for each in arguments]
        except NotPlain as error:
            raise AuthorError(
                f"a check passed {error} to the student's code, which can't cross: "
                "pass numbers, strings, containers, arrays, tensors or functions instead"
            ) from None
        return self.exchange(operation, encoded, tail, encoder.mutables)

    def timed(self, function: Any, calls: list[tuple[Any, ...]]) -> tuple[list[Any], Turn]:
        """The results of a proxy's function for each tuple of arguments, and what the box's turn used.

        A result with anything in it that stays in the box is that proxy alone, for to ask it later what it
        is would be work outside of the turn. Raises as ``request`` does.
        """
        if self.arena is None or not isinstance(self.channel, MeasuredChannel):
            raise AuthorError("this check measures, so its cell needs speed=true")
        tail = ArenaTail(self.arena.inputs)
        encoder = Encoder(lambda x: None, tail)
        try:
            encoded = encoder.encode(calls)
        except NotPlain as error:
            raise AuthorError(
                f"make_inputs returned {error}, which can't be handed over in a timed call: return a tuple "
                "of numbers, strings, containers, arrays or tensors"
            ) from None
        outputs = self.exchange("race", [self.reference(function), encoded], Tail(), [])
        if type(outputs) is not list or len(outputs) != len(calls):
            raise self.lose("nonsense")
        return [next(proxies_in(each), each) for each in outputs], self.channel.turn

    @property
    def resident_at_start(self) -> int:
        """The bytes that the box held when it was new, 0 where its turns aren't measured."""
        return self.channel.resident_at_start if isinstance(self.channel, MeasuredChannel) else 0

    def exchange(self, operation: str, arguments: list[Any], tail: Tail, mutables: list[object]) -> Any:
        if self.lost:
            raise BoxLost(self.lost)
        self.count += 1
        mine = self.count
        released, self.released = list(self.released), set()
        try:
            self.channel.send([mine, operation, released, *arguments], tail, self.deadline)
            pulling = operation == "builtin" and arguments[0] == "next"
            raised, result = self._answer(mine, mutables, pulling, timed=operation == "race")
        except Late:
            raise self.lose("late") from None
        except Closed:
            raise self.lose("closed") from None
        except (WireError, RecursionError, MemoryError):
            raise self.lose("nonsense") from None
        except NotPlain as error:
            raise AuthorError(f"{error} is too large to pass to the student's code") from None
        if raised is not None:
            raise raised
        return result

    def lose(self, how: str) -> BoxLost:
        self.lost = self.lost or how
        return BoxLost(self.lost)

    def _answer(
        self, mine: int, mutables: list[object], pulling: bool, *, timed: bool
    ) -> tuple[Exception | None, Any]:
        """What the student's code raised, or None and what it returned.

        ``pulling``: the request asked an iterator for its next element. ``timed``: arrays lie in the arena,
        and the box has one turn only.
        """
        while True:
            reply, tail = self.channel.receive(self.deadline)
            if timed and self.arena is not None:
                tail = self.arena.outputs
            if type(reply) is not list or len(reply) < 3 or reply[0] != mine:
                raise WireError("an answer to another request")
            if reply[1] == "ok" and len(reply) == 4:
                decoder = self._received(tail, mutables)
                result = decoder.decode(reply[2])
                if timed:
                    self.took = nanoseconds(reply[3])
                else:
                    self._apply(reply[3], decoder, mutables)
                if decoder.shared:
                    require_tree(result, *mutables)
                self._note_swallowed()
                return None, result
            if reply[1] == "err" and len(reply) == 6:
                return self._error(pulling, *reply[2:]), None
            if reply[1] == "cb" and len(reply) == 5 and not timed:
                self._call_back(mine, tail, *reply[2:])
                continue
            raise WireError("an answer of an unknown kind")

    # -- values ---------------------------------------------------------------------------

    def _received(self, tail: memoryview, mutables: list[object]) -> Received:
        return Received(lambda e: self.resolve(e, mutables), tail, self.refuse)

    def reference(self, x: object) -> list[Any] | None:
        hollow_form = wire_form(x)
        if hollow_form is not None:
            return hollow_form
        handle = self.handle_of(x)
        if handle is not None:
            return ["r", handle]
        if isinstance(x, Iterator):
            return ["it", self._number(puller(x))]
        if callable(x) and not isinstance(x, type):
            return ["f", self._number(x)]
        return None

    def handle_of(self, x: object) -> int | None:
        """The handle of a proxy of this box's, None for anything else."""
        if isinstance(x, type):
            return next((h for h, kind in self.error_classes.items() if kind is x), None)
        seat = getattr(type(x), "seat_of", None)
        if seat is None:
            return None
        link, handle = seat(x)
        if link is not self:
            raise AuthorError("an object of one box was passed to another (or to a box that was replaced)")
        return int(handle)

    def _number(self, x: Callable[..., Any]) -> int:
        number = self.callback_number.get(id(x))
        if number is None:
            number = len(self.callbacks)
            self.callbacks.append(x)
            self.callback_number[id(x)] = number
        return number

    def resolve(self, e: list[Any], mutables: list[object]) -> object:
        if e[0] == "m" and len(e) == 2 and type(e[1]) is int and 0 <= e[1] < len(mutables):
            return mutables[e[1]]
        if e[0] == "r" and len(e) == 5:
            return self._proxy(*e[1:])
        raise WireError(f"unknown tag {e[0]!r}")

    def _proxy(self, handle: Any, name: Any, flags: Any, bases: Any) -> object:
        if type(handle) is not int or type(name) is not str or type(flags) is not int:
            raise WireError("malformed reference")
        if flags & 4 and type(bases) is list:
            return self.error_class(handle, name, bases)
        known = self.proxies.get(handle)
        if known is None:
            known = self.make_proxy(self, handle, name[:80], flags)
            self.proxies[handle] = known
            self.released.discard(handle)
        return known

    def error_class(self, handle: int, name: str, bases: list[Any]) -> type:
        """A class of the judge's own that stands for an exception class of the student's."""
        known = self.error_classes.get(handle)
        if known is None:
            builtin = first_builtin(bases)
            parents = (StudentError, builtin) if builtin is not Exception else (StudentError,)
            known = type(safe_name(name), parents, {})
            self.error_classes[handle] = known
        return known

    def _apply(self, changes: Any, decoder: Decoder, mutables: list[object]) -> None:
        if type(changes) is not list:
            raise WireError("malformed changes")
        last = -1
        for change in changes:
            if type(change) is not list or len(change) != 2 or type(change[0]) is not int:
                raise WireError("malformed change")
            # In order, so that no argument is written a million times by one reply.
            if not last < change[0] < len(mutables):
                raise WireError("a change of nothing")
            last = change[0]
            overwrite(mutables[last], decoder.decode(change[1]))

    # -- errors and callbacks -------------------------------------------------------------

    def _error(self, pulling: bool, names: Any, text: Any, trace: Any, own: Any) -> Exception:
        if self._is_callback_error(names):
            error, self.raised_in_callback = self.raised_in_callback, None
            assert error is not None  # noqa: S101 -- for the type checker
            return error
        self._note_swallowed()
        if (
            type(names) is not list
            or type(text) is not str
            or type(trace) is not str
            or type(own) is not list
        ):
            raise WireError("malformed error")
        kind = next((self.error_classes[h] for h in own if type(h) is int and h in self.error_classes), None)
        named = [n for n in names if type(n) is str]
        if not pulling and first_builtin(named) in (StopIteration, StopAsyncIteration):
            # It would end the check's own `map` or `for` as if there were nothing more to compare;
            # Python itself makes a generator's one a RuntimeError for that reason (PEP 479).
            kind, named, text = None, ["RuntimeError"], f"{safe_name(named[0])}: {text}"
        raised = make_error(kind, named, text)
        raised.trace = trace[:4000]
        return raised

    def _is_callback_error(self, names: Any) -> bool:
        """Whether the student's code let through what the check's own function raised."""
        error = self.raised_in_callback
        if error is None or type(names) is not list:
            return False
        return first_builtin(names) is first_builtin([base.__name__ for base in type(error).__mro__])

    def _note_swallowed(self) -> None:
        self.swallowed = self.swallowed or self.raised_in_callback
        self.raised_in_callback = None

    def _call_back(self, mine: int, tail: memoryview, number: Any, args: Any, pairs: Any) -> None:
        if type(number) is not int or not 0 <= number < len(self.callbacks):
            raise WireError("a call of an unknown function")
        if type(args) is not list or type(pairs) is not list:
            raise WireError("malformed call")
        self._note_swallowed()
        decoder, answer = self._received(tail, []), Tail()
        positional = [decoder.decode(each) for each in args]
        named = {decode_key(pair): decoder.decode(pair[1]) for pair in pairs}
        try:
            result = self.callbacks[number](*positional, **named)
            encoded = Encoder(self.reference, answer).encode(result)
        except NotPlain as error:
            raise AuthorError(f"a check's function returned {error}, which can't cross") from None
        except Exception as error:
            # Only the kind crosses: the text may hold what the student mustn't see.
            self.raised_in_callback = error
            kind = first_builtin([base.__name__ for base in type(error).__mro__])
            self.channel.send([mine, "raise", kind.__name__], deadline=self.deadline)
            return
        self.channel.send([mine, "ret", encoded], answer, self.deadline)

    def refuse(self, what: str) -> Refused:
        self.refused = self.refused or what
        return Refused(what)

    def start_check(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.refused = None
        self.raised_in_callback = None
        self.swallowed = None


def proxies_in(x: object) -> Iterator[object]:
    """The proxies in what a box sent."""
    if isinstance(x, list | tuple | set | frozenset):
        for each in x:
            yield from proxies_in(each)
    elif isinstance(x, dict):
        yield from proxies_in([*x.keys(), *x.values()])
    elif hasattr(type(x), "seat_of"):
        yield x


def puller(iterator: Iterator[Any]) -> Callable[[], tuple[bool, Any]]:
    def pull() -> tuple[bool, Any]:
        for each in iterator:
            return True, each
        return False, None

    return pull


def decode_key(pair: Any) -> str:
    if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str:
        raise WireError("malformed keyword")
    return pair[0]


def nanoseconds(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise WireError("malformed duration")
    return said


def first_builtin(names: list[Any]) -> type[Exception]:
    for name in names:
        if type(name) is str and is_builtin_exception(name):
            return getattr(builtins, name)  # type: ignore[no-any-return]
    return Exception


def safe_name(name: str) -> str:
    return name if name.isidentifier() and len(name) <= 80 else "StudentError"


def make_error(kind: type | None, names: list[str], text: str) -> StudentError:
    """An exception of the judge's own: a StudentError that is also the built-in one it was."""
    if kind is None:
        builtin = first_builtin(names)
        name = safe_name(names[0]) if names else "StudentError"
        parents = (StudentError,) if builtin is Exception else (StudentError, builtin)
        try:
            kind = type(name, parents, {"__init__": plain_init, "__str__": plain_text})
        except TypeError:  # layouts that don't combine, such as UnicodeDecodeError's
            kind = type(name, (StudentError,), {})
    try:
        return kind(text)  # type: ignore[no-any-return]
    except Exception:  # a constructor that wants more arguments
        return StudentError(text)


def plain_init(self: Exception, text: str) -> None:
    Exception.__init__(self, text)
    self.args = (text,)


def plain_text(self: Exception) -> str:
    return str(self.args[0])


def overwrite(old: Any, new: Any) -> None:
    """Gives ``old`` the content of ``new``, in place, where both are of one kind."""
    if isinstance(old, np.ndarray):
        if isinstance(new, np.ndarray) and new.shape == old.shape and new.dtype == old.dtype:
            if old.flags.writeable:
                old[...] = new
            return
        raise WireError("an argument that changed its shape")
    if type(old) is not type(new):
        raise WireError("an argument that changed its type")
    if isinstance(old, list | bytearray):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
