"""smooth.py: frames as a link delivers them, sampled as a screen does."""

import numpy as np
import pytest

from codec.motion import Motion
from receiver.motion_path import How
from receiver.smooth import Smoother

SPEED = 0.5


def frame(time_s: float) -> Motion:
    return Motion(0, 0, 0, np.array((SPEED * time_s, 0, 0), np.float32), np.zeros((1, 3), np.float32), round(time_s, 3))


def play(smoother: Smoother, arrivals: list[tuple[float, Motion]], seconds: float, fps: float = 30) -> list[float]:
    """Push and sample in the order of time, a screen's frames from 0.003 s on; returns x of each sample."""
    waiting, shown = sorted(arrivals, key=lambda arrival: arrival[0]), []
    for index in range(round(seconds * fps)):
        now_s = 0.003 + index / fps
        while waiting and waiting[0][0] <= now_s:
            arrival_s, motion = waiting.pop(0)
            smoother.push(motion, arrival_s)
        sample = smoother.sample(now_s)
        if sample is not None:
            shown.append(float(sample.motion.t[0]))
    return shown


def test_nothing_before_the_first_frame() -> None:
    smoother = Smoother()
    assert smoother.sample(0.0) is None
    assert (smoother.on_time_share, smoother.delay_ms, smoother.longest_freeze_s) == (None, 0.0, 0.0)


def test_fifteen_frames_a_second_are_shown_as_thirty_evenly() -> None:
    smoother = Smoother()
    shown = play(smoother, [(index / 15 + 0.05, frame(index / 15)) for index in range(74)], 5)
    steps = np.diff(shown[60:])
    assert steps == pytest.approx(np.full(len(steps), SPEED / 30), rel=0.06)  # the slew is 5 %
    assert smoother.on_time_share == 1.0
    assert smoother.frames_on_time == 74
    assert 67 < smoother.delay_ms < 80


def test_every_fifth_message_lost_does_not_stop_the_picture() -> None:
    rng = np.random.default_rng(1)
    kept = [index for index in range(900) if index < 20 or rng.uniform() > 0.2]
    smoother = Smoother()
    shown = play(smoother, [(index / 15 + 0.05, frame(index / 15)) for index in kept], 60)
    assert smoother.on_time_share is not None
    assert smoother.on_time_share > 0.96
    assert smoother.longest_freeze_s < 0.3
    assert np.diff(shown).max() < 1.5 * SPEED * 0.5 / 0.15 / 30  # an ease over the largest gap, half a second


def test_outage_is_one_freeze_and_then_an_ease() -> None:
    smoother = Smoother()
    arrivals = [(index / 25 + 0.05, frame(index / 25)) for index in range(250) if not 100 <= index < 150]
    shown = play(smoother, arrivals, 10)
    assert smoother.longest_freeze_s == pytest.approx(2.0, abs=0.15)
    assert smoother.counts[How.HELD] == pytest.approx(2.0 * 30, abs=5)
    assert smoother.counts[How.EASING] == pytest.approx(0.15 * 30, abs=1)
    moved = SPEED * 2.1
    assert np.diff(shown).max() < 1.6 * moved / (0.15 * 30)


def test_what_is_held_at_the_end_is_no_freeze() -> None:
    smoother = Smoother()
    play(smoother, [(index / 25 + 0.05, frame(index / 25)) for index in range(50)], 5)
    assert smoother.longest_freeze_s == 0.0
    assert smoother.counts[How.HELD] == 0


def test_frames_that_are_all_too_late_are_held_pictures_and_no_freeze() -> None:
    smoother = Smoother()
    for index in range(20):  # each half second a frame, half a second after it should have come
        smoother.push(frame(0.5 * index), 0.5 * index + (0.6 if index else 0.0))
        smoother.sample(0.5 * index + 0.61)
    assert smoother.longest_freeze_s == pytest.approx(0.5)  # each picture stands until the next
    assert smoother.counts[How.HELD] == pytest.approx(19, abs=1)


def test_order_of_arrival_within_the_delay_and_doubles_do_not_matter() -> None:
    straight = [(index / 25 + 0.05, frame(index / 25)) for index in range(200)]
    pairs = [(straight[index | 1][0], motion) for index, (_, motion) in enumerate(straight)]  # two a message
    swapped = sorted(pairs, key=lambda arrival: (arrival[0], -arrival[1].capture_time_s))
    one, other = Smoother(), Smoother()
    assert play(one, pairs, 8.1)[50:] == pytest.approx(play(other, swapped + swapped[100:], 8.1)[50:], abs=2e-3)
    assert other.frames_on_time == 200


def test_frames_after_their_time_are_late() -> None:
    smoother = Smoother()
    arrivals = [(index / 25 + (1.5 if index == 60 else 0.05), frame(index / 25)) for index in range(100)]
    play(smoother, arrivals, 4.1)
    assert (smoother.frames_on_time, smoother.frames_late) == (99, 1)


@pytest.mark.parametrize("jump_s", [-20.0, 3000.0])
def test_a_sender_whose_clock_begins_anew_is_followed(jump_s: float) -> None:
    smoother = Smoother()
    arrivals = [(index / 25 + 0.05, frame(30 + index / 25)) for index in range(50)]
    arrivals += [(2 + index / 25 + 0.05, frame(30 + jump_s + index / 25)) for index in range(50)]
    shown = play(smoother, arrivals, 4.2)
    assert shown[-1] == pytest.approx(SPEED * (30 + jump_s + 49 / 25), rel=1e-5)
