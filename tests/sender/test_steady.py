"""steady.py: what trembles is calmed, what moves is let through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.motion import Motion
from models.rotations import rotation_matrix
from sender.crop_square import Square
from sender.steady import FORGET_S, POINT_NOISE_PX, Steady

K = 6
X_C = np.random.default_rng(1).uniform(-0.6, 0.6, (K, 3)).astype(np.float32)
PX = 128


def points_px(motion: Motion, scaled: bool = True) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Keypoints x, y [K,2] as models/geometry.py places them, in pixels."""
    R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
    size = np.exp(float(motion.t[2])) if scaled else 1.0
    return np.asarray(PX * (size * (X_C @ R.T + motion.delta)[:, :2] + motion.t[:2]), np.float64)


def seen(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]], pose: list[float], time_s: float) -> Motion:
    """Motion as Δ tells it: points [K,2] in pixels are exact, whatever the pose [6] is."""
    R, t = rotation_matrix(*pose[:3]), np.array(pose[3:])
    x = np.hstack((points / PX - t[:2], np.zeros((K, 1))))
    delta = x / np.exp(t[2]) - X_C @ R.T
    return Motion(pose[0], pose[1], pose[2], t.astype(np.float32), delta.astype(np.float32), time_s)


REST = points_px(Motion(5, -3, 2, np.array((0.1, 0, 0.2), np.float32), np.zeros((K, 3), np.float32), 0))
POSE = [5.0, -3.0, 2.0, 0.1, 0.0, 0.2]


def test_first_frame_and_the_one_after_a_long_gap_are_taken_as_they_are() -> None:
    steady = Steady(X_C, scaled=True)
    first = seen(REST, POSE, 0.0)
    assert steady(first) == first
    assert steady(seen(REST + 0.2, POSE, 0.04)) != seen(REST + 0.2, POSE, 0.04)
    later = seen(REST + 0.1, POSE, 0.04 + FORGET_S)
    assert steady(later) == later


def test_tremble_at_rest_is_calmed_in_points_and_pose() -> None:
    rng = np.random.default_rng(2)
    steady, before, after, turns = Steady(X_C, scaled=True), [], [], []
    for index in range(200):
        pose = POSE + rng.normal(size=6) * [0.2, 0.2, 0.2, 0.002, 0.002, 0.002]
        motion = seen(REST + rng.normal(size=(K, 2)) * 0.12, list(pose), index / 25)
        calm = steady(motion)
        before.append(points_px(motion))
        after.append(points_px(calm))
        turns.append((motion.yaw_deg, calm.yaw_deg))
    assert np.diff(after, 2, axis=0).std() < 0.45 * np.diff(before, 2, axis=0).std()
    assert np.diff([calm for _, calm in turns], 2).std() < 0.45 * np.diff([raw for raw, _ in turns], 2).std()
    assert np.mean(after, 0) == pytest.approx(REST, abs=0.06)


def test_a_blink_goes_through_with_its_first_frame() -> None:
    lid = [0.0, 0.0, 1.5, 4.0, 4.0, 1.5, 0.0, 0.0]
    steady, shown = Steady(X_C, scaled=True), []
    for index, down in enumerate(lid):
        points = REST.copy()
        points[0, 1] += down
        shown.append(points_px(steady(seen(points, POSE, index / 25)))[0, 1] - REST[0, 1])
    assert shown == pytest.approx(lid, abs=0.2)
    assert max(shown) > 3.9


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-60, 60), st.floats(-20, 20), st.floats(-0.3, 0.3)), min_size=2, max_size=12),
    st.booleans(),
)
def test_no_point_is_ever_off_by_more_than_half_the_noise(path: list[tuple[float, float, float]], scaled: bool) -> None:
    steady = Steady(X_C, scaled)
    for index, (yaw, x_px, size) in enumerate(path):
        t = np.array((x_px / PX, 0, size), np.float32)
        motion = Motion(yaw, yaw / 3, x_px, t, np.full((K, 3), size / 9, np.float32), index * 0.033)
        calm = steady(motion)
        assert np.abs(points_px(calm, scaled) - points_px(motion, scaled)).max() <= POINT_NOISE_PX / 2 + 1e-3


def test_pose_errors_that_delta_takes_up_stay_undone() -> None:
    rng = np.random.default_rng(3)
    steady = Steady(X_C, scaled=True)
    for index in range(50):
        pose = list(POSE + rng.normal(size=6) * [2, 2, 2, 0.02, 0.02, 0.02])
        assert points_px(steady(seen(REST, pose, index / 25))) == pytest.approx(REST, abs=1e-3)


def test_a_crop_that_moves_or_jumps_is_not_smeared() -> None:
    """A head at rest in the picture: whatever the crop does, it stays there exactly."""
    steady = Steady(X_C, scaled=True)
    squares = (
        [Square(100, 50, 200)] * 3 + [Square(100 + 3 * n, 50, 200 + 2 * n) for n in range(8)] + [Square(0, 0, 256)]
    )
    for index, square in enumerate(squares):
        zoom = square.side / 200
        middle = np.subtract(square.centre, squares[0].centre) * 2 / 200
        t = np.array(((0.1 - middle[0]) / zoom, -middle[1] / zoom, 0.2 - np.log(zoom)), np.float32)
        motion = Motion(5, -3, 2, t, np.zeros((K, 3), np.float32), index / 25)
        calm = steady(motion, square)
        assert calm.as_vector() == pytest.approx(motion.as_vector(), abs=2e-5)
