"""Autocast, and what it must not touch: coordinates, rotations, flows and the grids that pictures are sampled at.

bfloat16 has 8 bits of mantissa: a position near the border of a 256 px picture would be known to half a pixel.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from itertools import chain
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in fp32 also where autocast is on; its half-precision tensors are widened first.

    Without autocast, at inference or when only counting (meta), it is called as it is.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        kind = _device_type(chain(args, kwargs.values()))
        if kind is None or kind == "meta" or not torch.is_autocast_enabled(kind):
            return function(*args, **kwargs)
        with torch.autocast(kind, enabled=False):
            return function(*map(_widen, args), **{name: _widen(value) for name, value in kwargs.items()})  # type: ignore[arg-type]

    return run


def _device_type(values: Iterable[object]) -> str | None:
    """Of the first tensor among the values or in a tuple of them."""
    for value in values:
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Tensor):
                return part.device.type
    return None


def _widen(value: object) -> object:
    half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if half and isinstance(value, Tensor) else value
