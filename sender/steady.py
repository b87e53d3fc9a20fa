"""Takes the tremble out of measured motion without holding back what moves.

Where the keypoints are is measured, and wrong by a tenth of a pixel or three; the pose is guessed, and delta takes up
what it is wrong by. So the keypoints x and the pose are made steady each by itself, and delta is what pose and shape
then leave over of x: were pose and delta filtered, the one would no longer undo the other's errors.

What is nearer to the last value than noise goes is averaged in over time; what is further away is taken at its word:

    new = measured + (last - measured) exp(-elapsed / TIME_S) / (1 + (d / noise)^2)

with d the distance in pixels; what all keypoints do together counts more, for noise does not agree. A filter whose
cutoff follows the speed (Casiez et al. 2012, "1 euro filter") has to see a blink for some frames before it lets it
through; this one lets its first frame through. What moves is never off by more than noise / 2, however fast: that is
all the lag there is.

Positions are told in the first crop's place: while the crop moves, only what the head does is filtered.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codec.motion import Motion
from models.rotations import euler_angles_deg, rotation_matrix, turn_deg, turn_rotation
from sender.crop_square import Square

Array = NDArray[np.float64]

PICTURE_PX: Final = 256
"""Pixels are those of a crop this wide, however many the networks see."""
POINT_NOISE_PX: Final = 0.6
POSE_NOISE_PX: Final = 1.5
TOGETHER: Final = 5.0
"""How much more the mean of all keypoints' distances counts, squared, than a keypoint's own."""
TIME_S: Final = 0.15
ARM: Final = 0.7
"""From the middle of the head to what a turn moves most, in the canonical unit: turns and sizes are told in pixels
there."""
FORGET_S: Final = 0.5
"""After so long without a frame the next one is taken as it is."""


class _State(NamedTuple):
    """x [K,3] (without depth's shift) and t [2] in units of the first crop, R [3,3], depth: t_z of it."""

    x: Array
    R: Array
    t: Array
    depth: float
    time_s: float


class Steady:
    """One call's motion, frame by frame in the order of capture.

    x_c [K,3]: canonical keypoints of the source picture. scaled: whether t_z is a log-scale
    (x = exp(t_z) (R x_c + delta) + (t_x, t_y, 0), `compact`) or depth (x = R x_c + t + delta, `paper`).
    """

    def __init__(self, x_c: NDArray[np.float32], scaled: bool, first: Square | None = None) -> None:
        self._x_c = np.asarray(x_c, np.float64)
        self._scaled = scaled
        self._first = first
        self._last: _State | None = None

    def __call__(self, motion: Motion, square: Square | None = None) -> Motion:
        """The motion made steady; `square` is the crop that it was seen in, None for one that never moves."""
        offset, zoom = self._place(square)
        seen = self._read(motion, offset, zoom)
        last = self._last
        if last is None or not 0 <= seen.time_s - last.time_s < FORGET_S:
            self._last = seen
            return motion
        self._last = self._blend(last, seen)
        return self._write(self._last, offset, zoom)

    def _blend(self, last: _State, seen: _State) -> _State:
        """Go on from the last state to what is seen now."""
        kept = math.exp((last.time_s - seen.time_s) / TIME_S)
        px = PICTURE_PX / 2  # of half a crop, the unit of x and t
        arm_px = px * ARM * (math.exp(seen.depth) if self._scaled else 1.0)

        def held(distance_px: Array | float, noise_px: float) -> Array:
            return np.asarray(kept / (1 + (distance_px / noise_px) ** 2))

        away = last.x - seen.x
        together = TOGETHER * np.sum(away[:, :2].mean(0) ** 2)
        across = np.sqrt(np.sum(away[:, :2] ** 2, axis=1, keepdims=True) + together)
        deep = np.abs(away[:, 2:])
        x = seen.x + away * held(px * np.hstack((across, across, deep)), POINT_NOISE_PX)
        turn = turn_deg(last.R @ seen.R.mT)
        R = turn_rotation(turn * held(arm_px * math.radians(float(np.linalg.norm(turn))), POSE_NOISE_PX)) @ seen.R
        shift = last.t - seen.t
        t = seen.t + shift * held(px * float(np.linalg.norm(shift)), POSE_NOISE_PX)
        depth = last.depth - seen.depth
        return _State(x, R, t, seen.depth + depth * float(held(arm_px * abs(depth), POSE_NOISE_PX)), seen.time_s)

    def _read(self, motion: Motion, offset: Array, zoom: float) -> _State:
        """Keypoints and pose of a motion in the first crop's place."""
        R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
        t = motion.t.astype(np.float64)
        size = math.exp(t[2]) if self._scaled else 1.0
        x = size * (self._x_c @ R.T + motion.delta)
        x[:, :2] += t[:2]
        x *= zoom
        x[:, :2] += offset
        depth = t[2] + math.log(zoom) if self._scaled else t[2]
        return _State(x, R, t[:2] * zoom + offset, depth, motion.capture_time_s)

    def _write(self, state: _State, offset: Array, zoom: float) -> Motion:
        """The inverse of `_read`: delta is what pose and shape leave over of x."""
        depth = state.depth - math.log(zoom) if self._scaled else state.depth
        t = (state.t - offset) / zoom
        x = state.x.copy()
        x[:, :2] -= offset
        x /= zoom
        x[:, :2] -= t
        delta = x / (math.exp(depth) if self._scaled else 1.0) - self._x_c @ state.R.T
        yaw_deg, pitch_deg, roll_deg = (float(angle) for angle in euler_angles_deg(state.R))
        t_xyz = np.array((*t, depth), np.float32)
        return Motion(yaw_deg, pitch_deg, roll_deg, t_xyz, delta.astype(np.float32), state.time_s)

    def _place(self, square: Square | None) -> tuple[Array, float]:
        """Where the crop's middle is [2] and how large it is, in half sides of the first one."""
        first = self._first = self._first or square
        if first is None or square is None:
            return np.zeros(2), 1.0
        return np.subtract(square.centre, first.centre) * 2 / first.side, square.side / first.side
