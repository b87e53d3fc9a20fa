"""Motion to integers and back. Floats end here: whatever comes after this file is the same on every machine.

Pose first. The deformation is then told against the *quantised* pose, so that the rounding of the pose moves no
keypoint, and in the head's own axes, where the same expression looks alike however the head is turned:

    R^, t^ = dequantised pose            x = where the motion puts the keypoints (eq. 1)
    delta' = R^T ((x - t^) / exp(t^_z)) - x_c                  the encoder's side (without the scale for `paper`)
    c      = basis (delta' - mean)                             [3K] coefficients, the strongest first
    q      = round(pose / pose_steps), round(c / delta_step)   [3K+6] integers
    delta^ = R^ (mean + basis^T (q delta_step))                the decoder's side
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codec.motion import POSE_NUMBERS, Motion
from codec.predictive_tables import PredictiveTables
from codec.wire import Level

LARGEST: Final = (1 << 15) - 1  # of an integer's magnitude

Integers = list[int]


def quantise(motion: Motion, x_c: NDArray[np.float64] | None, tables: PredictiveTables, level: Level) -> Integers:
    """The integers [3K+6] of a motion, each at most 32767 in magnitude.

    Args: x_c [K,3]: canonical keypoints of the source image. Without them the rounding of the pose is not made good
        in delta, and moves the keypoints by as much as half a pose step does.
    """
    pose = np.array([motion.yaw_deg, motion.pitch_deg, motion.roll_deg, *motion.t], dtype=np.float64)
    pose_q = _rounded(pose / tables.pose_steps / (1 << level))
    pose_hat = dequantise_pose(pose_q, tables, level)
    local = _rebased(motion, pose, pose_hat, x_c, tables.scaled)  # [K, 3]
    coefficients = tables.basis @ (local.reshape(-1) - tables.mean)
    delta_q = _rounded(coefficients / tables.delta_step / (1 << level))
    together: Integers = np.concatenate((pose_q, delta_q)).astype(np.int64).tolist()
    return together


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


def _rebased(
    motion: Motion,
    pose: NDArray[np.float64],
    pose_hat: NDArray[np.float64],
    x_c: NDArray[np.float64] | None,
    scaled: bool,
) -> NDArray[np.float64]:
    """Delta' [K,3]: delta in the head's axes, with what the rounding of the pose would have moved."""
    R_hat, delta = rotation(pose_hat), motion.delta.astype(np.float64)
    if x_c is None:
        return delta @ R_hat
    turned = x_c @ rotation(pose).T + delta
    if scaled:
        shift = np.array([pose[3] - pose_hat[3], pose[4] - pose_hat[4], 0.0])
        turned = (turned * math.exp(min(pose[5], 10.0)) + shift) * math.exp(min(-pose_hat[5], 10.0))
    else:
        turned = turned + pose[3:] - pose_hat[3:]
    rebased: NDArray[np.float64] = turned @ R_hat - x_c
    return rebased


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.rint(values), -LARGEST, LARGEST)
