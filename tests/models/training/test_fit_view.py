from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.geometry import rotation_matrix
from models.training.dataset_index import Track, read_index
from models.training.fit_view import STEPS_DEG, held_up_deg, seen_range_deg, turn_person
from models.training.mean_face import mean_face
from models.weights import build_model
from tests.models.training.prepared import write_prepared


def poses(yaw: list[float]) -> Track:
    count, zero = len(yaw), np.zeros(len(yaw), np.float32)
    found = np.ones(count, bool)
    found[-1] = False  # the last frame has no face, and does not count
    arrays = (np.array(yaw, np.float32), zero, zero, zero, np.zeros((count, 2), np.float32))
    return Track(np.zeros((count, 478, 3), np.float32), found, *arrays, np.zeros((478, 3), np.float32))


def test_range_of_turns_between_frames() -> None:
    # half of a clip at -10, half at 10: turns of 0 or 20
    assert seen_range_deg([poses([-10.0, 10.0, 80.0])]) == pytest.approx([20.0, 0.0, 0.0], abs=0.05)


def test_pictures_hold_up_until_the_first_step_that_does_not() -> None:
    exact = np.tile(np.array(STEPS_DEG, float), (10, 1))
    assert held_up_deg(exact) == STEPS_DEG[-1]
    slow = exact * 0.75  # a quarter short of what was asked is within 30 %
    assert held_up_deg(slow) == STEPS_DEG[-1]
    stuck = np.minimum(exact, 20.0)  # at 30 a third is missing, at 25 a fifth
    assert held_up_deg(stuck) == 25.0
    lost = exact.copy()
    lost[:2, 3] = np.nan  # two of ten without a face at 20; that it is found again at 25 does not help
    assert held_up_deg(lost) == 15.0
    assert held_up_deg(np.full((4, len(STEPS_DEG)), np.nan)) == 0.0


def test_turn_person_asks_for_one_axis_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_prepared(tmp_path, clips=1, frames=4, stills=0)
    asked: list[tuple[float, ...]] = []

    class Told:
        """A renderer whose picture is the mean face under the view, and nothing else."""

        def __init__(self, _: object) -> None: ...

        def set_source(self, image: Tensor) -> None:
            assert image.shape == (1, 3, 64, 64)

        def render(self, _: object, view: object = None) -> Tensor:
            angles = (0.0, 0.0, 0.0) if view is None else tuple(float(part) for part in list(view)[:3])  # type: ignore[call-overload]
            asked.append(angles)
            R = rotation_matrix(*torch.tensor(angles, dtype=torch.float64))
            return (torch.from_numpy(mean_face().copy()) @ R.mT)[None]

    monkeypatch.setattr("models.training.fit_view.Renderer", Told)
    clip = read_index(data).clips[0]
    reached = turn_person(build_model("tiny"), data, clip, lambda points: points.numpy())
    assert asked[0] == (0.0, 0.0, 0.0)
    assert sum(angle != 0 for angles in asked for angle in angles) == 6 * len(STEPS_DEG)
    np.testing.assert_allclose(reached, np.broadcast_to(STEPS_DEG, reached.shape), atol=1e-3)
