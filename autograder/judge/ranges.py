"""Lets torch compare small integers as numbers.

torch makes a number that doesn't fit a tensor's integer type fit it, modulo its range: a uint8 tensor of 42
is equal to 298. A student's tensor would be right modulo 256. Here, in the judge, such a comparison (or sum
or difference) is made in int64.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

OPERATIONS = "eq ne lt le gt ge add sub".split()
REFLECTED = ("__radd__", "__rsub__")


def mind_ranges(torch: Any) -> None:
    """Once in a process."""
    for name in OPERATIONS:
        for place, spelt in ((torch.Tensor, f"__{name}__"), (torch.Tensor, name), (torch, name)):
            setattr(place, spelt, _minding(torch, getattr(place, spelt)))
    for name in REFLECTED:
        setattr(torch.Tensor, name, _minding(torch, getattr(torch.Tensor, name)))


def _minding(torch: Any, operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def minded(x: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, torch.Tensor) and _overflows(torch, x.dtype, other):
            x = x.to(torch.int64)
        return operation(x, other, *args, **kwargs)

    return minded


def _overflows(torch: Any, dtype: Any, number: Any) -> bool:
    """Whether a number, which may be a tensor without dimensions, is an integer out of a type's range."""
    if isinstance(number, torch.Tensor):
        if number.dim() or number.is_floating_point() or number.is_complex() or number.dtype is torch.bool:
            return False
        number = int(number)
    integral = not (dtype.is_floating_point or dtype.is_complex or dtype in (torch.bool, torch.int64))
    if type(number) is not int or not integral:
        return False
    limits = torch.iinfo(dtype)
    return not limits.min <= number <= limits.max
