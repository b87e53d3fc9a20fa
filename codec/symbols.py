"""Symbols to bits and back: the range coder, a thin typed wrapper around constriction.

Tables are integers k with sum 65536, given to constriction as float64 k/65536 with perfect=False: the products in
its construction are then exact, so every machine codes with the same intervals (FORMAT.md, "Range coder"). The same
table as float32 gives other bytes, hence the one function `build_model`.
"""

from __future__ import annotations

from typing import Any, Final, NewType, Protocol

import constriction
import numpy as np
from numpy.typing import NDArray

from codec.errors import WireError

TABLE_SUM: Final = 1 << 16
_STATE_BYTES: Final = 8  # the coder's interval is 64 bits wide, its words 32
_WORD_BYTES: Final = 4

Model = NewType("Model", object)


def build_model(frequencies: NDArray[np.integer[Any]]) -> Model:
    """A coding model from one frequency table [n] with sum 65536 and no zero; symbol s gets frequency/65536."""
    probabilities = frequencies.astype(np.float64) / TABLE_SUM
    return Model(constriction.stream.model.Categorical(probabilities, perfect=False))


def integer_shares(weights: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Weights [...,n] >= 0, some above 0 in each row, to frequencies with sum 65536 and minimum 1.

    In integers, so it is the same on every machine.

    Each entry gets 1 and its share of the rest, rounded down; what is then missing goes to the largest remainders,
    on a tie to the earlier entry.
    """
    wide = weights.astype(np.int64)
    rest = TABLE_SUM - wide.shape[-1]
    shares, remainders = np.divmod(wide * rest, wide.sum(axis=-1, keepdims=True))
    missing = rest - shares.sum(axis=-1, keepdims=True)  # [..., 1], each < n
    rank = np.argsort(np.argsort(-remainders, axis=-1, kind="stable"), axis=-1, kind="stable")
    frequencies: NDArray[np.int64] = 1 + shares + (rank < missing)
    return frequencies


def weighted_model(*weights: int) -> Model:
    """A model of a few symbols from their weights, each above 0."""
    return build_model(integer_shares(np.array([weights]))[0])


def flat_model(size: int) -> Model:
    """A model of `size` symbols that are equally likely."""
    return weighted_model(*[1] * size)


class SymbolCoder(Protocol):
    """One walk over a message's symbols, written once for both directions."""

    def code(self, symbol: int, model: Model) -> int:
        """Write `symbol`, or read one and leave `symbol` unread; returns what now stands in the message."""


class SymbolWriter:
    """Collects symbols and gives the shortest bytes that still decode to them. One writer a message."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def code(self, symbol: int, model: Model) -> int:
        """Append one symbol, 0 <= symbol < size of the model's table."""
        self._coder.encode(symbol, model)
        return symbol

    def finish(self) -> bytes:
        """The coded bytes. A flush to whole words costs about 2 bytes over the ideal length, the cut about 0.3."""
        words = self._coder.get_compressed()
        word_count, (lower, width) = self._coder.pos()
        return _shortest(words.astype(">u4").tobytes(), word_count * _WORD_BYTES, lower, width)


class SymbolReader:
    """Takes symbols out of coded bytes; past their end it reads zeros. One reader a message."""

    def __init__(self, coded: bytes) -> None:
        padded = coded + bytes(-len(coded) % _WORD_BYTES)
        self._coder = constriction.stream.queue.RangeDecoder(np.frombuffer(padded, ">u4").astype(np.uint32))
        self._coded = coded
        self._again = SymbolWriter()

    def code(self, symbol: int, model: Model) -> int:
        """The next symbol, when it was put with the same model. WireError where no encoder writes these bytes."""
        try:
            taken = int(self._coder.decode(model))
        except AssertionError as error:  # constriction's word for a point outside every symbol's interval
            raise WireError("expected bytes of the range coder, got bytes it cannot have written") from error
        return self._again.code(taken, model)

    def finish(self) -> None:
        """Check that nothing stands behind the last symbol: WireError unless a writer would write just these bytes."""
        if self._again.finish() != self._coded:
            raise WireError("expected the shortest coding of the motion and nothing behind it, got other bytes")


def _shortest(flushed: bytes, settled: int, lower: int, width: int) -> bytes:
    """Cut what a flush wrote to the shortest bytes that, followed by zeros, lie in the coder's last interval.

    ::

        flushed   | settled bytes      | ff e0 12 34 |      a point in the interval, as constriction writes it
        interval  | settled (or less)  | 8 bytes: lower .. lower + width
        answer    | the settled bytes  | 1 byte    |        fewest bytes such that zeros after them stay inside

    Args: flushed, big-endian. settled: bytes before the 64-bit window. lower, width: the window's interval, lower
    modulo 2^64.
    """
    size = settled + _STATE_BYTES
    point = int.from_bytes(flushed.ljust(size, b"\0"), "big")
    # `lower` is known modulo 2^64 only: a carry may still run into the settled bytes. The point tells which it is.
    start = point - ((point - lower) % (1 << 64))
    for kept in range(_STATE_BYTES + 1):
        unit = 1 << 8 * (_STATE_BYTES - kept)
        candidate = -(-start // unit) * unit
        if candidate < start + width:
            return candidate.to_bytes(size, "big").rstrip(b"\0")
    raise AssertionError("unreachable: the interval holds its own start")
