"""Frames of a video as one picture."""

from pathlib import Path

import numpy as np

from replay.motions import read_picture
from replay.still import make_still
from tests.sender.clips import make_clip, picture


def test_chosen_frames_stand_one_over_the_other(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=10)
    make_still(clip, tmp_path / "docs" / "still.jpg", places=(0.2, 0.9))
    still = read_picture(tmp_path / "docs" / "still.jpg")
    expected = np.vstack([picture(2), picture(9)]).astype(float)
    assert still.shape == expected.shape
    assert np.abs(still - expected)[:, 40:].max() < 8  # away from the red half, whose colour is stored coarsely
