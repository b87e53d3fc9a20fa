"""Where keypoints are, in numpy, for those who hold `Motion` and no tensor; the twin of `compose_*` in geometry.py.

compact  x = exp(t_z) (R x_c + delta) + (t_x, t_y, 0)         paper  x = R x_c + t + delta
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from codec.motion import Motion
from models.rotations import Array, rotation_matrix

Points = NDArray[np.float32]


def place(motion: Motion, x_c: Points, scaled: bool) -> Array:
    """Keypoints x [K,3] in crop units of canonical ones x_c [K,3] under a motion of as many; scaled: `compact`."""
    turned = x_c @ _rotation(motion).T + motion.delta
    t = np.asarray(motion.t, np.float64)
    return np.exp(t[2]) * turned + np.array([t[0], t[1], 0.0]) if scaled else turned + t


def shape(motion: Motion, x_c: Points) -> Array:
    """Keypoints [K,3] of the expression as the head itself has it: neither turned nor moved."""
    return np.asarray(x_c + motion.delta @ _rotation(motion), np.float64)


def retell(motion: Motion, told: Points, wanted: Points) -> Motion:
    """The same motion, told against canonical keypoints [K,3] `wanted` instead of `told`; each keypoint stays.

    A delta of fewer keypoints is a prefix, and stays one.
    """
    count = len(motion.delta)
    moved = (np.asarray(told, np.float64) - wanted)[:count] @ _rotation(motion).T
    return replace(motion, delta=(motion.delta + moved).astype(np.float32))


def _rotation(motion: Motion) -> Array:
    return rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
