"""Integers minus a prediction, as symbols: contexts from what both sides hold, escapes for what is rare.

The prediction is the reference's integer. How large a residual will be is told by those of the frame that were coded
before it, each compared with what is usual for its component: integers that encoder and decoder have alike.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from codec.errors import WireError
from codec.predictive_tables import LARGEST_SYMBOL, LEVELS, WEIGHT_UNIT, PredictiveTables
from codec.quantise import LARGEST, Integers
from codec.symbols import Model, SymbolCoder, flat_model
from codec.wire import Level

CLIP: Final = 15  # a residual beyond it tells no more
RUN_LIMITS: Final = [WEIGHT_UNIT * share // 100 for share in (15, 30, 50, 75, 110, 160, 240)]
RUN_SHIFT: Final = 3  # the run follows an eighth of the way each time
RUN_BEGINS: Final = WEIGHT_UNIT  # as usual

_ESCAPE: Final = 2 * LARGEST_SYMBOL + 1
_MOST_BITS: Final = 17  # of an escaped residual's magnitude
_LENGTH: Final = flat_model(_MOST_BITS)
_BIT: Final = flat_model(2)


def code_frame(
    coder: SymbolCoder,
    integers: Integers,
    reference: Integers,
    tables: PredictiveTables,
    level: Level,
    begins: bool,
) -> Integers:
    """One frame's integers [3K+6], written or read (see `SymbolCoder`).

    Args: reference [3K+6]: what they are predicted by. begins: whether that is nothing.
    Raises: WireError for a number out of range.
    """
    mode = level + LEVELS * begins
    run, coded = RUN_BEGINS, []
    for wanted, before, weight, contexts in zip(
        integers, reference, tables.weights[mode], tables.models[mode], strict=True
    ):
        residual = _code_residual(coder, wanted - before, contexts[bisect_right(RUN_LIMITS, run)])
        run += (min(abs(residual), CLIP) * weight - run) >> RUN_SHIFT
        if abs(before + residual) > LARGEST:
            raise WireError(f"expected motion in integers up to {LARGEST}, got {before + residual}")
        coded.append(before + residual)
    return coded


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
    """A residual of magnitude 13 to 131083: (magnitude - 12) in Elias' gamma code."""
    negative = coder.code(int(residual < 0), _BIT)
    rest = max(abs(residual) - LARGEST_SYMBOL, 1)
    length = coder.code(rest.bit_length() - 1, _LENGTH)
    value = 1
    for bit in reversed(range(length)):
        value = value << 1 | coder.code(rest >> bit & 1, _BIT)
    magnitude = value + LARGEST_SYMBOL
    return -magnitude if negative else magnitude
