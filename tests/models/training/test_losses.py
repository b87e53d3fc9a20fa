"""Every term with a case worked by hand."""

import pytest
import torch

from models.geometry import HeadMotion
from models.keypoints import EXPRESSIVE
from models.training import losses


def test_region_weight_peaks_at_mouth_and_eyes() -> None:
    x = torch.full((1, 20, 3), 5.0)  # far away
    x[0, EXPRESSIVE[0], :2] = torch.tensor([0.5, -0.5]) + 1.0 / 64  # a pixel centre of 64
    weight = losses.region_weight(x, 64, gain=6.0, sigma=0.07)
    assert weight.shape == (1, 1, 64, 64)
    assert weight[0, 0, 16, 48].item() == pytest.approx(7.0, abs=1e-3)
    assert weight[0, 0, 60, 4].item() == pytest.approx(1.0, abs=1e-3)


def test_pyramid_l1_of_a_constant_error() -> None:
    """A picture off by 0.1 everywhere: L1 0.1 at each level, no gradient error, whatever the weights."""
    target = torch.rand(2, 3, 16, 16)
    weight = torch.rand(2, 1, 16, 16) + 0.5
    assert losses.pyramid_l1(target + 0.1, target, torch.ones(2, 1, 16, 16)).item() == pytest.approx(0.1, abs=1e-5)
    assert losses.pyramid_l1(target + 0.1, target, weight).item() == pytest.approx(0.1, abs=1e-5)
    assert losses.pyramid_l1(target, target, weight).item() == 0.0


def test_pyramid_l1_counts_an_error_by_its_weight() -> None:
    target = torch.zeros(1, 3, 8, 8)
    y = target.clone()
    y[..., 0, 0] = 1.0
    weight = torch.ones(1, 1, 8, 8)
    heavy = weight.clone()
    heavy[..., 0, 0] = 8.0
    light = losses.pyramid_l1(y, target, weight, levels=1, gradient=0.0)
    assert light.item() == pytest.approx(1.0 / 64)
    expected = 8.0 / 64 / ((63 + 8) / 64)
    assert losses.pyramid_l1(y, target, heavy, levels=1, gradient=0.0).item() == pytest.approx(expected)


def test_pyramid_l1_sees_a_shifted_edge() -> None:
    """A step moved by one pixel costs its width in L1 and two differences in the gradient term."""
    target = torch.zeros(1, 3, 8, 8)
    target[..., 4:] = 1.0
    y = torch.zeros(1, 3, 8, 8)
    y[..., 5:] = 1.0
    ones = torch.ones(1, 1, 8, 8)
    plain = losses.pyramid_l1(y, target, ones, levels=1, gradient=0.0)
    assert plain.item() == pytest.approx(1 / 8)
    both = losses.pyramid_l1(y, target, ones, levels=1, gradient=0.5)
    assert both.item() == pytest.approx(1 / 8 + 0.5 * 2 / 7)


def test_structural_dissimilarity() -> None:
    target = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert losses.structural_dissimilarity(target, target).item() == pytest.approx(0.0, abs=1e-5)
    flat = torch.full_like(target, 0.5)
    # two flat pictures: only the means count, (2ab + c1) / (a^2 + b^2 + c1)
    expected = 1.0 - (2 * 0.5 * 0.75 + 1e-4) / (0.25 + 0.5625 + 1e-4)
    assert losses.structural_dissimilarity(flat, flat + 0.25).item() == pytest.approx(expected, abs=1e-4)


def test_keypoint_l1_weighs_mouth_and_eyes_more_and_depth_less() -> None:
    target = torch.zeros(2, 20, 3)
    dull, keen = target.clone(), target.clone()
    outline = next(k for k in range(20) if k not in EXPRESSIVE)
    dull[:, outline, 0] = 1.0
    keen[:, EXPRESSIVE[0], 0] = 1.0
    deep = target.clone()
    deep[:, outline, 2] = 1.0
    one, two, depth = (losses.keypoint_l1(x, target).item() for x in (dull, keen, deep))
    assert two == pytest.approx(2.0 * one)
    assert depth == pytest.approx(0.3 * one)
    total = (len(EXPRESSIVE) * 2.0 + 20 - len(EXPRESSIVE)) * 2.3
    assert one == pytest.approx(1.0 / total)


def test_pose_l1() -> None:
    zero, delta = torch.zeros(2), torch.zeros(2, 20, 3)
    target = HeadMotion(zero, zero, zero, torch.zeros(2, 3), delta)
    off = HeadMotion(zero + 45.0, zero - 9.0, zero, torch.full((2, 3), 0.1), delta)
    assert losses.pose_l1(off, target).item() == pytest.approx(1.0 + 0.2 + 0.1)


def test_deformation_l1() -> None:
    assert losses.deformation_l1(torch.tensor([[[0.1, -0.2, 0.0]]])).item() == pytest.approx(0.1)


def test_face_mask_falls_with_the_distance_to_the_nearest_keypoint() -> None:
    """1 on a keypoint, exp(-1/2) one sigma away."""
    x = torch.full((1, 20, 3), 9.0)
    x[0, 4, :2] = 1.0 / 32  # a pixel centre of 32
    mask = losses.face_mask(x, 32, sigma=2.0 / 32)
    assert float(mask[0, 0, 16, 16]) == pytest.approx(1.0)
    assert float(mask[0, 0, 16, 17]) == pytest.approx(0.6065, abs=1e-3)


def test_flow_bending_is_the_second_difference_in_cells() -> None:
    """An affine flow costs nothing; x^2 / 100 cells bends by 2 / 100 everywhere, in one direction of two."""
    cells = torch.arange(8.0)
    affine = torch.stack((3.0 * cells[None].expand(8, -1) + 1.0, cells[:, None].expand(-1, 8) * 0.5))[None] / 4.0
    one = torch.ones(1, 1, 8, 8)
    assert float(losses.flow_bending(affine, one)) == pytest.approx(0.0, abs=1e-5)
    bent = torch.stack((cells[None].expand(8, -1).square() / 100.0, torch.zeros(8, 8)))[None] / 4.0
    assert float(losses.flow_bending(bent, 3.0 * one)) == pytest.approx(3.0 * 0.02 / 2, abs=1e-5)
