"""The `paper` profile: fp16 bytes and back."""

from __future__ import annotations

import numpy as np
import pytest

from codec import MotionError, WireError
from codec.paper import byte_count, bytes_to_vectors, vectors_to_bytes


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.0, "0000"),
        (-0.0, "8000"),
        (1.0, "3c00"),
        (-2.0, "c000"),
        (0.1, "2e66"),
        (12.5, "4a40"),
        (1.0 + 2**-11, "3c00"),  # half way: to the even one
        (1.0 + 3 * 2**-11, "3c02"),
        (2.0**-24, "0001"),  # the smallest fp16
        (2.0**-26, "0000"),
        (65504.0, "7bff"),
        (65519.0, "7bff"),
        (65520.0, "7bff"),  # where plain rounding makes infinity
        (3.4e38, "7bff"),
        (-1e6, "fbff"),
    ],
)
def test_number_to_bytes(number: float, expected: str) -> None:
    symbols = vectors_to_bytes(np.full((1, 9), number, np.float32))
    assert symbols.shape == (1, byte_count(1)) == (1, 18)
    assert symbols.tobytes().hex() == expected * 9


def test_every_fp16_round_trips() -> None:
    every = np.arange(1 << 16, dtype=">u2").view(">f2")
    finite = every[np.isfinite(every)]  # 63,488 of them
    vectors = np.resize(finite.astype(np.float32), (len(finite) // 9 + 1, 9))
    assert np.array_equal(bytes_to_vectors(vectors_to_bytes(vectors)).view(np.uint32), vectors.view(np.uint32))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused(number: float) -> None:
    vectors = np.zeros((2, 9), np.float32)
    vectors[1, 4] = number
    with pytest.raises(MotionError, match="NaN or infinity"):
        vectors_to_bytes(vectors)


@pytest.mark.parametrize("high", [0x7C, 0x7F, 0xFC, 0xFF])
def test_bytes_that_are_not_finite(high: int) -> None:
    symbols = np.zeros((2, 18), np.uint8)
    symbols[1, 6] = high
    with pytest.raises(WireError, match="number 3 of frame 1"):
        bytes_to_vectors(symbols)
