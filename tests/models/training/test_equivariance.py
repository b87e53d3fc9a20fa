import math

import pytest
import torch
from torch import Tensor

from models.geometry import plane_grid
from models.training.equivariance import (
    CONTROL_SIDE,
    PlaneWarp,
    draw_warp,
    equivariance_l1,
    jacobian_equivariance_l1,
)

SIZE = 128


def nothing(number: int = 1) -> PlaneWarp:
    return PlaneWarp(torch.eye(2, 3).repeat(number, 1, 1), torch.zeros(number, 2, CONTROL_SIDE**2))


def warps(number: int = 6) -> PlaneWarp:
    return draw_warp(number, torch.Generator().manual_seed(3), affine=0.08, bend=0.01)


def dots(points: Tensor) -> Tensor:
    """Pictures [B,3,S,S] with one soft dot each at points [B,2]."""
    far = (plane_grid(SIZE, SIZE)[None] - points[:, None, None]).square().sum(-1)
    return torch.exp(-far / (2 * 0.03**2))[:, None].expand(-1, 3, -1, -1)


def centre(picture: Tensor) -> Tensor:
    """Where the dot of each picture is: its centre of mass [B,2]."""
    mass = picture[:, 0] / picture[:, 0].sum((1, 2), keepdim=True)
    return (mass[..., None] * plane_grid(SIZE, SIZE)).sum((1, 2))


def test_warping_a_dot_picture_and_warping_its_point_agree() -> None:
    """The dot is found at q in the warped picture, and T(q) is where it was: for affine maps, splines and both."""
    both = warps()
    placed = torch.tensor([[0.0, 0.0], [0.4, -0.3], [-0.5, 0.2], [0.1, 0.5], [0.5, 0.5], [-0.4, -0.5]])
    for warp in (both, both._replace(bend=torch.zeros_like(both.bend)), both._replace(theta=nothing(6).theta)):
        found = centre(warp.image(dots(placed)))
        assert (found - placed).abs().max() > 0.03  # it did move, by more than the tolerance
        torch.testing.assert_close(warp.points(found[:, None])[:, 0], placed, atol=4e-3, rtol=0.0)


def test_affine_part_by_hand() -> None:
    """T(p) = (2 x + y + 0.1, 3 y - 0.2) at (0.5, -1)."""
    warp = nothing()._replace(theta=torch.tensor([[[2.0, 1.0, 0.1], [0.0, 3.0, -0.2]]]))
    point = warp.points(torch.tensor([[[0.5, -1.0]]]))
    assert point.flatten().tolist() == pytest.approx([0.1, -3.2])


def test_spline_part_by_hand() -> None:
    """One control point, at (0, 0), with weight 0.3 on y alone: y gains 0.3 r^2 ln r, here at r = 0.5."""
    warp = nothing()
    middle = CONTROL_SIDE**2 // 2
    warp.bend[0, 1, middle] = 0.3
    point = warp.points(torch.tensor([[[0.3, 0.4], [0.0, 0.0], [0.6, 0.8]]]))[0]
    gain = 0.3 * 0.25 * math.log(0.5)
    assert point[0].tolist() == pytest.approx([0.3, 0.4 + gain], abs=1e-6)
    assert point[1].tolist() == [0.0, 0.0]  # U is 0 on the control point
    assert point[2].tolist() == pytest.approx([0.6, 0.8], abs=1e-6)  # and at r = 1


def test_jacobian_is_the_slope_of_the_points() -> None:
    warp = warps(2)
    q = torch.tensor([[[0.2, -0.1], [0.5, 0.5], [0.0, 0.0]]]).repeat(2, 1, 1)  # two of them are control points
    J = warp.jacobian(q)
    step = 1e-3
    for axis in range(2):
        move = torch.zeros(2)
        move[axis] = step
        slope = (warp.points(q + move) - warp.points(q - move)) / (2 * step)
        torch.testing.assert_close(J[..., axis], slope, atol=2e-3, rtol=0.0)


def test_equivariance_of_right_keypoints_is_zero_and_of_wrong_ones_their_distance() -> None:
    warp = warps(3)
    x_warped = torch.rand(3, 20, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    x = torch.cat((warp.points(x_warped[..., :2]), torch.rand(3, 20, 1)), 2)  # z may be anything
    assert equivariance_l1(x, x_warped, warp).item() == pytest.approx(0.0, abs=1e-6)
    off = x + torch.tensor([0.1, -0.3, 5.0])
    assert equivariance_l1(off, x_warped, warp).item() == pytest.approx(0.2, abs=1e-6)
    # keypoints that did not follow the warp are wrong
    assert equivariance_l1(x_warped, x_warped, warp).item() > 0.01


def test_equivariance_of_jacobians_by_hand() -> None:
    """A warp that doubles x: J = T' J_warped costs nothing; J = J_warped costs |1 - 2| in one of four entries."""
    warp = nothing()._replace(theta=torch.tensor([[[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]))
    x_warped = torch.zeros(1, 1, 3)
    J_warped = torch.eye(3)[None, None]
    right = torch.diag(torch.tensor([2.0, 1.0, 9.0]))[None, None]
    assert jacobian_equivariance_l1(right, J_warped, x_warped, warp).item() == pytest.approx(0.0, abs=1e-6)
    assert jacobian_equivariance_l1(J_warped, J_warped, x_warped, warp).item() == pytest.approx(0.25)


def test_draws_follow_the_seed_and_their_widths() -> None:
    one, two = warps(400), warps(400)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert (one.theta - torch.eye(2, 3)).std().item() == pytest.approx(0.08, rel=0.1)
    assert one.bend.std().item() == pytest.approx(0.01, rel=0.1)
