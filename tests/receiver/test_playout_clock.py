"""playout_clock.py: as late as needed, and no jump that is seen."""

import numpy as np
import pytest

from receiver.playout_clock import FIRST_S, LEAST_S, MOST_S, SLEW, PlayoutClock

PERIOD_S = 1 / 25


class Call:
    """Frames at 25 a second on their way through a link; the picture's time each 10 ms."""

    def __init__(self) -> None:
        self.clock = PlayoutClock()
        self.display_s, self.captured, self.newest_s = 100.0, 0, 0.0
        self.times_s: list[tuple[float, float]] = []

    def run(
        self, seconds: float, transit_s: float, skew: float = 0.0, frames: bool = True, jitter_s: float = 0.0
    ) -> None:
        """Go on for a time. skew: by how much the receiver's clock runs faster."""
        rng = np.random.default_rng(3)
        end_s = self.display_s + seconds
        while self.display_s < end_s:
            capture_s = self.captured * PERIOD_S
            arrival_s = 100 + capture_s * (1 + skew) + transit_s + (rng.uniform(0, jitter_s) if jitter_s else 0.0)
            if arrival_s <= self.display_s + 1e-9:
                if frames:
                    self.clock.heard(capture_s, max(capture_s - PERIOD_S, 0), arrival_s)
                    self.newest_s = capture_s
                self.captured += 1
                continue
            if self.captured:
                self.times_s.append((self.display_s, self.clock.capture_time_s(self.display_s, self.newest_s)))
            self.display_s += 0.01


def test_asked_too_early() -> None:
    with pytest.raises(RuntimeError, match="expected a frame to have been heard first"):
        PlayoutClock().capture_time_s(1.0, 0.0)


def test_begins_with_a_cautious_delay_and_comes_down_to_what_is_needed() -> None:
    call = Call()
    call.run(0.2, 0.05)
    assert call.clock.delay_ms == pytest.approx(1000 * FIRST_S, abs=1)
    call.run(5, 0.05)
    assert call.clock.delay_ms == pytest.approx(
        1000 * (PERIOD_S + 0.004), abs=0.5
    )  # a frame's distance, and the margin
    display_s, capture_s = call.times_s[-1]
    assert display_s - capture_s - 100 == pytest.approx(0.05 + PERIOD_S + 0.004, abs=1e-3)


def test_jitter_makes_room() -> None:
    call = Call()
    call.run(10, 0.05, jitter_s=0.03)
    assert 1000 * (PERIOD_S + 0.025) < call.clock.delay_ms < 1000 * (PERIOD_S + 0.036)


def test_slews_and_never_jumps_or_runs_back() -> None:
    call = Call()
    call.run(3, 0.05)
    call.run(3, 0.05, jitter_s=0.08)
    call.run(15, 0.05)
    times = np.array(call.times_s)
    speed = np.diff(times[:, 1]) / np.diff(times[:, 0])
    assert speed.max() <= 1 + SLEW + 1e-6
    assert speed.min() >= 0
    assert ((speed > 1 - SLEW - 1e-6) | (times[1:, 1] > 0)).all()
    assert call.clock.delay_ms < 1000 * (PERIOD_S + 0.01)  # the jitter is forgotten


def test_a_longer_way_is_waited_for_while_nothing_newer_is_there() -> None:
    call = Call()
    call.run(6, 0.05)
    before = len(call.times_s)
    call.run(2, 0.35)
    times = np.array(call.times_s[before:])
    assert times[-1, 0] - times[-1, 1] - 100 == pytest.approx(0.35 + PERIOD_S + 0.004, abs=5e-3)
    back = np.flatnonzero(np.diff(times[:, 1]) < 0)
    assert len(back) == 1  # once, from where nothing was to the frame that has come
    assert times[back[0] + 1, 1] == pytest.approx(6 - PERIOD_S, abs=PERIOD_S)
    call.run(25, 0.05)  # and the way is short again
    assert call.clock.delay_ms < 1000 * (PERIOD_S + 0.01)


@pytest.mark.parametrize("skew", [3e-4, -3e-4])
def test_clocks_that_drift_apart_do_not_change_the_delay(skew: float) -> None:
    call = Call()
    call.run(6, 0.05, skew)
    delays = []
    for _ in range(4):
        call.run(6, 0.05, skew)
        display_s, capture_s = call.times_s[-1]
        delays.append(display_s - 100 - capture_s * (1 + skew))
    # seen from now, frames of ten seconds ago were 3 ms quicker or slower
    assert delays == pytest.approx([0.05 + PERIOD_S + 0.004] * 4, abs=0.005)
    assert np.ptp(delays) < 0.001


def test_the_delay_has_ends() -> None:
    clock = PlayoutClock()
    for index in range(100):
        clock.heard(index * PERIOD_S, index * PERIOD_S, index * PERIOD_S)
    for index in range(400):
        clock.capture_time_s(4 + index / 30, 1e9)
    assert clock.delay_ms == pytest.approx(1000 * LEAST_S, abs=0.1)
    for index in range(100, 200):
        clock.heard(index * PERIOD_S, index * PERIOD_S, index * PERIOD_S + (2.0 if index % 2 else 0.0))
    for index in range(400, 4000):
        clock.capture_time_s(4 + index / 30, 1e9)
    assert clock.delay_ms == pytest.approx(1000 * MOST_S, abs=0.1)


def test_display_times_that_fall_count_as_the_last() -> None:
    call = Call()
    call.run(1, 0.05)
    display_s, capture_s = call.times_s[-1]
    assert call.clock.capture_time_s(display_s - 5, call.newest_s) == capture_s
