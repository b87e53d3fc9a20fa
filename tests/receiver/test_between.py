"""between.py: motion on the way from one frame to another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.motion import Motion
from models.rotations import rotation_matrix
from receiver.between import between
from tests.receiver.motions import motion


def pose(yaw: float, pitch: float, roll: float, t: tuple[float, float, float] = (0, 0, 0), level: float = 0) -> Motion:
    return Motion(yaw, pitch, roll, np.array(t, np.float32), np.full((20, 3), level, np.float32), 0.0)


def test_half_way_worked_by_hand() -> None:
    half = between(pose(10, 0, 0, (0, 0.2, np.log(1.0)), 0.1), pose(30, 0, 0, (0.4, 0, np.log(4.0)), 0.3), 0.5, 7.0)
    assert (half.yaw_deg, half.pitch_deg, half.roll_deg) == pytest.approx((20, 0, 0), abs=1e-9)
    assert half.t == pytest.approx([0.2, 0.1, np.log(2.0)], abs=1e-6)  # of sizes 1 and 4 the mean is 2
    assert half.delta == pytest.approx(np.full((20, 3), 0.2), abs=1e-6)
    assert half.capture_time_s == 7.0


def test_rotations_are_no_angles() -> None:
    half = between(pose(60, 0, 80), pose(60, 0, -80), 0.5, 0.0)
    R = rotation_matrix(half.yaw_deg, half.pitch_deg, half.roll_deg)
    ends = [rotation_matrix(60, 0, roll) for roll in (80, -80)]
    wanted = np.linalg.svd(sum(ends, np.zeros((3, 3))))  # the rotation nearest to the mean of both
    assert pytest.approx(wanted.U @ wanted.Vh, abs=1e-6) == R


@pytest.mark.parametrize(("share", "seed"), [(0.0, 1), (-0.5, 1), (1.0, 2), (1.5, 2)])
def test_ends_are_the_frames_themselves(share: float, seed: int) -> None:
    end = between(motion(0, 1), motion(0, 2), share, 0.0)
    assert end == motion(0, seed)


def test_keypoints_that_one_frame_came_without_follow_the_head() -> None:
    many = pose(0, 0, 0, level=0.4)
    few = Motion(0, 0, 0, many.t, many.delta[:8] * np.float32(0.5), 0.0)
    for half in (between(many, few, 0.5, 0.0), between(few, many, 0.5, 0.0)):
        assert half.delta[:8] == pytest.approx(np.full((8, 3), 0.3), abs=1e-6)
        assert half.delta[8:] == pytest.approx(np.full((12, 3), 0.2), abs=1e-6)
    assert between(many, few, 1.0, 0.0) == few


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=18, max_size=18), st.floats(0, 1))
def test_whatever_came_gives_a_motion_between(numbers: list[float], share: float) -> None:
    a, b = Motion.from_vector(numbers[:9], 0), Motion.from_vector(numbers[9:], 1)
    middle = between(a, b, share, share)
    for one, part, other in ((a.t, middle.t, b.t), (a.delta, middle.delta, b.delta)):
        slack = 1e-6 * np.maximum(np.abs(one), np.abs(other)) + 1e-9
        assert (part >= np.minimum(one, other) - slack).all()
        assert (part <= np.maximum(one, other) + slack).all()
