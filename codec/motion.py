"""Motion: what travels for one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codec.errors import MotionError

POSE_NUMBERS: Final = 6  # yaw, pitch, roll, t_x, t_y, t_z
MAX_KEYPOINTS: Final = 255  # the count travels in one byte


def number_count(keypoints: int) -> int:
    """How many numbers describe one frame: 3K+6 (Wang et al. 2021, sec. 5); 66 for 20 keypoints."""
    return POSE_NUMBERS + 3 * keypoints


@dataclass(frozen=True, eq=False)
class Motion:
    """Head pose, translation and expression of one frame, and when it was captured.

    The arrays are copied and converted to float32. Raises MotionError for a wrong shape, a number that is not
    finite (in float32), or a time before the start.

    yaw_deg, pitch_deg, roll_deg: degrees; the Euler order is that of `models/geometry.py`.
    t: [3]. t_x and t_y in crop units ([-1,1] spans the crop, x right, y down); t_z as the preset says
        (log-scale for `compact`).
    delta: [K,3] expression deformation of each keypoint, added to the keypoints (eq. 1 and 3); keypoints are
        ordered by importance. 1 <= K <= 255.
    capture_time_s: seconds since the start of the capture, >= 0.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    t: NDArray[np.float32]
    delta: NDArray[np.float32]
    capture_time_s: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "t", _float32(self.t, "t"))
        object.__setattr__(self, "delta", _float32(self.delta, "delta"))
        if self.t.shape != (3,):
            raise MotionError(f"expected t of shape (3,), got {self.t.shape}")
        if self.delta.ndim != 2 or self.delta.shape[1] != 3 or not 1 <= len(self.delta) <= MAX_KEYPOINTS:
            raise MotionError(
                f"expected delta of shape (K, 3) with K from 1 to {MAX_KEYPOINTS}, got {self.delta.shape}"
            )
        if not np.isfinite(self.as_vector()).all():
            raise MotionError("expected finite numbers in a motion, got NaN or infinity")
        if not (math.isfinite(self.capture_time_s) and self.capture_time_s >= 0):
            raise MotionError(f"expected a capture time of 0 s or later, got {self.capture_time_s}")

    @property
    def keypoints(self) -> int:
        """K, the number of keypoints."""
        return len(self.delta)

    def as_vector(self) -> NDArray[np.float32]:
        """All numbers in the order in which they travel: yaw, pitch, roll, t, delta row by row. float32 [3K+6]."""
        pose = _float32((self.yaw_deg, self.pitch_deg, self.roll_deg), "angles")
        return np.concatenate((pose, self.t, self.delta.reshape(-1)))

    @classmethod
    def from_vector(cls, vector: ArrayLike, capture_time_s: float) -> Motion:
        """The inverse of `as_vector`. MotionError when the vector is not one of 3K+6 finite numbers."""
        numbers = _float32(vector, "a motion vector")
        if numbers.ndim != 1 or len(numbers) <= POSE_NUMBERS or len(numbers) % 3:
            raise MotionError(f"expected a vector of 3K+6 numbers, got shape {numbers.shape}")
        yaw, pitch, roll = (float(angle) for angle in numbers[:3])
        delta = numbers[POSE_NUMBERS:].reshape(-1, 3)  # [K, 3]
        return cls(yaw, pitch, roll, numbers[3:POSE_NUMBERS], delta, capture_time_s)

    def __eq__(self, other: object) -> bool:
        """Equal numbers (in float32) at the same time; arrays would make the generated comparison ambiguous."""
        if not isinstance(other, Motion):
            return NotImplemented
        same_time = self.capture_time_s == other.capture_time_s
        return same_time and np.array_equal(self.as_vector(), other.as_vector())


def _float32(numbers: ArrayLike, what: str) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # a float64 that overflows becomes infinity and is refused as such
            return np.array(numbers, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise MotionError(f"expected numbers for {what}, got something else") from error
