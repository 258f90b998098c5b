"""Proxies: what a check holds in place of an object that stays in the student's box.

Contract: attributes, calls, arithmetic, indexing, iteration and ``with`` are done in the box and
their plain results come back. **A proxy is never a verdict**: ``==``, ``<``, ``in`` and truth are
refused, since the student's class would decide them; the refusal fails the check even if it is caught.

Trust: nothing that a proxy returns is more than the student's word for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

import numpy as np

from autograder.judge.hollow import Refuse, refusal_of_data
from autograder.judge.link import Link, StudentError

DATA = "ask for plain data first: value(x), float(x), np.asarray(x) or an attribute such as x.data"
T = TypeVar("T")
READABLE_DUNDERS = frozenset(("__name__", "__doc__", "__qualname__", "__annotations__"))


class Seat:
    """Where a proxy's object is. Its slots are read past ``Proxy.__getattribute__``, in C."""

    __slots__ = ("_handle", "_kind", "_link")
    _link: Link
    _handle: int
    _kind: str


link_slot, handle_slot, kind_slot = (Seat.__dict__[name] for name in ("_link", "_handle", "_kind"))
link_of, handle_of, kind_of = link_slot.__get__, handle_slot.__get__, kind_slot.__get__


class Proxy(Seat):
    """An object of the student's, by handle."""

    __slots__ = ("__weakref__",)

    def __init__(self, link: Link, handle: int, kind: str) -> None:
        link_slot.__set__(self, link)
        handle_slot.__set__(self, handle)
        kind_slot.__set__(self, kind)

    def __del__(self) -> None:
        link_of(self).released.add(handle_of(self))

    def seat_of(self) -> tuple[Link, int]:
        """Where it is: read through the class only, an instance's name may be the student's."""
        return link_of(self), handle_of(self)

    def ask(self, operation: str, *arguments: object) -> Any:
        return link_of(self).request(operation, *arguments)

    def refuse(self, what: str) -> NoReturn:
        raise link_of(self).refuse(
            f"{what} of an object ({kind_of(self)}) that stays in the student's box; {DATA}"
        )

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name not in READABLE_DUNDERS:
            return object.__getattribute__(self, name)
        return link_of(self).request("get", self, name)

    def __setattr__(self, name: str, value: object) -> None:
        Proxy.ask(self, "set", self, name, value)

    def __delattr__(self, name: str) -> None:
        Proxy.ask(self, "delete", self, name)

    def __hash__(self) -> int:
        return hash((id(link_of(self)), handle_of(self)))

    def __bool__(self) -> bool:
        Proxy.refuse(self, "the truth")

    def __eq__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (==)")

    def __ne__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (!=)")

    def __lt__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (<)")

    def __le__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (<=)")

    def __gt__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (>)")

    def __ge__(self, other: object) -> bool:
        Proxy.refuse(self, "a comparison (>=)")

    def __contains__(self, item: object) -> bool:
        Proxy.refuse(self, "membership (in)")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        got = Proxy.ask(self, "array", self)
        if type(got) is not np.ndarray:
            raise StudentError("the object doesn't convert to an array")
        return got if dtype is None else got.astype(dtype)

    def __len__(self) -> int:
        return natural(self, Proxy.ask(self, "builtin", "len", self))

    def __index__(self) -> int:
        return exactly(self, int, Proxy.ask(self, "operator", "index", self))

    def __int__(self) -> int:
        return exactly(self, int, Proxy.ask(self, "builtin", "int", self))

    def __float__(self) -> float:
        return exactly(self, float, Proxy.ask(self, "builtin", "float", self))

    def __complex__(self) -> complex:
        return exactly(self, complex, Proxy.ask(self, "builtin", "complex", self))

    def __str__(self) -> str:
        return exactly(self, str, Proxy.ask(self, "builtin", "str", self))

    def __repr__(self) -> str:
        return exactly(self, str, Proxy.ask(self, "builtin", "repr", self))

    def __format__(self, spec: str) -> str:
        return exactly(self, str, Proxy.ask(self, "builtin", "format", self, spec))

    def __dir__(self) -> list[str]:
        return exactly(self, list, Proxy.ask(self, "builtin", "dir", self))

    def __iter__(self) -> Iterator[Any]:
        steps = Proxy.ask(self, "builtin", "iter", self)
        return self if steps is self else walk(steps)

    def __next__(self) -> Any:
        return Proxy.ask(self, "builtin", "next", self)

    def __reversed__(self) -> Any:
        return walk(Proxy.ask(self, "builtin", "reversed", self))

    def __enter__(self) -> Any:
        return Proxy.ask(self, "enter", self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Tells the student's context manager how the block ended; never lets it swallow an error,
        which would skip the asserts behind it."""
        # Only the kind crosses: the text of the judge's error may hold an expected value.
        name = None if kind is None else next(b.__name__ for b in kind.__mro__ if b.__module__ == "builtins")
        Proxy.ask(self, "exit", self, name, "")

    def __copy__(self) -> Any:
        return Proxy.ask(self, "copy", self, False)

    def __deepcopy__(self, memo: object) -> Any:
        return Proxy.ask(self, "copy", self, True)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        Proxy.refuse(self, "pickling")

    def __getitem__(self, key: object) -> Any:
        return Proxy.ask(self, "operator", "getitem", self, key)

    def __setitem__(self, key: object, value: object) -> None:
        Proxy.ask(self, "operator", "setitem", self, key, value)

    def __delitem__(self, key: object) -> None:
        Proxy.ask(self, "operator", "delitem", self, key)


class CallableProxy(Proxy):
    """A function or another object that can be called."""

    __slots__ = ()

    def __call__(self, /, *args: object, **kwargs: object) -> Any:
        return link_of(self).request("call", self, args, tuple(kwargs.items()), False)


class ClassProxy(CallableProxy):
    """A class of the student's: works in isinstance and issubclass, by the student's word."""

    __slots__ = ()

    def __instancecheck__(self, x: object) -> bool:
        return isinstance(x, Proxy) and Proxy.ask(self, "isinstance", x, self) is True

    def __subclasscheck__(self, kind: object) -> bool:
        return isinstance(kind, ClassProxy) and Proxy.ask(self, "issubclass", kind, self) is True


def make_proxy(link: Link, handle: int, kind: str, flags: int) -> Proxy:
    """The proxy for a handle; flags as in the agent: 1 callable, 2 class."""
    if flags & 2:
        return ClassProxy(link, handle, kind)
    return CallableProxy(link, handle, kind) if flags & 1 else Proxy(link, handle, kind)


def refusal_of(x: object) -> Refuse | None:
    """Who is told where ``x``, an object or data from a box, is refused; None for anything else."""
    return link_of(x).refuse if isinstance(x, Proxy) else refusal_of_data(x)


def walk(steps: Any) -> Iterator[Any]:
    """The elements of an iterator that stays in the box."""
    while True:
        try:
            yield next(steps)
        except StopIteration:
            return


def exactly(proxy: Proxy, kind: type[T], got: Any) -> T:
    if type(got) is kind:
        return got
    return Proxy.refuse(proxy, f"the {kind.__name__}")


def natural(proxy: Proxy, got: Any) -> int:
    if type(got) is int and 0 <= got < 1 << 62:
        return got
    return Proxy.refuse(proxy, "the length")


BINARY = "add sub mul truediv floordiv mod pow matmul lshift rshift and or xor".split()
UNARY = ["neg", "pos", "abs", "invert"]


def require_operator(proxy: Proxy, *names: str) -> None:
    """Refuses arithmetic that no class of the source notebook has.

    In ``abs(got - 12) < 1e-9`` the operand is what the check expects. An honest ``got`` is a number and
    the judge subtracts; an object in its place would be told 12, and answer 0.
    """
    known = link_of(proxy).operators
    if known is not None and known.isdisjoint(names):
        Proxy.refuse(proxy, f"arithmetic ({names[0]})")


def operator_name(name: str) -> str:
    return name + "_" if name in ("and", "or") else name


def install_operators() -> None:
    for name in BINARY:
        called = operator_name(name)

        def forward(self: Proxy, other: object, _called: str = called, _name: str = name) -> Any:
            require_operator(self, f"__{_name}__")
            return Proxy.ask(self, "operator", _called, self, other)

        def backward(self: Proxy, other: object, _called: str = called, _name: str = name) -> Any:
            require_operator(self, f"__r{_name}__")
            return Proxy.ask(self, "operator", _called, other, self)

        def in_place(self: Proxy, other: object, _called: str = "i" + name, _name: str = name) -> Any:
            require_operator(self, f"__i{_name}__", f"__{_name}__")
            return Proxy.ask(self, "operator", _called, self, other)

        setattr(Proxy, f"__{name}__", forward)
        setattr(Proxy, f"__r{name}__", backward)
        setattr(Proxy, f"__i{name}__", in_place)
    for name in UNARY:

        def unary(self: Proxy, _called: str = name) -> Any:
            return Proxy.ask(self, "operator", _called, self)

        setattr(Proxy, f"__{name}__", unary)

    def rounded(self: Proxy, digits: int | None = None) -> Any:
        return Proxy.ask(self, "builtin", "round", self, *([] if digits is None else [digits]))

    Proxy.__round__ = rounded  # type: ignore[attr-defined]


install_operators()
