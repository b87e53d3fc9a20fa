"""The range coder: known bytes, the shortest bytes, nothing lost, close to the ideal length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codec import WireError
from codec.symbols import SymbolReader, SymbolWriter, build_model
from tests.codec.reference_decoder import decode_symbols

SKEWED = np.array([65536 - 255] + [1] * 255, np.uint16)
FLAT = np.full(256, 256, np.uint16)
FALLING = np.array([2**15, 2**14, 2**13, 2**12, 2**11, 2**10, 2**9, 2**8, 2**7, 2**7], np.uint16)


def coded(symbols: list[int], table: NDArray[np.uint16]) -> bytes:
    writer, model = SymbolWriter(), build_model(table)
    for symbol in symbols:
        writer.code(symbol, model)
    return writer.finish()


def decoded(data: bytes, count: int, table: NDArray[np.uint16]) -> list[int]:
    reader, model = SymbolReader(data), build_model(table)
    return [reader.code(0, model) for _ in range(count)]


@pytest.mark.parametrize(
    ("symbols", "table", "expected"),
    [
        ([0] * 8, FALLING, ""),  # the interval holds zero: nothing is left to say
        ([1], FALLING, "80"),
        ([2], FALLING, "c0"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], FALLING, "5bbdf15ac2e574"),
        ([1, 2, 3], FLAT, "010203"),
        ([255] * 6, FLAT, "fffffffffc0201"),
        ([0] * 100, SKEWED, ""),
        ([255] * 3, SKEWED, "fffffffffdfe"),
    ],
)
def test_known_bytes(symbols: list[int], table: NDArray[np.uint16], expected: str) -> None:
    data = coded(symbols, table)
    assert data.hex() == expected
    assert decoded(data, len(symbols), table) == symbols
    assert decode_symbols(data, [table.tolist()] * len(symbols)) == symbols


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_no_shorter_bytes_decode_the_same(symbols: list[int]) -> None:
    data = coded(symbols, FALLING)
    if not data:
        return
    # What decodes to the same is one interval of numbers; the shorter numbers next to this one are these two.
    below = int.from_bytes(data[:-1], "big")
    for neighbour in (below, below + 1):
        if neighbour < 256 ** (len(data) - 1):
            assert decode_or_none(neighbour.to_bytes(len(data) - 1, "big"), len(symbols)) != symbols


def decode_or_none(data: bytes, count: int) -> list[int] | None:
    try:
        return decoded(data, count, FALLING)
    except WireError:
        return None


@given(st.data())
def test_round_trip_and_length(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size = data.draw(st.integers(2, 256))
    tables = [random_table(rng, size, sharpness) for sharpness in (0.0, 1.0, 4.0)]
    rows = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=300))
    symbols = [int(rng.choice(size, p=tables[row] / 65536)) for row in rows]
    writer, models = SymbolWriter(), [build_model(table) for table in tables]
    for symbol, row in zip(symbols, rows, strict=True):
        writer.code(symbol, models[row])
    coded_bytes = writer.finish()
    reader = SymbolReader(coded_bytes)
    assert [reader.code(0, models[row]) for row in rows] == symbols
    assert decode_symbols(coded_bytes, [tables[row].tolist() for row in rows]) == symbols
    ideal_bits = -sum(np.log2(tables[row][symbol] / 65536) for symbol, row in zip(symbols, rows, strict=True))
    # A byte for the cut; 0.006 bits a symbol for the coder's own rounding (24 bits of a width that has 32 or more).
    assert 8 * len(coded_bytes) <= ideal_bits + 8 + 0.006 * len(symbols)


def random_table(rng: np.random.Generator, size: int, sharpness: float) -> NDArray[np.uint16]:
    weights = rng.exponential(1.0, size) ** sharpness
    table: NDArray[np.int64] = 1 + np.floor(weights / weights.sum() * (65536 - size)).astype(np.int64)
    table[int(np.argmax(table))] += 65536 - table.sum()
    return table.astype(np.uint16)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 255]), min_size=1, max_size=60))
@example([0] * 20 + [255] * 20)
@example([255] * 20 + [0] * 20)
def test_dear_and_cheap_symbols(symbols: list[int]) -> None:
    data = coded(symbols, SKEWED)
    assert decoded(data, len(symbols), SKEWED) == symbols
    assert decode_symbols(data, [SKEWED.tolist()] * len(symbols)) == symbols


@given(st.binary(max_size=64), st.integers(0, 200))
@example(b"\xff" * 40, 200)
def test_any_bytes(data: bytes, count: int) -> None:
    reader, models = SymbolReader(data), [build_model(SKEWED), build_model(FLAT), build_model(FALLING)]
    try:
        symbols = [reader.code(0, models[index % 3]) for index in range(count)]
    except WireError:
        return
    assert all(0 <= symbol < 256 for symbol in symbols)


def test_bytes_no_encoder_writes() -> None:
    with pytest.raises(WireError, match="cannot have written"):
        decoded(b"\xff" * 12, 3, SKEWED)
