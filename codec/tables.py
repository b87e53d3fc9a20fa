"""Static frequency tables, one for each byte position of a frame (Wang et al. 2021, C.1).

They are fitted once for a given model on training clips, travel with the model's weights, and are named by
their hash at the start of a call and in a recording: both ends code with the same ones or refuse.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec.errors import TablesError
from codec.motion import MAX_KEYPOINTS, POSE_NUMBERS, number_count
from codec.paper import byte_count, vectors_to_bytes
from codec.symbols import TABLE_SUM, Model, build_model, integer_shares

ALPHABET: Final = 256  # a symbol is a byte
# Every byte is counted as if it had been seen this many times more than it was, so that what the clips never showed
# is dear but possible. Left out one by one, the 13 validation clips cost 111.29 B a frame with 0, 111.12 with 1/4,
# 111.45 with 1 (uncoded 132 B; 20 MediaPipe landmarks as keypoints).
_PSEUDO_COUNTS_PER_COUNT: Final = 4


class ByteTables:
    """Frequencies of the 256 byte values at each of the 6K+12 byte positions of a frame."""

    def __init__(self, frequencies: NDArray[np.integer[Any]]) -> None:
        """Take tables as stored with a model.

        Args: frequencies: integers [6K+12, 256], every entry >= 1, every row's sum 65536. They are copied.
        Raises: TablesError for any other array.
        """
        self.frequencies: NDArray[np.uint16] = _checked(frequencies)

    @classmethod
    def fit(cls, vectors: NDArray[np.float32]) -> ByteTables:
        """Count the bytes of motions, `Motion.as_vector` each, of the training clips.

        Args: vectors [N, 3K+6], finite, N >= 1. Thousands of frames are wanted: a table has 256 entries.
        Raises: TablesError for an array of another shape, MotionError for NaN or infinity.
        """
        if vectors.ndim != 2 or not len(vectors) or not _is_motion_length(vectors.shape[1]):
            raise TablesError(f"expected motions of shape (N, 3K+6) to fit tables on, got {vectors.shape}")
        symbols = vectors_to_bytes(vectors)  # [N, 6K+12]
        counts = np.stack([np.bincount(column, minlength=ALPHABET) for column in symbols.T])
        return cls(integer_shares(counts.astype(np.int64) * _PSEUDO_COUNTS_PER_COUNT + 1))

    @property
    def keypoints(self) -> int:
        """K, the number of keypoints these tables are for."""
        return (len(self.frequencies) // 2 - POSE_NUMBERS) // 3

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of the frequencies as big-endian uint16, row by row."""
        return hashlib.sha256(self.frequencies.astype(">u2").tobytes()).hexdigest()

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """One coding model for each byte position, in order; built once (0.2 ms for 20 keypoints)."""
        return tuple(build_model(row) for row in self.frequencies)


def _is_motion_length(numbers: int) -> bool:
    keypoints = (numbers - POSE_NUMBERS) // 3
    return 1 <= keypoints <= MAX_KEYPOINTS and numbers == number_count(keypoints)


def _checked(frequencies: NDArray[np.integer[Any]]) -> NDArray[np.uint16]:
    shape = frequencies.shape
    if len(shape) != 2 or shape[1] != ALPHABET or shape[0] % 2 or not _is_motion_length(shape[0] // 2):
        raise TablesError(f"expected tables of shape (6K+12, 256), {byte_count(20)} rows for K = 20, got {shape}")
    if not np.issubdtype(frequencies.dtype, np.integer):
        raise TablesError(f"expected integer frequencies, got {frequencies.dtype}")
    wide = frequencies.astype(np.int64)
    if wide.min() < 1:
        raise TablesError(f"expected every frequency to be 1 or more, got {wide.min()}")
    sums = wide.sum(axis=1)
    if (sums != TABLE_SUM).any():
        row = int(np.flatnonzero(sums != TABLE_SUM)[0])
        raise TablesError(f"expected every row to add up to {TABLE_SUM}, row {row} adds up to {sums[row]}")
    tables = wide.astype(np.uint16)
    tables.flags.writeable = False  # its hash and its models are kept
    return tables
