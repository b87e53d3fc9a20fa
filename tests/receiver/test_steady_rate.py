"""steady_rate.py: the times of a screen, and of a file at a steady rate."""

import numpy as np
import pytest

from codec.motion import Motion
from receiver.steady_rate import SteadyRate, Ticker


def frame(time_s: float) -> Motion:
    return Motion(0, 0, 0, np.array((time_s, 0, 0), np.float32), np.zeros((1, 3), np.float32), time_s)


def test_ticker_on_time() -> None:
    ticker = Ticker(50)
    assert ticker.next_s(7.0) == 7.0
    assert [ticker.next_s(now_s) for now_s in (7.001, 7.021, 7.041)] == pytest.approx([7.02, 7.04, 7.06])
    assert ticker.skipped == 0


def test_ticker_behind_by_less_than_a_picture_catches_up_and_by_more_skips() -> None:
    ticker = Ticker(50)
    ticker.next_s(0.0)
    assert ticker.next_s(0.03) == pytest.approx(0.02)  # at once
    assert ticker.next_s(0.031) == pytest.approx(0.04)
    assert ticker.next_s(0.115) == pytest.approx(0.10)
    assert ticker.skipped == 2
    assert ticker.next_s(1000.001) == pytest.approx(1000.0)


def run(rate: float, times_s: list[float]) -> list[tuple[float, float]]:
    """Time and t_x, which is the capture time, of what a file shows."""
    steady = SteadyRate(rate)
    return [(timed.time_s, float(timed.motion.t[0])) for time_s in times_s for timed in steady.push(frame(time_s))]


def test_fifteen_become_thirty_with_one_frame_lost() -> None:
    shown = run(30, [round(index / 15, 3) for index in range(10) if index != 4])
    assert [time_s for time_s, _ in shown] == pytest.approx([index / 30 for index in range(19)])
    assert [x for _, x in shown] == pytest.approx([index / 30 for index in range(19)], abs=6e-4)


def test_same_rate_keeps_the_frames() -> None:
    shown = run(25, [index / 25 for index in range(50)])
    assert [x for _, x in shown] == pytest.approx([index / 25 for index in range(50)], abs=1e-6)


def test_begins_at_the_first_frame_that_has_a_time_of_the_grid() -> None:
    assert [time_s for time_s, _ in run(10, [0.55, 0.75, 0.95])] == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_long_gap_says_nothing_but_the_ease_at_its_end() -> None:
    shown = run(20, [0.0, 0.05, 86400.0, 86400.05])
    assert [time_s for time_s, _ in shown] == pytest.approx([0, 0.05, 86399.85, 86399.9, 86399.95, 86400, 86400.05])
    assert [x for _, x in shown[:2]] == pytest.approx([0, 0.05])
    assert shown[2][1] == pytest.approx(0.05, abs=1e-3)
    assert shown[2][1] < shown[3][1] < shown[4][1] < shown[5][1] == pytest.approx(86400)
