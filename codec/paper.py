"""The `paper` profile: every number as fp16, every byte a symbol (Wang et al. 2021, C.1).

    Motion --as_vector--> float32 [3K+6] --clamp, round--> fp16 [3K+6] --split--> bytes [6K+12]

Number n gives bytes 2n (sign, exponent, top of the mantissa) and 2n+1 (the rest, close to noise).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import MotionError, WireError
from codec.fields import code_gap, code_number, code_period, later
from codec.motion import Motion, number_count
from codec.symbols import SymbolCoder, SymbolReader

if TYPE_CHECKING:
    from codec.tables import ByteTables

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


def code_frames(
    writer: SymbolCoder,
    frames: NDArray[np.uint8],
    times_ms: Sequence[int],
    period_ms: int,
    keypoints: int,
    tables: ByteTables,
) -> None:
    """Write frames, uint8 [frames, 6K+12], of which the first `keypoints` travel, 0 to K."""
    code_number(writer, keypoints, 1)
    _code_times(writer, times_ms, period_ms)
    used = byte_count(keypoints)
    for frame in frames.tolist():
        for symbol, model in zip(frame[:used], tables.models[:used], strict=True):
            writer.code(symbol, model)


def read_frames(reader: SymbolReader, frames: int, tables: ByteTables) -> tuple[Motion, ...]:
    """So many frames; delta of keypoints that did not travel is 0. WireError for a number that is none."""
    keypoints = code_number(reader, 0, 1)
    if keypoints > tables.keypoints:
        raise WireError(f"expected motion of up to {tables.keypoints} keypoints, got {keypoints}")
    times_ms = _code_times(reader, [0] * frames, 0)
    models = tables.models[: byte_count(keypoints)]
    symbols = np.array([[reader.code(0, model) for model in models] for _ in range(frames)], dtype=np.uint8)
    whole = np.zeros((frames, byte_count(tables.keypoints)), np.uint8)
    whole[:, : symbols.shape[1]] = symbols
    vectors = bytes_to_vectors(whole)
    return tuple(Motion.from_vector(v, ms / 1000) for v, ms in zip(vectors, times_ms, strict=True))


def _code_times(coder: SymbolCoder, times_ms: Sequence[int], period_ms: int) -> list[int]:
    """The usual spacing, the first capture time, and the gaps after it."""
    period_ms = code_period(coder, period_ms, 0)
    if period_ms == 0:
        raise WireError("expected a usual spacing of 1 to 255 ms, got none")
    coded = [code_number(coder, times_ms[0], 4)]
    for before, after in zip(times_ms, times_ms[1:], strict=False):
        coded.append(later(coded[-1], code_gap(coder, after - before, period_ms)))
    return coded
