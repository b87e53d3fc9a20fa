"""Motion of one head carried over to another: absolute, or relative to where both started.

Geometry of `compact`: x = exp(t_z) (R x_c + delta) + (t_x, t_y, 0). Keypoints x_c are the portrait's in both modes, so
that the portrait keeps its own face; what is carried over is pose and expression.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from codec.motion import Motion
from models.geometry import euler_angles_deg, rotation_matrix


@dataclass(frozen=True)
class Retarget:
    """Carries a driver's motion to a portrait, as the change since the driver's first frame (relative motion).

        R     = (R_d R_d0^T) R_p
        t     = t_p + (s, s, 1) (t_d - t_d0),  s = exp(t_z,p - t_z,d0)
        delta = R (R_p^T delta_p + R_d^T delta_d - R_d0^T delta_d0)

    The head turns as far as the driver's did, from the portrait's pose; shifts count in widths of the head; expressions
    are compared, and added, in the head's own axes, since delta itself lies in the picture's.

    When the driver is where it started the result is the portrait's own motion, to rounding.

    portrait: motion that the extractor sees in the portrait. first: motion of the driver's first frame.
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


def rotation(motion: Motion) -> NDArray[np.float32]:
    """Rotation R [3,3] of a motion, computed where the Euler order is written."""
    angles = (torch.tensor(angle) for angle in (motion.yaw_deg, motion.pitch_deg, motion.roll_deg))
    R: NDArray[np.float32] = rotation_matrix(*angles).numpy()
    return R
