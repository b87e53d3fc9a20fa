"""motion_path.py: bridged, held and eased."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.motion import Motion
from receiver.motion_path import BRIDGE_S, EASE_S, How, MotionPath, Shown


def still(time_s: float, x: float, yaw: float = 0.0) -> Motion:
    return Motion(yaw, 0, 0, np.array((x, 0, 0), np.float32), np.zeros((2, 3), np.float32), time_s)


def x_of(shown: Shown | None) -> float:
    assert shown is not None
    return float(shown.motion.t[0])


def play(path: MotionPath, times_s: Iterable[float]) -> list[Shown]:
    shown = [path.at(float(time_s)) for time_s in times_s]
    assert all(shown)
    return [one for one in shown if one is not None]


def test_constant_velocity_comes_out_exactly() -> None:
    path = MotionPath()
    for index in range(10):  # 15 a second; 0.6 and 30 degrees a second
        path.push(still(index / 15, 0.04 * index, 2.0 * index))
    times_s = np.arange(18) / 30
    shown = play(path, times_s)
    assert [x_of(one) for one in shown] == pytest.approx(0.6 * times_s, abs=1e-6)
    assert [one.motion.yaw_deg for one in shown] == pytest.approx(30 * times_s, abs=1e-5)
    assert [one.motion.capture_time_s for one in shown] == pytest.approx(times_s)
    assert [one.how for one in shown] == [How.RECEIVED, How.INTERPOLATED] * 9


def test_a_moment_before_a_frame_at_zero_is_the_frame() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.5))
    shown = path.at(-0.0003)
    assert (x_of(shown), shown and shown.motion.capture_time_s) == (0.5, 0.0)


def test_one_frame_lost_is_bridged() -> None:
    path = MotionPath()
    for index in (0, 1, 3):  # at 15 a second
        path.push(still(index / 15, 1.0 * index))
    shown = play(path, (1 / 15, 1.5 / 15, 2 / 15, 2.5 / 15, 3 / 15))
    assert [x_of(one) for one in shown] == pytest.approx([1, 1.5, 2, 2.5, 3])
    assert How.HELD not in {one.how for one in shown}


def test_nothing_before_the_first_frame_and_the_last_one_after_all() -> None:
    path = MotionPath()
    assert path.at(0.0) is None
    path.push(still(1.0, 3.0))
    assert path.at(0.9) is None
    assert [(x_of(path.at(time_s)), path.at(time_s).how) for time_s in (1.0, 9.0)] == [  # type: ignore[union-attr]
        (3.0, How.RECEIVED),
        (3.0, How.HELD),
    ]


def test_a_known_long_gap_is_held_and_left_in_time_for_the_next_frame() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.0))
    path.push(still(1.0, 1.0))
    shown = play(path, (0.0, 0.5, 0.84, 1.0 - EASE_S / 2, 1.0))
    assert [x_of(one) for one in shown] == pytest.approx([0, 0, 0, 0.5, 1])
    assert [one.how for one in shown] == [How.RECEIVED, How.HELD, How.HELD, How.EASING, How.RECEIVED]


def test_hold_then_ease_moves_in_small_steps_and_ends_on_the_way() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.0))
    shown = play(path, np.arange(31) / 30)
    assert {x_of(one) for one in shown} == {0.0}
    for index in range(14, 40):  # a second later it is elsewhere and goes on from there, 0.3 a second
        path.push(still(index / 15, 1.0 + 0.02 * (index - 14)))
    eased = play(path, np.arange(300, 401) / 300)
    steps = np.diff([x_of(one) for one in eased])
    # 1.5 times the mean speed is the fastest of the ease; the way itself goes on beneath
    assert steps.max() <= 1.5 * 1.1 / EASE_S / 300 + 0.3 / 300
    assert steps.min() >= -1e-6
    assert steps[0] < 0.002  # and it sets off softly
    after = [one for one in eased if one.motion.capture_time_s > 1 + EASE_S + 1e-6]
    assert {one.how for one in after} <= {How.RECEIVED, How.INTERPOLATED}
    wanted = [1.0 + 0.3 * (one.motion.capture_time_s - 14 / 15) for one in after]
    assert [x_of(one) for one in after] == pytest.approx(wanted, abs=1e-5)


def test_a_frame_just_too_late_is_caught_up_with_quickly() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.0))
    assert x_of(path.at(0.02)) == 0.0
    path.push(still(0.04, 1.0))
    path.push(still(0.08, 2.0))
    shown = play(path, (0.02, 0.04, 0.0605))
    assert x_of(shown[0]) == 0.0
    assert 0 < x_of(shown[1]) < 1.0
    assert x_of(shown[2]) == pytest.approx(0.0605 / 0.04, abs=1e-5)  # twice 20 ms later


def test_a_late_frame_between_two_changes_the_way_without_a_jump() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.0))
    path.push(still(0.2, 0.0))
    play(path, (0.0, 0.1))
    assert path.push(still(0.12, 1.0)) == 0.0
    assert x_of(path.at(0.1)) == pytest.approx(0.0, abs=1e-6)
    assert x_of(path.at(0.12)) == pytest.approx(0.0486, abs=1e-3)  # 20 of 150 ms into the ease, 0.0486 of the way
    assert x_of(path.at(0.2)) == pytest.approx(0.0, abs=1e-6)


def test_time_may_go_back_to_where_a_hold_began() -> None:
    path = MotionPath()
    path.push(still(0.0, 0.0))
    play(path, (0.0, 0.3))
    for index in range(1, 10):
        path.push(still(0.04 * index, 0.1 * index))
    shown = play(path, np.arange(0, 0.3, 0.01))
    assert [one.motion.capture_time_s for one in shown] == pytest.approx(np.arange(0, 0.3, 0.01))
    x = np.array([x_of(one) for one in shown])
    assert np.diff(x).max() < 2 * 0.1 / 4
    assert x[16:] == pytest.approx(2.5 * np.arange(0.16, 0.3, 0.01), abs=1e-5)
    assert x_of(path.at(0.1)) == x[-1]  # and nowhere else


def test_frames_that_are_known_or_past_are_of_no_use() -> None:
    path = MotionPath()
    for time_s in (0.0, 0.04, 0.08):
        assert path.push(still(time_s, time_s)) is not None
    assert path.push(still(0.04, 9.0)) is None
    play(path, (0.0, 0.06))
    assert path.push(still(0.02, 9.0)) is None
    assert path.push(still(0.0, 9.0)) is None
    assert x_of(path.at(0.07)) == pytest.approx(0.07)


def test_wanted_from_the_frame_before_or_from_the_ease() -> None:
    path = MotionPath()
    assert path.push(still(1.0, 0)) == 1.0
    assert path.push(still(1.0 + BRIDGE_S, 0)) == 1.0
    assert path.push(still(3.0, 0)) == pytest.approx(3.0 - EASE_S)
    assert path.push(still(1.1, 0)) == 1.0
    assert path.newest_s == 3.0


def test_memory_is_bounded() -> None:
    path = MotionPath()
    for index in range(2000):
        path.push(still(index / 25, 0))
    assert path.newest_s == pytest.approx(511 / 25)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=60))
def test_whatever_comes_when_nothing_jumps_and_nothing_leaves_the_frames(
    events: list[tuple[int, bool]],
) -> None:
    """Frames of x in [0,1], one each 40 ms, in any order; the picture goes on by 5 ms a step between them."""
    path, now_s, last = MotionPath(), 0.0, None
    path.push(still(0.0, 0.5))
    for number, push in events:
        if push:
            path.push(still(0.04 * number, (number * 7919 % 101) / 100))
        else:
            now_s += 0.005
        shown = path.at(now_s)
        x = x_of(shown)
        assert -1e-6 <= x <= 1 + 1e-6
        if last is not None:
            # at most the way between neighbours (1 in 40 ms) with an ease on top of it
            most = 0.0 if push else 0.005 / 0.04 + 1.6 * 0.005 / 0.01
            assert abs(x - last) <= most + 1e-6
        last = x
