"""Landmarks of heads that turn, with expressions, as MediaPipe would find them: made from the mean face."""

import numpy as np
import torch

from models.geometry import rotation_matrix
from models.training.mean_face import mean_face
from replay.people import Array, Seen


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """R [3,3]."""
    R: Array = rotation_matrix(*(torch.tensor(angle, dtype=torch.float64) for angle in (yaw, pitch, roll))).numpy()
    return R


def landmarks(R: Array, face: Array | None = None, scale_px: float = 80.0) -> Array:
    """Landmarks [478,3] in px of a face (the mean one) under a pose, in a picture of 256 px."""
    shape = mean_face() if face is None else face
    return np.asarray(scale_px * shape @ R.T + (128.0, 128.0, 0.0))


def with_mouth(open_by: float, face: Array | None = None) -> Array:
    """A face whose lower lip and chin stand lower by so much."""
    shape = (mean_face() if face is None else face).copy()
    lower = [14, 87, 178, 88, 95, 317, 402, 318, 324, 17, 84, 181, 91, 314, 405, 321]
    shape[lower, 1] += open_by
    return np.asarray(shape)


def seen(points: list[Array], descriptors: list[float] | None = None) -> Seen:
    """What a `Looker` would tell; descriptors by their first number."""
    found = None if descriptors is None else np.array([[value] + [0.0] * 127 for value in descriptors])
    return Seen(np.stack(points), found)
