"""Motion to integers and back. Floats end here: whatever comes after this file is the same on every machine.

Pose first. The deformation is then told against the *quantised* pose, so that the rounding of the pose moves no
keypoint, and in the head's own axes, where the same expression looks alike however the head is turned:

    R^, t^ = dequantised pose            x = where the motion puts the keypoints (eq. 1)
    delta' = R^T ((x - t^) / exp(t^_z)) - x_c                  the encoder's side (without the scale for `paper`)
    c      = coefficients of delta' - mean                     [3K], the strongest first
    q      = round(pose / pose_steps), round(c / delta_step)   [3K+6] integers
    delta^ = R^ (mean + basis^T (q delta_step))                the decoder's side

What lies between two integers is rounded towards the prediction a little earlier than half way: bits saved for error
made at the rate at which a finer step would trade them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec.motion import POSE_NUMBERS, Motion
from codec.predictive_tables import PredictiveTables
from codec.wire import Level

LARGEST: Final = (1 << 15) - 1  # of an integer's magnitude

Integers = list[int]

_LARGEST_LOG: Final = 10.0  # of a scale: no head is that large, and nothing overflows


def quantise(
    motion: Motion,
    x_c: NDArray[np.float64] | None,
    tables: PredictiveTables,
    level: Level,
    prediction: Sequence[int] | None = None,
) -> Integers:
    """The integers [3K+6] of a motion, each at most 32767 in magnitude.

    Args: x_c [K,3]: canonical keypoints of the source image. Without them the rounding of the pose is not made good
        in delta, and moves the keypoints by as much as half a pose step does.
        prediction [3K+6]: integers that these will be told against, None for none.
    """
    expected = np.zeros(len(tables.mean) + POSE_NUMBERS) if prediction is None else np.array(prediction, np.float64)
    early = np.zeros_like(expected) if prediction is None else tables.early[level]
    pose = np.array([motion.yaw_deg, motion.pitch_deg, motion.roll_deg, *motion.t], dtype=np.float64)
    in_steps = pose / (tables.pose_steps * (1 << level))
    pose_q = _rounded(in_steps, expected[:POSE_NUMBERS], early[:POSE_NUMBERS])
    pose_hat = dequantise_pose(pose_q, tables, level)
    local = _rebased(motion, pose, pose_hat, x_c, tables.scaled)  # [K, 3]
    coefficients = (local.reshape(-1) - tables.mean) @ tables.analysis
    in_steps = coefficients / (tables.delta_step * (1 << level))
    delta_q = _rounded(in_steps, expected[POSE_NUMBERS:], early[POSE_NUMBERS:])
    together: Integers = np.concatenate((pose_q, delta_q)).astype(np.int64).tolist()
    return together


def rebased_at(motion: Motion, x_c: NDArray[np.floating[Any]], tables: PredictiveTables) -> NDArray[np.float64]:
    """What the transform is fitted to: delta' [3K] of a motion at level `high`."""
    pose = motion.as_vector()[:POSE_NUMBERS].astype(np.float64)
    pose_hat = np.rint(pose / tables.pose_steps) * tables.pose_steps
    return _rebased(motion, pose, pose_hat, x_c.astype(np.float64), tables.scaled).reshape(-1)


def dequantise(integers: Integers, tables: PredictiveTables, level: Level, capture_time_s: float) -> Motion:
    """The motion that integers [3K+6] stand for."""
    q = np.array(integers, dtype=np.float64)
    pose = dequantise_pose(q[:POSE_NUMBERS], tables, level)
    local = tables.mean + (q[POSE_NUMBERS:] * (tables.delta_step * (1 << level))) @ tables.basis
    delta = local.reshape(-1, 3) @ rotation(pose).T
    return Motion.from_vector(np.concatenate((pose, delta.reshape(-1))), capture_time_s)


def dequantise_pose(integers: NDArray[np.float64], tables: PredictiveTables, level: Level) -> NDArray[np.float64]:
    """Yaw, pitch, roll in degrees, t [6] from their integers."""
    return integers * (tables.pose_steps * (1 << level))


def requantise(integers: Integers, before: Level, after: Level) -> Integers:
    """Integers of one level as the nearest of another, halves upwards; in integers, so both ends agree."""
    shift = after - before
    if shift == 0:
        return integers
    if shift > 0:
        return [(q + (1 << (shift - 1))) >> shift for q in integers]
    return [min(max(q << -shift, -LARGEST), LARGEST) for q in integers]


def rotation(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """R = R_z(roll) R_y(yaw) R_x(pitch) [3,3] of a pose that begins with yaw, pitch, roll in degrees.

    The Euler order is that of `models/geometry.py`, which a test compares; this package knows no torch.
    """
    yaw, pitch, roll = (math.radians(angle) for angle in pose[:3])
    sy, cy, sp, cp = math.sin(yaw), math.cos(yaw), math.sin(pitch), math.cos(pitch)
    sr, cr = math.sin(roll), math.cos(roll)
    return np.array(
        [
            [cr * cy, -sr * cp + cr * sy * sp, -sr * sp - cr * sy * cp],
            [sr * cy, cr * cp + sr * sy * sp, cr * sp - sr * sy * cp],
            [sy, -cy * sp, cy * cp],
        ]
    )


def place_keypoints(
    pose: NDArray[np.float64], delta: NDArray[np.floating[Any]], x_c: NDArray[np.float64], scaled: bool
) -> NDArray[np.float64]:
    """Where a motion puts the keypoints, [K,3]: eq. 1 of Wang et al. 2021, with the size of `compact` if `scaled`.

    Args: pose [6]: yaw, pitch, roll in degrees, t. delta, x_c [K,3].
    """
    turned = x_c @ rotation(pose).T + delta
    if scaled:
        return np.asarray(turned * math.exp(min(pose[5], _LARGEST_LOG)) + [pose[3], pose[4], 0.0])
    return np.asarray(turned + pose[3:])


def _rebased(
    motion: Motion,
    pose: NDArray[np.float64],
    pose_hat: NDArray[np.float64],
    x_c: NDArray[np.float64] | None,
    scaled: bool,
) -> NDArray[np.float64]:
    """Delta' [K,3]: delta in the head's axes, with what the rounding of the pose would have moved."""
    R_hat = rotation(pose_hat)
    if x_c is None:
        return np.asarray(motion.delta.astype(np.float64) @ R_hat)
    x = place_keypoints(pose, motion.delta, x_c, scaled)
    if scaled:
        turned = (x - [pose_hat[3], pose_hat[4], 0.0]) * math.exp(min(-pose_hat[5], _LARGEST_LOG))
    else:
        turned = x - pose_hat[3:]
    return np.asarray(turned @ R_hat - x_c)


def _rounded(
    values: NDArray[np.float64], prediction: NDArray[np.float64], early: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The nearest integers, a little nearer to the prediction: `early` is 0 for halves, up to 1/2."""
    away = values - prediction
    nearest = prediction + np.copysign(np.floor(np.abs(away) + 0.5 - early), away)
    return np.clip(nearest, -LARGEST, LARGEST)
