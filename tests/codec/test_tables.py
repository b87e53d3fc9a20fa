"""Frequency tables: fitting, checking, naming."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codec import ByteTables, MotionError, TablesError
from codec.paper import vectors_to_bytes
from tests.codec.synthetic import clip_vectors, fitted_tables


def flat(rows: int = 18) -> NDArray[np.int64]:
    """Tables that say nothing: every byte alike."""
    return np.full((rows, 256), 256)


def test_fit_by_hand() -> None:
    # Three frames, of which one is turned by 1 degree: yaw's high byte is 00 twice and 3C once. Weights 4 count + 1:
    # 9 and 5 and 254 ones, sum 268; each entry is 1 + its share of 65280, rounded down, and the 149 that are
    # missing go to the largest remainders: 9 * 65280 = 2192 * 268 + 64, 5 * 65280 = 1217 * 268 + 244,
    # 65280 = 243 * 268 + 156. So 3C gets one first, then the first 148 others.
    vectors = np.zeros((3, 9), np.float32)
    vectors[1, 0] = 1.0
    row = ByteTables.fit(vectors).frequencies[0]
    assert row[0x00] == 1 + 2192
    assert row[0x3C] == 1 + 1217 + 1
    others = np.delete(row, [0x00, 0x3C]).tolist()
    assert others == [1 + 243 + 1] * 148 + [1 + 243] * 106


def test_fit_gives_every_byte_a_place() -> None:
    tables = fitted_tables(20).paper
    assert tables.keypoints == 20
    assert tables.frequencies.shape == (132, 256)
    assert (tables.frequencies.sum(axis=1, dtype=np.int64) == 65536).all()
    assert tables.frequencies.min() >= 1


def test_fitted_tables_shorten_people_they_never_saw() -> None:
    symbols = vectors_to_bytes(clip_vectors(99, 100))
    frequencies = fitted_tables(20).paper.frequencies
    bits = -np.log2(frequencies[np.arange(132), symbols] / 65536).sum(axis=1)
    assert bits.mean() / 8 < 0.93 * 132


@given(st.permutations(range(40)))
def test_fit_does_not_hang_on_the_order(order: list[int]) -> None:
    vectors = clip_vectors(3, 40, keypoints=1)
    assert ByteTables.fit(vectors[order]).sha256 == ByteTables.fit(vectors).sha256


@pytest.mark.parametrize("shape", [(0, 66), (66,), (5, 67), (5, 6), (5, 774), (2, 3, 66)])
def test_fit_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(TablesError, match=r"\(N, 3K\+6\)"):
        ByteTables.fit(np.zeros(shape, np.float32))


def test_fit_not_finite() -> None:
    with pytest.raises(MotionError, match="NaN"):
        ByteTables.fit(np.full((4, 66), np.nan, np.float32))


def test_load_what_was_stored() -> None:
    stored = fitted_tables(3).paper.frequencies.copy()
    loaded = ByteTables(stored)
    assert loaded.keypoints == 3
    assert loaded.sha256 == fitted_tables(3).paper.sha256
    stored[0] = 0  # the caller's array is copied
    assert loaded.frequencies[0].min() >= 1
    with pytest.raises(ValueError, match="read-only"):
        loaded.frequencies[0, 0] = 5


def test_sha256_is_of_big_endian_rows() -> None:
    assert ByteTables(flat()).sha256 == hashlib.sha256(b"\x01\x00" * 256 * 18).hexdigest()
    other = flat()
    other[17, :2] = 255, 257
    assert (
        ByteTables(other).sha256
        == hashlib.sha256(b"\x01\x00" * (256 * 18 - 256) + other[17].astype(">u2").tobytes()).hexdigest()
    )


def _with(row: int, column: int, value: int) -> NDArray[np.int64]:
    tables = flat()
    tables[row, column] = value
    return tables


@pytest.mark.parametrize(
    ("frequencies", "words"),
    [
        (flat(12), r"\(6K\+12, 256\)"),
        (flat(19), r"\(6K\+12, 256\)"),
        (flat(20), r"\(6K\+12, 256\)"),
        (flat(12 + 6 * 256), r"\(6K\+12, 256\)"),
        (flat()[:, :255], r"got \(18, 255\)"),
        (flat()[0], r"got \(256,\)"),
        (flat() / 65536, "integer frequencies, got float64"),
        (_with(5, 7, 0), "1 or more, got 0"),
        (_with(5, 7, -3), "1 or more, got -3"),
        (_with(5, 7, 257), "row 5 adds up to 65537"),
        (_with(5, 7, 256 + 65536), "row 5 adds up to 131072"),
    ],
)
def test_refused(frequencies: NDArray[Any], words: str) -> None:
    with pytest.raises(TablesError, match=words):
        ByteTables(frequencies)
