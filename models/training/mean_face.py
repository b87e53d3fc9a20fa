"""The mean face and the pose of a head: how landmarks become yaw, pitch, roll, scale, place and a neutral shape.

`mean_face.npy` [478,3] is the generalised Procrustes mean of 82 people's median faces, made symmetric about x = 0,
frontal (points 10, top of the forehead, and 152, chin, lie on one vertical), with the rigid points' centroid at 0 and
their rms radius 1/2. In this unit a face is about 1.5 high; x right, y down, z negative towards the camera.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.geometry import euler_angles_deg, rotation_matrix

MEAN_FACE = Path(__file__).with_name("mean_face.npy")

# The 31 points that expressions move least: forehead, bridge and tip of the nose, eye corners, temples, nostrils.
RIGID_POINTS = (
    10, 338, 297, 332, 284, 251, 109, 67, 103, 54, 21, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 33, 133, 362, 263, 127,
    356, 162, 389, 98, 327,
)  # fmt: skip

Array = NDArray[np.float64]


class PoseTrack(NamedTuple):
    """Head pose of N frames: x = exp(log_scale) (R x_c + delta) + t with R = rotation_matrix(yaw, pitch, roll).

    yaw_deg, pitch_deg, roll_deg, log_scale [N]; t [N,3] in the landmarks' unit. NaN where there was no face.
    """

    yaw_deg: Array
    pitch_deg: Array
    roll_deg: Array
    log_scale: Array
    t: Array


@cache
def mean_face() -> Array:
    """The mean face [478,3]; see the module's words for its unit and axes."""
    face: Array = np.load(MEAN_FACE).astype(np.float64)
    face.flags.writeable = False
    return face


@cache
def mirror_points() -> NDArray[np.int64]:
    """Index [478] of each landmark's partner on the other side of the face (its own for points on the midline)."""
    mirrored = mean_face() * (-1.0, 1.0, 1.0)
    return np.asarray(((mean_face()[:, None] - mirrored[None]) ** 2).sum(-1).argmin(1))


def fit_pose(points: Array) -> PoseTrack:
    """Pose of each frame by a similarity fit of the rigid points to the mean face (Umeyama 1991).

    Args: points [N,478,3], x right, y down, z negative towards the camera, one unit; NaN frames stay NaN.
    """
    count = len(points)
    R, scale, t = np.full((count, 3, 3), np.nan), np.full(count, np.nan), np.full((count, 3), np.nan)
    found = np.isfinite(points).all((1, 2))
    if found.any():
        rigid = list(RIGID_POINTS)
        R[found], scale[found], t[found] = _similarity(mean_face()[rigid], points[found][:, rigid])
    yaw, pitch, roll = (angle.numpy() for angle in euler_angles_deg(torch.from_numpy(R)))
    return PoseTrack(yaw, pitch, roll, np.log(scale), t)


def pose_rotation(pose: PoseTrack) -> Array:
    """Rotations R [N,3,3] of a pose track."""
    angles = (torch.from_numpy(angle) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    R: Array = rotation_matrix(*angles).numpy()
    return R


def remove_pose(points: Array, pose: PoseTrack) -> Array:
    """Landmarks [N,478,3] turned, scaled and moved back to the mean face's place: R^T (x - t) / exp(log_scale)."""
    centred = (points - pose.t[:, None]) / np.exp(pose.log_scale)[:, None, None]
    return np.asarray(centred @ pose_rotation(pose))  # rows: (R^T c)^T = c^T R


def neutral_shape(points: Array, pose: PoseTrack) -> Array:
    """A person's neutral shape x_c [478,3]: the median over frames of landmarks without pose.

    Args: points [N,478,3] with at least one frame that is not NaN.
    """
    found = np.isfinite(points).all((1, 2))
    return np.asarray(np.median(remove_pose(points, pose)[found], 0))


def _similarity(shape: Array, points: Array) -> tuple[Array, Array, Array]:
    """R [N,3,3], scale [N], t [N,3] with points [N,P,3] ~ scale R shape [P,3] + t, by least squares."""
    shape_centre, centre = shape.mean(0), points.mean(1)
    model, seen = shape - shape_centre, points - centre[:, None]
    U, D, Vt = np.linalg.svd(seen.transpose(0, 2, 1) @ model)  # [N,3,3]
    sign = np.sign(np.linalg.det(U @ Vt))
    U[:, :, 2] *= sign[:, None]  # a rotation, never a reflection
    D[:, 2] *= sign
    R = U @ Vt
    scale = D.sum(1) / (model**2).sum()
    t = centre - scale[:, None] * (R @ shape_centre)
    return R, scale, t
