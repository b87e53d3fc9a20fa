"""Motion to integers: how far keypoints move, and that rounding the pose moves none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codec import CodecTables, Level, Motion
from codec.motion import POSE_NUMBERS
from codec.quantise import LARGEST, dequantise, place_keypoints, quantise, requantise, rotation
from models.geometry import compose_keypoints, compose_scaled_keypoints, rotation_matrix
from tests.codec.synthetic import canonical, clip_motions, fitted_tables

ANGLES = st.floats(-180, 180)


def places(motion: Motion, x_c: NDArray[np.float32], scaled: bool) -> NDArray[np.float64]:
    pose = motion.as_vector()[:POSE_NUMBERS].astype(np.float64)
    return place_keypoints(pose, motion.delta, x_c.astype(np.float64), scaled)


@given(ANGLES, ANGLES, ANGLES)
def test_rotation_is_that_of_the_models(yaw: float, pitch: float, roll: float) -> None:
    expected = rotation_matrix(*(torch.tensor(angle, dtype=torch.float64) for angle in (yaw, pitch, roll)))
    np.testing.assert_allclose(rotation(np.array([yaw, pitch, roll])), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("scaled", [True, False])
def test_places_are_those_of_the_models(scaled: bool) -> None:
    (motion,), x_c = clip_motions(7, 1), canonical(7)
    R = torch.from_numpy(rotation(motion.as_vector()[:3].astype(np.float64))).float()[None]
    compose = compose_scaled_keypoints if scaled else compose_keypoints
    x = compose(torch.from_numpy(x_c)[None], R, torch.from_numpy(motion.t)[None], torch.from_numpy(motion.delta)[None])
    np.testing.assert_allclose(places(motion, x_c, scaled), x[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("level", Level)
def test_rounding_the_pose_moves_no_keypoint(scaled: bool, level: Level) -> None:
    """Without a transform each coordinate in the head's axes is off by half a step at most, times the head's size."""
    tables, x_c = CodecTables.default(20, scaled).predictive, canonical(7)
    for motion in clip_motions(7, 20):
        found = dequantise(quantise(motion, x_c.astype(np.float64), tables, level), tables, level, 0.0)
        assert np.abs(found.as_vector()[:6] - motion.as_vector()[:6]).max() > 1e-4  # the pose is rounded
        scale = np.exp(found.t[2]) if scaled else 1.0
        error = np.linalg.norm(places(found, x_c, scaled) - places(motion, x_c, scaled), axis=1)
        assert error.max() <= np.sqrt(3) / 2 * tables.delta_step * 2**level * scale + 1e-6


def test_fitted_steps_move_keypoints_as_much_as_they_say() -> None:
    tables, x_c = fitted_tables().predictive, canonical(99)
    squares: dict[Level, list[NDArray[np.float64]]] = {level: [] for level in Level}
    for level in Level:
        before = None
        for motion in clip_motions(99, 60):
            before = quantise(motion, x_c.astype(np.float64), tables, level, before)
            error = places(dequantise(before, tables, level, 0.0), x_c, True) - places(motion, x_c, True)
            squares[level].append((error[:, :2] * 128) ** 2)
    rms_px = [float(np.sqrt(np.mean(squares[level]))) for level in Level]
    assert rms_px == pytest.approx([0.25, 0.5, 1.0], rel=0.3)


def test_without_a_source_the_pose_is_rounded_all_the_same() -> None:
    tables = CodecTables.default(20).predictive
    (motion,) = clip_motions(7, 1)
    found = dequantise(quantise(motion, None, tables, Level.HIGH), tables, Level.HIGH, 2.5)
    assert np.abs(found.delta - motion.delta).max() < 0.1
    assert found.capture_time_s == 2.5


def test_values_near_the_prediction_stay_there() -> None:
    tables = CodecTables.default(2).predictive
    motion = Motion(1.0 * 7.54, 0.0, 0.0, np.zeros(3, np.float32), np.zeros((2, 3), np.float32), 0.0)
    yaw = [quantise(motion, None, tables, Level.HIGH, [before, *[0] * 11])[0] for before in (6, 7, 8, 9)]
    assert yaw == [7, 7, 8, 8]
    assert quantise(motion, None, tables, Level.HIGH)[0] == 8


def test_absurd_motion_is_clipped() -> None:
    tables = CodecTables.default(2).predictive
    wild = Motion(1e9, -1e9, 1e30, np.array([1e20, -1e20, 50.0], np.float32), np.full((2, 3), 1e30, np.float32), 0.0)
    for x_c in (None, np.ones((2, 3))):
        integers = quantise(wild, x_c, tables, Level.HIGH)
        assert max(map(abs, integers)) == LARGEST
        assert np.isfinite(dequantise(integers, tables, Level.LOW, 0.0).as_vector()).all()


@given(st.lists(st.integers(-LARGEST, LARGEST), min_size=1), st.sampled_from(Level), st.sampled_from(Level))
def test_requantise(integers: list[int], before: Level, after: Level) -> None:
    found = requantise(integers, before, after)
    assert all(abs(q) <= LARGEST for q in found)
    factor = 2.0 ** (before - after)
    exact = [min(max(q * factor, -LARGEST), LARGEST) for q in integers]
    assert all(-0.5 < q - value <= 0.5 for q, value in zip(found, exact, strict=True))
