"""placing.py: keypoints in numpy where torch puts them, and one motion told against two shapes."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from codec.motion import Motion
from models.geometry import compose_keypoints, compose_scaled_keypoints, rotation_matrix
from models.placing import place, retell, shape

CHANCE = np.random.default_rng(3)
X_C = CHANCE.normal(0, 0.4, (5, 3)).astype(np.float32)
OTHER = X_C + CHANCE.normal(0, 0.1, (5, 3)).astype(np.float32)
Array = NDArray[np.float32]


def motion(pose: tuple[float, float, float], t: tuple[float, float, float], delta: Array) -> Motion:
    return Motion(*pose, np.array(t, np.float32), delta, 1.5)


MOTION = motion((21.0, -8.0, 5.0), (0.1, -0.2, 0.15), CHANCE.normal(0, 0.05, (5, 3)).astype(np.float32))
STILL = np.zeros((5, 3), np.float32)


@pytest.mark.parametrize("scaled", [True, False])
def test_place_is_where_torch_places(scaled: bool) -> None:
    yaw, pitch, roll = (torch.tensor([angle]) for angle in (MOTION.yaw_deg, MOTION.pitch_deg, MOTION.roll_deg))
    compose = compose_scaled_keypoints if scaled else compose_keypoints
    x_c, t, delta = (torch.tensor(part)[None] for part in (X_C, MOTION.t, MOTION.delta))
    expected = compose(x_c, rotation_matrix(yaw, pitch, roll), t, delta)
    assert place(MOTION, X_C, scaled) == pytest.approx(expected[0].numpy(), abs=1e-5)


@pytest.mark.parametrize("scaled", [True, False])
def test_retold_motion_puts_keypoints_where_they_were(scaled: bool) -> None:
    retold = retell(MOTION, X_C, OTHER)
    assert place(retold, OTHER, scaled) == pytest.approx(place(MOTION, X_C, scaled), abs=1e-5)
    assert not np.allclose(retold.delta, MOTION.delta, atol=0.02)
    assert (retold.yaw_deg, retold.capture_time_s) == (MOTION.yaw_deg, MOTION.capture_time_s)


def test_retold_there_and_back_is_what_it_was() -> None:
    assert retell(retell(MOTION, X_C, OTHER), OTHER, X_C).delta == pytest.approx(MOTION.delta, abs=1e-6)


def test_retell_a_prefix_of_the_keypoints() -> None:
    few = motion((21.0, -8.0, 5.0), (0.1, -0.2, 0.15), MOTION.delta[:3])
    assert retell(few, X_C, OTHER).delta == pytest.approx(retell(MOTION, X_C, OTHER).delta[:3], abs=1e-6)


def test_shape_knows_no_pose() -> None:
    turned, moved = (40.0, 10.0, -9.0), (0.3, 0.1, 0.2)
    assert shape(motion(turned, moved, STILL), X_C) == pytest.approx(X_C, abs=1e-6)
    open_mouth = STILL.copy()
    open_mouth[1, 1] = 0.1
    opened = place(motion(turned, (0, 0, 0), STILL), X_C + open_mouth, False) - place(
        motion(turned, (0, 0, 0), STILL), X_C, False
    )
    said = motion(turned, moved, opened.astype(np.float32))
    assert shape(said, X_C) - X_C == pytest.approx(open_mouth, abs=1e-6)
