"""Motion of one head carried over to another: absolute, or relative to where both started.

Geometry of `compact`: x = exp(t_z) (R x_c + delta) + (t_x, t_y, 0). Keypoints x_c are the portrait's in both modes, so
that the portrait keeps its own face; what is carried over is pose and expression.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from codec.motion import Motion
from models.geometry import euler_angles_deg, rotation_matrix


@dataclass(frozen=True)
class Retarget:
    """Carries a driver's motion to a portrait, as the change since one frame of the driver (relative motion).

        R     = (R_d R_d0^T) R_p
        t     = t_p + (s, s, 1) (t_d - t_d0),  s = exp(t_z,p - t_z,d0)
        delta = R (R_p^T delta_p + R_d^T delta_d - R_d0^T delta_d0)

    The head turns as far as the driver's did, from the portrait's pose; shifts count in widths of the head; expressions
    are compared, and added, in the head's own axes, since delta itself lies in the picture's.

    When the driver is where it started the result is the portrait's own motion, to rounding.

    portrait: motion that the extractor sees in the portrait. first: the driver's frame d0 from which is counted.
    """

    portrait: Motion
    first: Motion

    def __call__(self, driver: Motion) -> Motion:
        """Motion that drives the portrait for one motion of the driver; keeps the driver's capture time."""
        R_d = rotation(driver)
        R = R_d @ self._start.T @ self._own
        yaw, pitch, roll = (float(angle) for angle in euler_angles_deg(torch.from_numpy(R)))
        # Rows of delta [K,3] are vectors: v @ R turns them by R^T, v @ R.T by R.
        change = driver.delta @ R_d - self.first.delta @ self._start
        delta = (self.portrait.delta @ self._own + change) @ R.T
        move = driver.t - self.first.t
        move[:2] *= np.exp(self.portrait.t[2] - self.first.t[2])
        return replace(
            driver,
            yaw_deg=yaw,
            pitch_deg=pitch,
            roll_deg=roll,
            t=(self.portrait.t + move).astype(np.float32),
            delta=delta.astype(np.float32),
        )

    @cached_property
    def _own(self) -> NDArray[np.float32]:
        return rotation(self.portrait)

    @cached_property
    def _start(self) -> NDArray[np.float32]:
        return rotation(self.first)


FACE_RADIUS = 0.5
"""Root mean square distance of a face's keypoints from its middle, in the canonical unit."""


def nearest_start(portrait: Motion, motions: Sequence[Motion]) -> Motion:
    """The driver's frame from which relative motion is best counted: the one most like the portrait.

    FOMM's "best frame". How unlike two heads are is the root mean square distance by which a turn and an expression
    move keypoints. A driver that begins with a hand before the face, or with a wide open mouth, so costs nothing.
    """
    own, own_delta = rotation(portrait), portrait.delta @ rotation(portrait)

    def unlike(motion: Motion) -> float:
        R = rotation(motion)
        turn = FACE_RADIUS * np.sqrt(max(0.0, 2.0 - 2.0 / 3.0 * float(np.trace(R @ own.T))))  # |R - R_p| / sqrt(3)
        return float(np.hypot(turn, np.sqrt(((motion.delta @ R - own_delta) ** 2).sum(1).mean())))

    return min(motions, key=unlike)


def rotation(motion: Motion) -> NDArray[np.float32]:
    """Rotation R [3,3] of a motion, computed where the Euler order is written."""
    angles = (torch.tensor(angle) for angle in (motion.yaw_deg, motion.pitch_deg, motion.roll_deg))
    R: NDArray[np.float32] = rotation_matrix(*angles).numpy()
    return R
