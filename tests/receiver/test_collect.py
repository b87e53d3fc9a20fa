"""collect.py: order, gaps, lateness, with the clock in the test's hands."""

import random

import pytest

from receiver.collect import MOST_HELD, Collector
from tests.receiver.motions import media

HOLD_S = 0.2


def play(arrivals: list[tuple[float, int]], first: int = 0) -> tuple[Collector, list[int]]:
    """Push messages at their times; returns the collector and the frame numbers in the order of release."""
    collector = Collector(HOLD_S, first % 65536)
    frames = []
    for now_s, number in arrivals:
        frames += collector.pop(now_s)
        collector.push(media(number), now_s)
        frames += collector.pop(now_s)
    frames += collector.flush()
    return collector, [round(frame.capture_time_s / 0.04) for frame in frames]


def test_in_order_is_released_at_once() -> None:
    collector = Collector(HOLD_S)
    for number in range(5):
        collector.push(media(number), number * 0.08)
        assert len(collector.pop(number * 0.08)) == 2
        assert collector.due_s is None
    assert (collector.received, collector.missing, collector.late, collector.frames_dropped) == (5, 0, 0, 0)


def test_overtaken_message_is_put_back_in_its_place() -> None:
    collector, frames = play([(0.0, 0), (0.08, 2), (0.1, 1), (0.24, 3)])
    assert frames == list(range(8))
    assert (collector.missing, collector.late) == (0, 0)


def test_gap_is_waited_for_and_then_taken_for_lost() -> None:
    collector = Collector(HOLD_S)
    collector.push(media(0), 0.0)
    collector.pop(0.0)
    collector.push(media(3), 0.1)
    assert collector.pop(0.1) == []
    assert collector.due_s == pytest.approx(0.3)
    assert collector.pop(0.29) == []
    assert len(collector.pop(0.301)) == 2
    assert collector.missing == 2
    collector.push(media(1), 0.31)
    assert collector.pop(0.31) == []
    assert (collector.late, collector.frames_dropped) == (1, 2)


def test_first_message_lost_counts_as_missing() -> None:
    collector, frames = play([(0.1, 1), (0.5, 2)])
    assert frames == [2, 3, 4, 5]
    assert collector.missing == 1


def test_duplicates_are_dropped_whether_held_or_shown() -> None:
    collector, frames = play([(0.0, 0), (0.01, 0), (0.1, 2), (0.11, 2), (0.12, 1)])
    assert frames == list(range(6))
    assert (collector.duplicate, collector.late, collector.received) == (2, 0, 3)
    assert collector.frames_dropped == 4


def test_sequence_wraps_without_a_gap() -> None:
    arrivals = [(index * 0.08, 65533 + index) for index in range(6)]
    arrivals[2], arrivals[3] = (arrivals[2][0], arrivals[3][1]), (arrivals[3][0], arrivals[2][1])
    collector, frames = play(arrivals, first=65533)
    assert frames == [2 * 65533 + index for index in range(12)]
    assert collector.missing == 0


def test_flush_releases_all_that_is_held_in_order() -> None:
    collector = Collector(HOLD_S)
    for number in (5, 3, 8):
        collector.push(media(number), 0.0)
    assert [round(frame.capture_time_s / 0.08) for frame in collector.flush()][::2] == [3, 5, 8]
    assert collector.missing == 6
    assert collector.due_s is None


def test_frames_that_do_not_move_on_in_time_are_dropped() -> None:
    collector = Collector(HOLD_S)
    collector.push(media(0), 0.0)
    again = media(1)
    collector.push(type(again)(1, media(0).motions + again.motions), 0.08)
    assert [round(frame.capture_time_s / 0.04) for frame in collector.pop(0.08)] == [0, 1, 2, 3]
    assert collector.frames_dropped == 2


def test_held_messages_are_bounded_whatever_comes() -> None:
    collector = Collector(hold_s=1e9)
    released = 0
    for number in range(1, 1000):
        collector.push(media(number), 0.0)
        released += len(collector.pop(0.0))
        assert len(collector._held) <= MOST_HELD
    assert released >= 2 * (999 - MOST_HELD)


@pytest.mark.parametrize("seed", range(20))
def test_any_network_gives_each_frame_at_most_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    arrivals = []
    for number in range(200):
        for _ in range(rng.choices([0, 1, 2], [0.1, 0.8, 0.1])[0]):
            arrivals.append((number * 0.08 + rng.uniform(0.0, 0.3), number))
    arrivals.sort()
    collector, frames = play(arrivals)
    assert frames == sorted(set(frames))
    distinct = len({number for _, number in arrivals})
    assert collector.received + collector.late == distinct, f"seed {seed}"
    assert collector.received + collector.late + collector.duplicate == len(arrivals) or collector.late > 0
    assert len(frames) == 2 * collector.received
