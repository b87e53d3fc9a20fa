"""rotations.py: the same rotations as geometry.py, and the way from one to another."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models import geometry
from models.rotations import euler_angles_deg, rotation_matrix, slerp, turn_deg, turn_rotation

angles = st.tuples(*[st.floats(-85, 85)] * 3)
share = st.floats(0, 1)


@settings(max_examples=50, deadline=None)
@given(angles)
def test_matrix_and_angles_are_those_of_geometry(each: tuple[float, float, float]) -> None:
    tensors = [torch.tensor(angle, dtype=torch.float64) for angle in each]
    R = rotation_matrix(*each)
    assert np.allclose(R, geometry.rotation_matrix(*tensors).numpy(), atol=1e-12)
    assert euler_angles_deg(R) == pytest.approx(np.array(each), abs=1e-5)
    theirs = torch.stack(geometry.euler_angles_deg(geometry.rotation_matrix(*tensors))).numpy()
    assert euler_angles_deg(R) == pytest.approx(theirs, abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(angles)
def test_turns_are_those_of_geometry(turn: tuple[float, float, float]) -> None:
    ours = turn_rotation(np.array(turn))
    theirs = geometry.turn_rotation(torch.tensor(turn, dtype=torch.float64)).numpy()
    assert np.allclose(ours, theirs, atol=1e-12)
    assert turn_deg(ours) == pytest.approx(np.array(turn), abs=1e-5)
    assert turn_deg(ours) == pytest.approx(geometry.turn_deg(torch.tensor(ours)).numpy(), abs=1e-4)


def test_batches() -> None:
    many = np.random.default_rng(0).uniform(-60, 60, (4, 5, 3))
    R = rotation_matrix(*np.moveaxis(many, -1, 0))
    assert R.shape == (4, 5, 3, 3)
    assert euler_angles_deg(R) == pytest.approx(many)
    assert turn_rotation(turn_deg(R)) == pytest.approx(R, abs=1e-9)


def test_slerp_half_way_worked_by_hand() -> None:
    start, end = rotation_matrix(0, 0, 0), rotation_matrix(90, 0, 0)
    assert euler_angles_deg(slerp(start, end, 0.5)) == pytest.approx([45, 0, 0], abs=1e-9)
    # a third of a turn about the diagonal takes x to y to z: half of it is a sixth of a turn about the same axis
    cycle = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    half = slerp(np.eye(3), cycle, 0.5)
    assert half @ half == pytest.approx(cycle, abs=1e-12)
    assert half @ np.ones(3) == pytest.approx(np.ones(3), abs=1e-12)
    assert np.trace(half) == pytest.approx(1 + 2 * np.cos(np.deg2rad(60)), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(angles, angles, share)
def test_slerp_has_a_steady_speed(one: tuple[float, ...], other: tuple[float, ...], part: float) -> None:
    start, end = rotation_matrix(*one), rotation_matrix(*other)
    whole = np.linalg.norm(turn_deg(end @ start.mT))
    if whole > 179:  # then there are two shortest ways
        return
    R = slerp(start, end, part)
    assert R @ R.mT == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.norm(turn_deg(R @ start.mT)) == pytest.approx(part * whole, abs=1e-4)
    assert np.linalg.norm(turn_deg(end @ R.mT)) == pytest.approx((1 - part) * whole, abs=1e-4)


def test_slerp_of_half_a_turn_is_some_rotation() -> None:
    R = slerp(np.eye(3), rotation_matrix(180, 0, 0), 0.5)
    assert R @ R.mT == pytest.approx(np.eye(3), abs=1e-9)
