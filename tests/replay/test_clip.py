"""The demo's clip is made from what is stored: motion comes back, the pose is calmed, the file stays small."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from codec.motion import Motion
from replay import clip
from replay.clip import ASSETS, SHARE_OF_SHIFT, SHARE_OF_TURN, calm, load_motion, make_clip, save_motion, write_small
from replay.errors import ClipError
from replay.pairs import shown_frames
from replay.retarget import rotation
from tests.replay.tiny import save_tiny

K = 20


def motion(index: int) -> Motion:
    random = np.random.default_rng(index)
    return Motion.from_vector(random.normal(0, 0.2, 3 * K + 6), index / 25)


def test_stored_motion_comes_back(tmp_path: Path) -> None:
    save_motion(tmp_path / "motion.npz", [motion(index) for index in range(5)])
    for index, one in enumerate(load_motion(tmp_path / "motion.npz")):
        np.testing.assert_allclose(one.as_vector(), motion(index).as_vector(), atol=1e-3)
        assert one.capture_time_s == index / 25


@pytest.mark.parametrize("content", [None, b"", b"no numbers"])
def test_stored_motion_that_is_none(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "motion.npz").write_bytes(content)
    with pytest.raises(ClipError, match="expected stored motion"):
        load_motion(tmp_path / "motion.npz")


def test_calm_keeps_a_share_of_turns_and_the_expression_in_the_heads_axes() -> None:
    own, driving = motion(1), motion(2)
    calmed = calm(driving, own)
    assert calmed.yaw_deg - own.yaw_deg == pytest.approx((driving.yaw_deg - own.yaw_deg) * SHARE_OF_TURN, abs=1e-5)
    np.testing.assert_allclose(calmed.t - own.t, (driving.t - own.t) * SHARE_OF_SHIFT, atol=1e-6)
    np.testing.assert_allclose(calmed.delta @ rotation(calmed), driving.delta @ rotation(driving), atol=1e-6)


def test_file_is_as_fine_as_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    noise = [(random.integers(0, 255, (64, 64, 3)).astype(np.uint8), index / 25) for index in range(5)]
    fine = write_small(tmp_path / "fine.mp4", noise, 25)
    monkeypatch.setattr(clip, "MOST_BYTES", fine - 1)
    assert write_small(tmp_path / "coarse.mp4", noise, 25) < fine
    monkeypatch.setattr(clip, "MOST_BYTES", 100)
    with pytest.raises(ClipError, match="expected at most 100 B"):
        write_small(tmp_path / "never.mp4", noise, 25)


def test_clip_is_made_from_portrait_and_stored_motion(tmp_path: Path) -> None:
    shutil.copy(ASSETS / "portrait.jpg", tmp_path)
    save_motion(tmp_path / "motion.npz", [motion(index) for index in range(4)])
    size = make_clip(save_tiny(tmp_path / "weights"), tmp_path, None)
    assert size == (tmp_path / "demo.mp4").stat().st_size
    assert len(list(shown_frames(tmp_path / "demo.mp4"))) == 4
