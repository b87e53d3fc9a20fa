"""The `paper` profile: every number as fp16, every byte a symbol (Wang et al. 2021, C.1).

    Motion --as_vector--> float32 [3K+6] --clamp, round--> fp16 [3K+6] --split--> bytes [6K+12]

Number n gives bytes 2n (sign, exponent, top of the mantissa) and 2n+1 (the rest, close to noise).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import MotionError, WireError
from codec.motion import Motion, number_count

FP16_LARGEST: Final = 65504.0


def byte_count(keypoints: int) -> int:
    """Bytes of one frame before the range coder: 6K+12; 132 for 20 keypoints."""
    return 2 * number_count(keypoints)


def vectors_to_bytes(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Motion vectors as the bytes of their fp16 numbers, high byte first.

    A number beyond the fp16 range becomes the largest one of its sign, +-65504: no angle in degrees and no crop
    unit comes near it, so such a number is a fault that shows in the picture but must not end a call. All others
    are rounded to the nearest fp16, ties to even.

    Args: vectors [N, 3K+6]. Returns: uint8 [N, 6K+12]. Raises MotionError for NaN or infinity.
    """
    if not np.isfinite(vectors).all():
        raise MotionError("expected finite numbers to code, got NaN or infinity")
    clamped = np.clip(vectors, -FP16_LARGEST, FP16_LARGEST)
    return np.ascontiguousarray(clamped.astype(">f2")).view(np.uint8)


def bytes_to_vectors(symbols: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The inverse of `vectors_to_bytes`, exact.

    Args: symbols [N, 6K+12]. Returns: float32 [N, 3K+6]. Raises WireError where the fp16 is NaN or infinity.
    """
    vectors = np.ascontiguousarray(symbols).view(">f2").astype(np.float32)
    if not np.isfinite(vectors).all():
        frame, number = np.argwhere(~np.isfinite(vectors))[0]
        raise WireError(f"expected finite numbers, got NaN or infinity as number {number} of frame {frame}")
    return vectors


def motions_to_bytes(motions: Sequence[Motion]) -> NDArray[np.uint8]:
    """The symbols of the frames of one message: uint8 [frames, 6K+12]. All motions have the same K."""
    return vectors_to_bytes(np.stack([motion.as_vector() for motion in motions]))


def bytes_to_motions(symbols: NDArray[np.uint8], times_ms: Sequence[int]) -> tuple[Motion, ...]:
    """The frames of one message from their symbols, uint8 [frames, 6K+12], and capture times. WireError as above."""
    vectors = bytes_to_vectors(symbols)
    return tuple(Motion.from_vector(v, ms / 1000) for v, ms in zip(vectors, times_ms, strict=True))
