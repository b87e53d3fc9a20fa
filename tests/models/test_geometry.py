"""Geometry against cases worked by hand and the identities the wire format rests on."""

import math

import pytest
import torch
from torch import Tensor

from models import geometry


def angles(*values: float) -> Tensor:
    return torch.tensor(values)


def random_rotations(count: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    drawn = (torch.rand(3, count, generator=rng) - 0.5) * 120.0
    return geometry.rotation_matrix(drawn[0], drawn[1], drawn[2])


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "point", "expected"),
    [
        (90.0, 0.0, 0.0, (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),  # yaw > 0: the nose moves to the right
        (0.0, 90.0, 0.0, (0.0, 0.0, -1.0), (0.0, -1.0, 0.0)),  # pitch > 0: the nose moves up
        (0.0, 0.0, 90.0, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),  # roll > 0: clockwise as seen (right goes down)
        (0.0, 0.0, 0.0, (0.3, -0.2, 0.1), (0.3, -0.2, 0.1)),
    ],
)
def test_rotation_signs(
    yaw: float, pitch: float, roll: float, point: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    R = geometry.rotation_matrix(*(torch.tensor(angle) for angle in (yaw, pitch, roll)))
    torch.testing.assert_close(R @ torch.tensor(point), torch.tensor(expected), atol=1e-6, rtol=0.0)


def test_rotation_is_orthonormal_and_right_handed() -> None:
    R = random_rotations(50)
    torch.testing.assert_close(R @ R.mT, torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(torch.linalg.det(R), torch.ones(50))


def test_rotation_order_is_roll_after_yaw_after_pitch() -> None:
    zero = angles(0.0)
    yaw, pitch, roll = (
        geometry.rotation_matrix(angles(25.0), zero, zero),
        geometry.rotation_matrix(zero, angles(-12.0), zero),
        geometry.rotation_matrix(zero, zero, angles(8.0)),
    )
    whole = geometry.rotation_matrix(angles(25.0), angles(-12.0), angles(8.0))
    torch.testing.assert_close(whole, roll @ yaw @ pitch)


def test_euler_angles_invert_rotation() -> None:
    yaw, pitch, roll = angles(-60.0, 0.0, 35.0), angles(20.0, 0.0, -45.0), angles(10.0, 0.0, 80.0)
    found = geometry.euler_angles_deg(geometry.rotation_matrix(yaw, pitch, roll))
    for angle, expected in zip(found, (yaw, pitch, roll), strict=True):
        torch.testing.assert_close(angle, expected, atol=1e-3, rtol=0.0)


def test_bin_centres_ends() -> None:
    centres = geometry.bin_centres_deg()
    assert centres.shape == (66,)
    assert centres[0].item() == -97.5
    assert centres[-1].item() == 97.5
    assert centres.sum().item() == pytest.approx(0.0, abs=1e-3)


def test_expected_angle_of_one_certain_bin_is_its_centre() -> None:
    logits = torch.full((1, 66), -100.0)
    logits[0, 40] = 100.0
    assert geometry.expected_angle_deg(logits).item() == pytest.approx((40 - 32.5) * 3.0, abs=1e-4)


def test_compose_keypoints_by_hand() -> None:
    """A quarter turn in roll, a shift and a deformation on one point (eq. 1)."""
    x_c = torch.tensor([[[0.5, 0.0, 0.25]]])
    R = geometry.rotation_matrix(angles(0.0), angles(0.0), angles(90.0))
    x = geometry.compose_keypoints(x_c, R, torch.tensor([[0.1, 0.2, 0.3]]), torch.tensor([[[0.0, 0.01, 0.0]]]))
    torch.testing.assert_close(x, torch.tensor([[[0.1, 0.71, 0.55]]]), atol=1e-6, rtol=0.0)


def test_compose_scaled_keypoints_by_hand() -> None:
    """t_z = ln 2 doubles shape and deformation, and does not move depth."""
    x_c, delta = torch.tensor([[[0.1, 0.2, -0.1]]]), torch.tensor([[[0.0, 0.05, 0.0]]])
    t = torch.tensor([[0.3, -0.1, math.log(2.0)]])
    x = geometry.compose_scaled_keypoints(x_c, torch.eye(3)[None], t, delta)
    torch.testing.assert_close(x, torch.tensor([[[0.5, 0.4, -0.2]]]))


def test_identity_pose_keeps_canonical_keypoints() -> None:
    x_c = torch.rand(2, 20, 3) - 0.5
    eye, nothing = torch.eye(3).expand(2, 3, 3), torch.zeros(2, 3)
    for compose in (geometry.compose_keypoints, geometry.compose_scaled_keypoints):
        torch.testing.assert_close(compose(x_c, eye, nothing, torch.zeros_like(x_c)), x_c)


def test_canonical_jacobian_cancels() -> None:
    """J_s J_d^-1 = R_s R_d^T whatever J_c is: why no Jacobian crosses the wire (eq. 2, 4, 6)."""
    R_s, R_d = random_rotations(4, seed=1), random_rotations(4, seed=2)
    J_c = torch.randn(4, 20, 3, 3, generator=torch.Generator().manual_seed(3)) + 3.0 * torch.eye(3)
    product = geometry.relative_jacobian(geometry.compose_jacobians(J_c, R_s), geometry.compose_jacobians(J_c, R_d))
    torch.testing.assert_close(product, (R_s @ R_d.mT)[:, None].expand_as(product), atol=2e-4, rtol=1e-3)


def test_relative_similarity_is_the_jacobian_product() -> None:
    R_s, R_d = random_rotations(3, seed=4), random_rotations(3, seed=5)
    t_s, t_d = torch.randn(3, 3) * 0.2, torch.randn(3, 3) * 0.2
    product = geometry.relative_jacobian(geometry.similarity(R_s, t_s), geometry.similarity(R_d, t_d))
    torch.testing.assert_close(geometry.relative_similarity(R_s, t_s, R_d, t_d), product, atol=1e-5, rtol=1e-4)


def test_keypoint_flows_send_each_driving_keypoint_to_its_source() -> None:
    """Eq. 6 at p_d = x_d,k is x_s,k, whatever A; and the background stays where it is."""
    x_s, x_d = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    A = random_rotations(2)
    flows = geometry.keypoint_flows(x_d[0], x_s, x_d, A)
    for k in range(5):
        torch.testing.assert_close(flows[0, k + 1, k], x_s[0, k])
    torch.testing.assert_close(flows[1, 0], x_d[0])


def test_keypoint_flows_follow_a_rigid_motion_everywhere() -> None:
    """When the keypoints move as one body, every keypoint's flow is that body's motion."""
    points = torch.randn(7, 3)
    R_s, R_d = random_rotations(1, seed=6), random_rotations(1, seed=7)
    x_c = torch.randn(1, 4, 3)
    flows = geometry.keypoint_flows(points @ R_d[0].mT, x_c @ R_s.mT, x_c @ R_d.mT, R_s @ R_d.mT)
    expected = points @ R_s[0].mT
    torch.testing.assert_close(flows[0, 1:], expected.expand(4, 7, 3), atol=1e-5, rtol=1e-4)


def test_offset_pose_composes_before_the_driving_pose() -> None:
    view = geometry.View(angles(20.0), angles(0.0), angles(0.0), torch.tensor([[0.1, 0.0, 0.0]]))
    R_d = geometry.rotation_matrix(angles(10.0), angles(0.0), angles(0.0))
    R, t = geometry.offset_pose(view, R_d, torch.tensor([[0.0, 0.2, 0.0]]))
    assert geometry.euler_angles_deg(R)[0].item() == pytest.approx(30.0, abs=1e-3)
    torch.testing.assert_close(t, torch.tensor([[0.1, 0.2, 0.0]]))


def test_grids_are_pixel_centres() -> None:
    grid = geometry.plane_grid(2, 4)
    assert grid[0, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert grid[:, 0, 1].tolist() == [-0.5, 0.5]
    torch.testing.assert_close(geometry.depth_planes(4, 0.8), torch.tensor([-0.6, -0.2, 0.2, 0.6]))
