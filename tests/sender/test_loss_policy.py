"""loss_policy.py: from losses to the number of repeats."""

import pytest

from sender.loss_policy import LossPolicy, LossWindow


def window(fates: str) -> LossWindow:
    """A dot came, an x was lost."""
    losses = LossWindow()
    for fate in fates:
        losses.add(fate == "x")
    return losses


SHARES = {0.03: "x" + "." * 32, 0.1: "x.........", 0.2: "x....", 0.4: "x.x.."}


def spread_fates(loss: float) -> str:
    """Single losses, as many as said."""
    return SHARES[loss] * 40


def test_loss_counts_all_but_outages() -> None:
    losses = window("." * 30 + "x" * 8 + "." * 30 + "x.")
    assert losses.loss == pytest.approx(1 / 62)
    assert (losses.count, losses.lost) == (70, 9)


def test_loss_an_outage_that_leaves_the_window_is_never_taken_for_a_burst() -> None:
    losses = window("x" * 40)
    for _ in range(200):
        losses.add(False)
        assert losses.loss == 0


def test_unrepaired_is_what_independent_losses_would_leave_if_there_were_some_more() -> None:
    losses = window("x...." * 24)
    feared = (24 + 1.5 * 24**0.5) / 120
    assert [losses.unrepaired(depth) for depth in range(3)] == [pytest.approx(feared**power) for power in (1, 2, 3)]


def test_unrepaired_counts_bursts() -> None:
    losses = window("." * 50 + "xxxxx" + "." * 45)
    feared = (5 + 1.5 * 5**0.5) / 100
    assert [losses.unrepaired(depth) for depth in (0, 1, 3, 5)] == [feared, 0.04, 0.02, pytest.approx(feared**6)]


def test_depth_expects_loss_until_something_is_known() -> None:
    losses = window("." * 10)
    policy = LossPolicy(losses)
    assert policy.depth(0.06, 0.0) == 6
    for _ in range(20):
        losses.add(False)
    assert policy.depth(0.06, 1.0) == 0


@pytest.mark.parametrize(("loss", "depth"), [(0.03, 3), (0.1, 5), (0.2, 8), (0.4, 8)])
def test_depth_leaves_hardly_anything_lost_where_eight_repeats_can(loss: float, depth: int) -> None:
    assert LossPolicy(window(spread_fates(loss))).depth(0.06, 0.0) == depth


def test_depth_rises_at_once_and_falls_one_step_each_three_seconds() -> None:
    losses = window(spread_fates(0.1))
    policy = LossPolicy(losses)
    assert policy.depth(0.06, 0.0) == 5
    for _ in range(120):
        losses.add(False)
    assert [policy.depth(0.06, time_s) for time_s in (2.0, 3.0, 5.0, 6.0, 9.0, 12.0, 15.0, 30.0)] == [
        *(5, 4, 4, 3, 2, 1, 0, 0)
    ]
    for _ in range(5):
        losses.add(True)
    losses.add(False)
    assert policy.depth(0.06, 30.1) == 5


def test_depth_repeats_nothing_that_would_come_too_late() -> None:
    losses = window(spread_fates(0.4))
    assert [LossPolicy(losses).depth(interval_s, 0.0) for interval_s in (0.06, 0.12, 0.24, 0.6)] == [8, 4, 2, 0]
