from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.training.clip_files import read_frames
from models.training.errors import PrepareError
from models.training.landmarker import Landmarker
from models.training.mean_face import fit_pose
from models.training.mediapipe_env import default_folder, ready_python
from tests.models.training.green_faces import picture, stand_in_python

VAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "talking_heads" / "val"


@pytest.fixture
def landmarker(tmp_path: Path) -> Iterator[Landmarker]:
    with Landmarker(stand_in_python(tmp_path)) as running:
        yield running


def test_landmarks_are_in_pixels_of_each_picture(landmarker: Landmarker) -> None:
    for width, height in ((200, 120), (64, 300)):
        points = landmarker.find(picture(width, height, (10, 20, 50, 80)))
        np.testing.assert_allclose(points[:, :2].min(0), (10, 20), atol=1e-3)
        np.testing.assert_allclose(points[:, :2].max(0), (50, 80), atol=1e-3)
        assert points[1, 2] < points[234, 2]  # the nose is nearer than the ear


def test_no_face_is_nan(landmarker: Landmarker) -> None:
    assert np.isnan(landmarker.find(picture(64, 64, None))).all()


def test_a_process_that_dies_is_an_error_in_words(landmarker: Landmarker) -> None:
    with pytest.raises(PrepareError, match="its process ended"):
        landmarker.find(picture(13, 20, None))
    with pytest.raises(PrepareError, match="its process ended"):
        landmarker.find(picture(640, 480, None))
    landmarker.close()
    landmarker.close()


def test_a_python_that_cannot_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="does not start"):
        Landmarker(tmp_path / "python")
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\nexit 1\n")
    deaf.chmod(0o755)
    with pytest.raises(PrepareError, match="importing it failed"):
        Landmarker(deaf)


@pytest.mark.shared
@pytest.mark.skipif(not VAL.is_dir(), reason="needs ../shared/data/talking_heads")
@pytest.mark.skipif(ready_python(default_folder()) is None, reason="needs the environment `facewire prepare` makes")
def test_mediapipe_finds_a_face_that_turns() -> None:
    python = ready_python(default_folder())
    assert python is not None
    frames = list(read_frames(VAL / "id096_0.mp4"))[:6]
    with Landmarker(python) as running:
        running.start_clip()
        tracked = np.stack([running.find(frame) for frame in frames])
        alone = running.find(frames[0], still=True)
        tilted = running.find(np.ascontiguousarray(np.rot90(frames[0])), still=True)
        assert np.isnan(running.find(np.zeros((64, 64, 3), np.uint8), still=True)).all()
    assert np.isfinite(tracked).all()
    assert np.abs(alone - tracked[0])[:, :2].mean() < 3.0  # px
    pose = fit_pose(np.stack((alone, tilted)).astype(np.float64))
    if np.isfinite(tilted).all():  # a face that lies on its side is not always found
        assert pose.roll_deg[1] - pose.roll_deg[0] == pytest.approx(-90.0, abs=8.0)
