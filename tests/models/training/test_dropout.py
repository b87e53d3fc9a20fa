import pytest
import torch

from models.config import TINY
from models.geometry import HeadMotion
from models.networks import Keypoints, Networks
from models.training.dropout import draw_kept, drop_tail


def placed_and_expected(kept: list[int]) -> tuple[Keypoints, Keypoints]:
    """Keypoints of a random motion, and of the same motion with the tail's delta set to 0 before they are placed."""
    rng = torch.Generator().manual_seed(0)
    yaw_deg, pitch_deg, roll_deg = (torch.rand(3, 2, generator=rng) - 0.5) * 40.0
    t = torch.rand(2, 3, generator=rng) - 0.5
    x_c, delta = (torch.rand(2, 20, 3, generator=rng) - 0.5 for _ in range(2))
    short = delta.clone()
    for row, count in enumerate(kept):
        short[row, count:] = 0.0
    networks = Networks(TINY)
    whole = networks.place(x_c, HeadMotion(yaw_deg, pitch_deg, roll_deg, t, delta))
    return whole, networks.place(x_c, HeadMotion(yaw_deg, pitch_deg, roll_deg, t, short))


def test_dropped_keypoints_follow_the_head_alone() -> None:
    whole, expected = placed_and_expected([5, 12])
    dropped = drop_tail(whole, torch.tensor([5, 12]))
    for name in Keypoints._fields:
        torch.testing.assert_close(getattr(dropped, name), getattr(expected, name), atol=1e-6, rtol=0.0)
    assert torch.equal(dropped.x[0, :5], whole.x[0, :5])
    assert (dropped.x[0, 5:] - whole.x[0, 5:]).abs().min() > 0.0


def test_all_kept_changes_nothing() -> None:
    whole, _ = placed_and_expected([20, 20])
    same = drop_tail(whole, torch.tensor([20, 20]))
    assert torch.equal(same.x, whole.x)
    assert torch.equal(same.delta, whole.delta)


def test_between_none_and_three_quarters_fall_away_evenly() -> None:
    kept = draw_kept(3200, 20, 0.75, torch.Generator().manual_seed(0))
    counts = torch.bincount(kept)
    assert len(counts) == 21
    assert counts[:5].sum() == 0
    assert counts[5:].min() > 140
    assert counts[5:].max() < 260
    assert draw_kept(4, 20, 0.0, torch.Generator()).tolist() == [20] * 4
    assert kept.float().mean().item() == pytest.approx(12.5, abs=0.3)
