"""Which frames are compared."""

from pathlib import Path

import numpy as np
import pytest

from replay.compare.clip import find_clips, read_reference
from replay.errors import CompareError
from sender.crop_square import Square
from tests.replay.compare.moving import RATE, picture, write_clip


def never(path: Path) -> Square:
    raise AssertionError(f"{path}: a square clip is taken as it is")


def test_square_clip_is_taken_as_it_is(tmp_path: Path) -> None:
    (file,) = find_clips([write_clip(tmp_path / "set" / "one.mp4")])
    assert (file.group, file.name) == ("set", "one")
    clip = read_reference(file, never, (64, 128))
    assert (clip.size, clip.rate, len(clip.frames)) == (64, RATE, 13)
    assert clip.seconds == pytest.approx(13 / 25)
    assert clip.measured == (0, 6, 12)
    assert clip.wanted == (0, 5, 6, 11, 12)
    assert np.abs(clip.pictures[6].astype(int) - picture(64, 6)).mean() < 4


def test_of_others_the_square_of_a_call_is_cut(tmp_path: Path) -> None:
    (file,) = find_clips([write_clip(tmp_path / "wide.mp4", size=160, height=120)])
    clip = read_reference(file, lambda path: Square(20, 10, 100), (64, 128))
    assert clip.size == 128  # 100 px have more detail than 64
    assert read_reference(file, lambda path: Square(20, 10, 90), (64, 128)).size == 64
    wanted = np.asarray(picture(160, 0)[10:110, 20:120]).mean((0, 1))
    assert np.abs(clip.pictures[0].mean((0, 1)) - wanted).max() < 3


def test_first_frames_alone(tmp_path: Path) -> None:
    (file,) = find_clips([write_clip(tmp_path / "one.mp4")])
    assert read_reference(file, never, (64,), first=9, every=4).measured == (0, 4, 8)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="no such file or folder"):
        find_clips([tmp_path / "none"])
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (file,) = find_clips([tmp_path / "broken.mp4"])
    with pytest.raises(CompareError, match="expected a video file, got one that cannot be read"):
        read_reference(file, never, (64,))
    (file,) = find_clips([write_clip(tmp_path / "short.mp4", frames=5)])
    with pytest.raises(CompareError, match="expected more than 6 frames, got 5"):
        read_reference(file, never, (64,))
