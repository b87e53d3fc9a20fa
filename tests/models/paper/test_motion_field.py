from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.paper.config import PAPER_TINY
from models.paper.motion_field import MotionField, warp_features

FLAT = replace(PAPER_TINY, warp_2d=True)
SIDE, DEPTH, COUNT = PAPER_TINY.grid, PAPER_TINY.depth, PAPER_TINY.keypoints


def points(seed: int = 0) -> Tensor:
    return torch.rand(1, COUNT, 3, generator=torch.Generator().manual_seed(seed)) - 0.5


def features(*shape: int) -> Tensor:
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def volume() -> MotionField:
    torch.manual_seed(0)
    return MotionField(PAPER_TINY).eval()


def choose(field: MotionField, k: int) -> None:
    """Let the mask be 1 for one flow everywhere; 0 is the background."""
    bias = field.mask.bias
    assert bias is not None
    bias.data[k] = 1e4


def test_shapes_and_sums(volume: MotionField) -> None:
    found = volume(features(4, DEPTH, SIDE, SIDE), points(), points(1), torch.eye(3)[None])
    assert found.mask.shape == (1, COUNT + 1, DEPTH, SIDE, SIDE)
    assert found.flow.shape == (1, DEPTH, SIDE, SIDE, 3)
    assert found.occlusion.shape == (1, 1, SIDE, SIDE)
    torch.testing.assert_close(found.mask.sum(1), torch.ones(1, DEPTH, SIDE, SIDE))
    assert float(found.occlusion.detach().min()) >= 0.0
    assert float(found.occlusion.detach().max()) <= 1.0


def test_no_motion_keeps_the_volume(volume: MotionField) -> None:
    f_s = features(4, DEPTH, SIDE, SIDE)
    flow = volume(f_s, points(), points(), torch.eye(3)[None]).flow
    torch.testing.assert_close(warp_features(f_s, flow), f_s, atol=1e-5, rtol=0.0)


def test_flow_of_one_keypoint_is_eq_6(volume: MotionField) -> None:
    """w_k(p_d) = J_s J_d^-1 (p_d - x_d,k) + x_s,k, with a Jacobian for each keypoint."""
    choose(volume, 3)
    x_s, x_d = points(), points(1)
    A = torch.eye(3).repeat(1, COUNT, 1, 1)
    A[0, 2] = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    flow = volume(features(4, DEPTH, SIDE, SIDE), x_s, x_d, A).flow
    # the cell (z, y, x) = (1, 4, 10) lies at x = 0.3125, y = -0.4375, z = -0.25
    p = torch.tensor([0.3125, -0.4375, -0.25]) - x_d[0, 2]
    wanted = torch.stack((2.0 * p[0], p[1] + 0.5 * p[2], p[2])) + x_s[0, 2]
    torch.testing.assert_close(flow[0, 1, 4, 10], wanted)


def test_background_stays_where_it_is(volume: MotionField) -> None:
    choose(volume, 0)
    f_s = features(4, DEPTH, SIDE, SIDE)
    flow = volume(f_s, points(), points(1), torch.eye(3)[None]).flow
    torch.testing.assert_close(warp_features(f_s, flow), f_s, atol=1e-5, rtol=0.0)


def test_two_dimensions_drop_depth() -> None:
    """In the ablation the flow is that of x and y, and depth of the keypoints changes nothing."""
    torch.manual_seed(0)
    field = MotionField(FLAT).eval()
    f_s = features(FLAT.flat_channels, SIDE, SIDE)
    x_s, x_d = points(), points(1)
    found = field(f_s, x_s, x_d, torch.eye(3)[None])
    assert found.flow.shape == (1, SIDE, SIDE, 2)
    assert found.mask.shape == (1, COUNT + 1, SIDE, SIDE)
    deeper = x_d + torch.tensor([0.0, 0.0, 0.7])
    torch.testing.assert_close(field(f_s, x_s, deeper, torch.eye(3)[None]).flow, found.flow)
    choose(field, 1)
    flow = field(f_s, x_s, x_d, torch.eye(3)[None]).flow
    torch.testing.assert_close(flow[0, 4, 10], torch.tensor([0.3125, -0.4375]) - x_d[0, 0, :2] + x_s[0, 0, :2])


def test_coordinates_stay_fp32_under_autocast(volume: MotionField) -> None:
    """The convolutions run in bf16; a flow with masks all of one keypoint is exact to fp32 all the same."""
    choose(volume, 1)
    x_s, x_d = points(), points(1)
    f_s = features(4, DEPTH, SIDE, SIDE)
    exact = volume(f_s, x_s, x_d, torch.eye(3)[None]).flow
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = volume(f_s, x_s, x_d, torch.eye(3)[None])
    assert found.flow.dtype == torch.float32
    torch.testing.assert_close(found.flow, exact, atol=1e-6, rtol=0.0)
    warped = warp_features(f_s.bfloat16(), found.flow)
    assert warped.dtype == torch.bfloat16
    torch.testing.assert_close(warped.float(), warp_features(f_s.bfloat16().float(), exact), atol=4e-3, rtol=0.0)
