"""Rotations of single heads in numpy, for those who hold `Motion` and no tensor: the Euler order is geometry.py's.

    R = R_z(roll) R_y(yaw) R_x(pitch)      see models/geometry.py for the signs

A turn is a rotation as axis times angle [..., 3] in degrees, with yaw, pitch and roll parts: it knows no order and
does not wrap, so that a share of a turn is a rotation part of the way (slerp).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
SMALL = 1e-9
"""Sine of an angle below which a turn is taken to be the sine itself."""


def rotation_matrix(yaw_deg: ArrayLike, pitch_deg: ArrayLike, roll_deg: ArrayLike) -> Array:
    """Rotations R [...,3,3] from angles [...] in degrees."""
    yaw, pitch, roll = (np.deg2rad(np.asarray(angle, np.float64)) for angle in (yaw_deg, pitch_deg, roll_deg))
    sy, cy, sp, cp, sr, cr = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch), np.sin(roll), np.cos(roll)
    return _rows(
        (cr * cy, -sr * cp + cr * sy * sp, -sr * sp - cr * sy * cp),
        (sr * cy, cr * cp + sr * sy * sp, cr * sp - sr * sy * cp),
        (sy, -cy * sp, cy * cp),
    )


def euler_angles_deg(R: Array) -> Array:
    """Yaw, pitch, roll [...,3] in degrees of rotations R [...,3,3]; inverse of `rotation_matrix` for |yaw| < 90."""
    yaw = np.arcsin(np.clip(R[..., 2, 0], -1.0, 1.0))
    pitch = np.arctan2(-R[..., 2, 1], R[..., 2, 2])
    roll = np.arctan2(R[..., 1, 0], R[..., 0, 0])
    return np.asarray(np.rad2deg(np.stack((yaw, pitch, roll), -1)))


def turn_deg(R: Array) -> Array:
    """The turn [...,3] in degrees of rotations R [...,3,3] by less than 180."""
    skew = np.stack((R[..., 2, 0] - R[..., 0, 2], R[..., 1, 2] - R[..., 2, 1], R[..., 1, 0] - R[..., 0, 1]), -1) / 2
    sine = np.linalg.norm(skew, axis=-1, keepdims=True)
    angle = np.arctan2(sine, (np.trace(R, axis1=-2, axis2=-1)[..., None] - 1) / 2)
    return np.asarray(np.rad2deg(skew * np.where(sine > SMALL, angle / np.maximum(sine, SMALL), 1.0)))


def turn_rotation(turn: Array) -> Array:
    """Rotations R [...,3,3] of turns [...,3] in degrees; inverse of `turn_deg` (Rodrigues)."""
    yaw, pitch, roll = np.moveaxis(np.deg2rad(turn), -1, 0)
    zero = np.zeros_like(yaw)
    K = _rows((zero, -roll, -yaw), (roll, zero, pitch), (yaw, -pitch, zero))
    half_turns = np.linalg.norm(turn, axis=-1)[..., None, None] / 180  # numpy's sinc counts in them
    return np.asarray(np.eye(3) + np.sinc(half_turns) * K + 0.5 * np.sinc(half_turns / 2) ** 2 * (K @ K))


def slerp(R_a: Array, R_b: Array, share: float) -> Array:
    """The rotation [3,3] `share` of the way from R_a to R_b, on the shortest way and at a steady speed."""
    return np.asarray(turn_rotation(share * turn_deg(R_b @ R_a.mT)) @ R_a)


def _rows(*rows: tuple[Array, Array, Array]) -> Array:
    return np.stack([np.stack(row, -1) for row in rows], -2)
