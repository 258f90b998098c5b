"""Arrays and tensors of the student's that have no elements.

An array without elements agrees with everything: numpy and torch stretch it to the shape of whatever it is
compared with, no element differs, and ``allclose`` or ``all`` say yes. So what comes out of a box without
elements is an array (a tensor) that can be looked at, and compared with another of its own shape, but
refuses to be compared or reckoned with anything else: such a check fails, with words for its author.

Contract: ``hollow`` keeps shape and dtype. ``refuse`` is told, so that a check fails which catches the error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

WHY = "an array without elements, which agrees with everything; compare its shape first"
COMPARERS: dict[Any, tuple[str, ...]] = {
    np: ("allclose", "isclose", "array_equiv"),
    np.testing: (
        *("assert_allclose", "assert_almost_equal", "assert_array_almost_equal", "assert_array_equal"),
        *("assert_array_less", "assert_array_almost_equal_nulp"),
    ),
}
SEQUENCES = (list, tuple, range, bytes, bytearray)
Refuse = Callable[[str], Exception]
# What may be asked of a tensor without elements; anything else is answered for two of one shape only.
LOOKS = frozenset(
    (
        "__get__ __len__ __repr__ __str__ __format__ __array__ numpy tolist clone detach cpu size dim numel "
        "stride is_floating_point is_complex is_contiguous data_ptr type element_size"
    ).split()
)
# numpy's ways to make an array of anything, which forget what kind of array it was.
MAKERS = ("array", "asarray", "ascontiguousarray")
SUMS = frozenset({np.all, np.sum, np.prod, np.linalg.norm, np.array_equiv})


class HollowArray(np.ndarray[Any, Any]):
    """A numpy array without elements."""

    refuse: Refuse

    def __array_finalize__(self, origin: Any) -> None:
        self.refuse = getattr(origin, "refuse", TypeError)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        others = [np.asarray(each) for each in inputs if each is not self]
        if method == "reduce" or any(each.shape != self.shape for each in others):
            raise self.refuse(WHY)
        plain = [plain_array(each) for each in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        # Of two arrays of one shape the check knows the shape; of one alone it doesn't.
        return result if others else hollow_array(np.asarray(result), self.refuse)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in SUMS:
            raise self.refuse(WHY)
        return super().__array_function__(function, types, args, kwargs)


def plain_array(x: Any) -> Any:
    """The same as an ordinary array; anything else as it is."""
    return x.view(np.ndarray) if isinstance(x, HollowArray) else x


def hollow_array(x: np.ndarray[Any, Any], refuse: Refuse) -> np.ndarray[Any, Any]:
    """``x`` if it has elements, else a HollowArray."""
    if x.size:
        return x
    made = x.view(HollowArray)
    made.refuse = refuse
    return made


def hollow(x: Any, refuse: Refuse) -> Any:
    """An array or a tensor from a box, as a check may have it."""
    if isinstance(x, np.ndarray):
        return hollow_array(x, refuse)
    return x if x.numel() else hollow_tensor(x, refuse)


def hollow_tensor(x: Any, refuse: Refuse) -> Any:
    """A torch tensor without elements."""
    made = x.as_subclass(_tensor_class())
    made.refuse = refuse
    return made


def _is_hollow_tensor(x: object) -> bool:
    """By name: the class is not made, and torch not loaded, for the sake of this question."""
    return type(x).__name__ == "HollowTensor"


def wire_form(x: object) -> list[Any] | None:
    """The tagged list for a hollow array or tensor, None for anything else (see ``sandbox.wire``)."""
    if isinstance(x, HollowArray):
        return ["a", x.dtype.str, list(x.shape), 0]
    if _is_hollow_tensor(x):
        tensor: Any = x
        return ["T", str(tensor.dtype).removeprefix("torch."), list(tensor.shape), 0]
    return None


@functools.cache
def _tensor_class() -> type:
    """HollowTensor; made on first use, for a judge without torch has no need of it."""
    import torch

    class HollowTensor(torch.Tensor):
        """A torch tensor without elements."""

        refuse: Refuse

        @classmethod
        def __torch_function__(
            cls, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
        ) -> Any:
            own = [each for each in flat(args) if isinstance(each, HollowTensor)]
            name = getattr(function, "__name__", "")
            with torch._C.DisableTorchFunctionSubclass():
                shape = own[0].shape
                others = [each for each in flat(args) if each is not own[0] and not isinstance(each, str)]
                same = [isinstance(each, torch.Tensor) and each.shape == shape for each in others]
                if name not in LOOKS and not (same and all(same)):
                    raise own[0].refuse(WHY)
                result = function(*args, **(kwargs or {}))
            return hollow_array(result, own[0].refuse) if isinstance(result, np.ndarray) else result

    return HollowTensor


def keep_hollow_arrays(refusal_of: Callable[[object], Refuse | None]) -> None:
    """Lets numpy's makers of arrays know what comes from a box, for checks that call them. Once in a process.

    ``refusal_of``: who is told of a refusal, None for an object that isn't from a box.
    """
    for name in MAKERS:
        setattr(np, name, _keeping(getattr(np, name), refusal_of))


def refuse_hollow_answers() -> None:
    """Lets numpy's comparisons refuse other values without elements, as ``range(0)``. Once in a process."""
    for place, names in COMPARERS.items():
        for name in names:
            setattr(place, name, _wary(getattr(place, name)))


def _wary(compare: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(compare)
    def compared(*args: Any, **kwargs: Any) -> Any:
        sequences = [each for each in args[:2] if isinstance(each, SEQUENCES)]
        if sequences and not all(sequences) and len({np.shape(each) for each in args[:2]}) > 1:
            raise AssertionError(WHY)
        return compare(*args, **kwargs)

    return compared


def _keeping(make: Callable[..., Any], refusal_of: Callable[[object], Refuse | None]) -> Callable[..., Any]:
    @functools.wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        array = make(*args, **kwargs)
        refuse = None if array.size or not args else refusal_of(args[0])
        return array if refuse is None else hollow_array(array, refuse)

    return made


def refusal_of_data(x: object) -> Refuse | None:
    """Who is told of a refusal of this array or tensor; None for one that isn't hollow."""
    hollow_kind = isinstance(x, HollowArray) or _is_hollow_tensor(x)
    return x.refuse if hollow_kind else None  # type: ignore[attr-defined]


def flat(arguments: Sequence[Any]) -> list[Any]:
    """The arguments of a torch function, those in lists included."""
    found: list[Any] = []
    for each in arguments:
        found += flat(each) if isinstance(each, list | tuple) else [each]
    return found
