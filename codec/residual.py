"""Integers minus a prediction, as symbols: contexts from what both sides hold, escapes for what is rare.

The prediction is the reference's integer. How large a residual will be is told by two neighbours: how much the same
component changed at the reference, and how large the residuals of this frame have been so far; either compared with
what is usual for the component. Both are integers that encoder and decoder have alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from codec.errors import WireError
from codec.predictive_tables import LARGEST_SYMBOL, LEVELS, WEIGHT_UNIT, PredictiveTables
from codec.quantise import LARGEST, Integers
from codec.symbols import Model, SymbolCoder, flat_model
from codec.wire import Level

CHANGES: Final = 4
RUNS: Final = 6
CLIP: Final = 15  # a change beyond it tells no more

_CHANGE_LIMITS: Final = [WEIGHT_UNIT * share // 100 for share in (30, 100, 200)]
_RUN_LIMITS: Final = [WEIGHT_UNIT * share // 100 for share in (20, 45, 80, 130, 220)]
_RUN_SHIFT: Final = 3  # the run follows an eighth of the way each time
_ESCAPE: Final = 2 * LARGEST_SYMBOL + 1
_MOST_BITS: Final = 17  # of an escaped residual's magnitude
_LENGTH: Final = flat_model(_MOST_BITS)
_BIT: Final = flat_model(2)


def code_frame(
    coder: SymbolCoder,
    integers: Integers,
    reference: Integers,
    changes: Sequence[int],
    tables: PredictiveTables,
    level: Level,
    begins: bool,
) -> Integers:
    """One frame's integers [3K+6], written or read (see `SymbolCoder`).

    Args: reference [3K+6]: what they are predicted by. changes [3K+6], 0..15: how much each component last changed.
        begins: whether the reference is nothing.
    Raises: WireError for a number out of range.
    """
    mode = level + LEVELS * begins
    models, weights = tables.models[mode], tables.weights[mode]
    run = sum(map(int.__mul__, changes, weights)) // len(changes)
    coded = []
    for wanted, before, change, weight, contexts in zip(integers, reference, changes, weights, models, strict=True):
        context = RUNS * bisect_right(_CHANGE_LIMITS, change * weight) + bisect_right(_RUN_LIMITS, run)
        residual = _code_residual(coder, wanted - before, contexts[context])
        run += (min(abs(residual), CLIP) * weight - run) >> _RUN_SHIFT
        if abs(before + residual) > LARGEST:
            raise WireError(f"expected motion in integers up to {LARGEST}, got {before + residual}")
        coded.append(before + residual)
    return coded


def changes_between(before: Integers, after: Integers) -> list[int]:
    """How much each component changed, 0..15."""
    return [min(abs(b - a), CLIP) for a, b in zip(before, after, strict=True)]


def _code_residual(coder: SymbolCoder, residual: int, model: Model) -> int:
    """0, +1, -1, ... as symbols 0, 1, 2, ...; beyond +-12 the escape, then sign, length and bits of the magnitude."""
    size = abs(residual)
    symbol = coder.code(_ESCAPE if size > LARGEST_SYMBOL else 2 * size - (residual > 0), model)
    if symbol == 0:
        return 0
    if symbol < _ESCAPE:
        return (symbol + 1) // 2 if symbol % 2 else -(symbol // 2)
    return _code_large(coder, residual)


def _code_large(coder: SymbolCoder, residual: int) -> int:
    """A residual of magnitude 13 to 131084: (magnitude - 12) in Elias' gamma code."""
    negative = coder.code(int(residual < 0), _BIT)
    rest = max(abs(residual) - LARGEST_SYMBOL, 1)
    length = coder.code(rest.bit_length() - 1, _LENGTH)
    value = 1
    for bit in reversed(range(length)):
        value = value << 1 | coder.code(rest >> bit & 1, _BIT)
    magnitude = value + LARGEST_SYMBOL
    return -magnitude if negative else magnitude
