import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.geometry import compose_scaled_keypoints, rotation_matrix
from models.training.mean_face import (
    RIGID_POINTS,
    fit_pose,
    mean_face,
    mirror_points,
    neutral_shape,
    pose_rotation,
    remove_pose,
)


def posed_faces(shape: NDArray[np.float64], count: int = 20, seed: int = 0) -> tuple[NDArray[np.float64], torch.Tensor]:
    """A shape [478,3] under random poses: landmarks [N,478,3] and yaw, pitch, roll, log-scale, t_x, t_y [6,N]."""
    drawn = torch.Generator().manual_seed(seed)
    spread = torch.tensor([60.0, 40.0, 45.0, 0.4, 0.5, 0.5], dtype=torch.float64)
    pose = (torch.rand(6, count, generator=drawn, dtype=torch.float64) * 2 - 1) * spread[:, None]
    t = torch.stack((pose[4], pose[5], pose[3]), 1)
    x_c = torch.tensor(shape)[None].expand(count, -1, -1)
    x = compose_scaled_keypoints(x_c, rotation_matrix(*pose[:3]), t, torch.zeros_like(x_c))
    return x.numpy(), pose


def test_known_poses_are_recovered() -> None:
    points, pose = posed_faces(mean_face())
    track = fit_pose(points)
    for found, known in zip(track[:4], pose[:4], strict=True):
        np.testing.assert_allclose(found, known.numpy(), atol=1e-9)
    np.testing.assert_allclose(track.t, np.stack((pose[4], pose[5], np.zeros(20)), 1), atol=1e-12)
    np.testing.assert_allclose(remove_pose(points, track), np.broadcast_to(mean_face(), points.shape), atol=1e-12)


def test_expression_does_not_turn_the_head() -> None:
    rng = np.random.default_rng(1)
    others = np.setdiff1d(np.arange(478), RIGID_POINTS)
    shape = mean_face().copy()
    shape[others] += rng.normal(0, 0.05, (len(others), 3))
    points, pose = posed_faces(shape)
    np.testing.assert_allclose(fit_pose(points).yaw_deg, pose[0].numpy(), atol=1e-9)


def test_neutral_shape_forgets_a_short_grimace() -> None:
    shape = mean_face() * (1.1, 0.95, 1.0)
    points, _ = posed_faces(shape, count=9)
    points[:3, 13:15, 1] += 0.3
    neutral = neutral_shape(points, fit_pose(points))
    np.testing.assert_allclose(
        neutral[152] - neutral[10], (neutral_shape(points[3:], fit_pose(points[3:])))[152] - neutral[10], atol=1e-6
    )
    # The same people under other poses have the same neutral shape: pose is really gone.
    again, _ = posed_faces(shape, count=9, seed=5)
    np.testing.assert_allclose(neutral_shape(again, fit_pose(again)), neutral, atol=1e-9)


def test_frames_without_a_face_stay_unknown() -> None:
    points, _ = posed_faces(mean_face(), count=3)
    points[1] = np.nan
    track = fit_pose(points)
    assert np.isnan(track.yaw_deg).tolist() == [False, True, False]
    assert np.isnan(track.t[1]).all()
    assert np.isfinite(neutral_shape(points, track)).all()
    assert np.isnan(fit_pose(points[1:2]).log_scale).all()


def test_a_mirror_image_is_fitted_by_a_rotation() -> None:
    track = fit_pose(mean_face()[None] * (-1.0, 1.0, 1.0))
    np.testing.assert_allclose(np.linalg.det(pose_rotation(track)), 1.0, atol=1e-9)


def test_mean_face_is_frontal_symmetric_and_of_unit_size() -> None:
    face, mirror = mean_face(), mirror_points()
    np.testing.assert_allclose(face[mirror] * (-1.0, 1.0, 1.0), face, atol=1e-6)
    assert sorted(mirror) == list(range(478))
    assert (mirror[mirror] == np.arange(478)).all()
    assert [mirror[point] for point in (33, 61, 468, 1, 152)] == [263, 291, 473, 1, 152]
    rigid = face[list(RIGID_POINTS)]
    np.testing.assert_allclose(rigid.mean(0), 0.0, atol=1e-6)
    assert np.sqrt((rigid**2).sum(1).mean()) == pytest.approx(0.5, abs=1e-6)
    assert face[10, 2] == pytest.approx(face[152, 2], abs=1e-6)
    assert face[1, 2] < -0.3 < 0.4 < face[234, 2]  # the nose points at the camera, the ears lie behind
    assert face[10, 1] < face[1, 1] < face[152, 1]
    with pytest.raises(ValueError, match="read-only"):
        face[0] = 0.0
