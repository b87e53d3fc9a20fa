from dataclasses import astuple

import pytest
import torch

from models.training.priors import TermWeights, head_pose_l1, keypoint_prior


def test_weights_are_the_papers() -> None:
    assert astuple(TermWeights()) == (10.0, 1.0, 10.0, 20.0, 10.0, 20.0, 5.0)


def test_keypoint_prior_by_hand() -> None:
    """Three points: one pair 0.2 apart, the others far; mean depth 0.3 where 0.33 is asked."""
    x = torch.tensor([[[0.0, 0.0, 0.3], [0.2, 0.0, 0.3], [0.0, 1.0, 0.3]]])
    crowded = 2 * (0.1 - 0.04)  # the pair counts twice
    assert keypoint_prior(x).item() == pytest.approx(crowded + 0.03, abs=1e-6)
    assert keypoint_prior(x, mean_depth=0.3).item() == pytest.approx(crowded, abs=1e-6)
    assert keypoint_prior(x, nearest=0.03, mean_depth=0.3).item() == pytest.approx(0.0, abs=1e-6)


def test_keypoint_prior_is_a_sum_over_pairs() -> None:
    """K points on one spot: K (K - 1) D_t, batch mean."""
    heap, spread = torch.zeros(1, 5, 3), torch.eye(5)[:, :3][None] * 3 + torch.eye(5)[:, 2:][None] * 9
    assert keypoint_prior(heap, mean_depth=0.0).item() == pytest.approx(5 * 4 * 0.1, abs=1e-6)
    flat = heap.clone()
    both = torch.cat((flat, spread - spread[..., 2:].mean()))
    both[1, :, 2] = 0.0
    both[1, :, 0] = torch.arange(5.0)
    assert keypoint_prior(both, mean_depth=0.0).item() == pytest.approx(5 * 4 * 0.1 / 2, abs=1e-6)


def test_points_spread_in_depth_alone_are_crowded_in_the_picture() -> None:
    x = torch.tensor([[[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]])
    assert keypoint_prior(x, mean_depth=0.0).item() == 0.0
    assert keypoint_prior(x, mean_depth=0.0, in_picture=True).item() == pytest.approx(0.2)


def test_keypoint_prior_has_a_gradient_for_points_on_one_spot_but_for_the_spot() -> None:
    x = torch.tensor([[[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]], requires_grad=True)
    keypoint_prior(x, mean_depth=0.0).backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad[0, 0, 0].item() == pytest.approx(0.4)  # apart is downhill: 2 * 2 d for the first point
    assert x.grad[0, 1, 0].item() == pytest.approx(-0.4)


def test_head_pose_sums_the_angles() -> None:
    zero = torch.zeros(2)
    off = (zero + 9.0, zero - 4.5, torch.tensor([0.0, 9.0]))
    assert head_pose_l1(off, (zero, zero, zero)).item() == pytest.approx((9.0 + 4.5 + 4.5) / 45.0)
    assert head_pose_l1(off, (zero, zero, zero), unit_deg=1.0).item() == pytest.approx(18.0)
