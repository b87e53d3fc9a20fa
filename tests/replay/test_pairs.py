"""Frames are paired by capture time, whatever is missing."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from receiver.show import VideoWriter
from replay.errors import ClipError
from replay.pairs import Pair, camera_frames, pair_frames, shown_frames
from sender.camera import Frame
from sender.crop import Cropper
from sender.crop_square import Square


def frames(*times_s: float) -> list[Frame]:
    """Frames that carry their own time, in centiseconds, as their grey level."""
    return [Frame(np.full((16, 16, 3), round(at * 100) % 256, np.uint8), at) for at in times_s]


def level(pair: Pair) -> int | None:
    return None if pair.shown is None else int(pair.shown[0, 0, 0])


def test_last_shown_is_held() -> None:
    camera = frames(0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28)
    pairs = list(pair_frames(camera, frames(0.08, 0.12, 0.24)))
    assert [level(pair) for pair in pairs] == [None, None, 8, 12, 12, 12, 24, 24]
    assert [pair.fresh for pair in pairs] == [False, False, True, True, False, False, True, False]


def test_rounded_clocks_still_pair() -> None:
    times = [index / 29.97 for index in range(300)]
    camera, shown = frames(*times), frames(*(round(at * 1000) / 1000 for at in times))
    assert all(pair.fresh for pair in pair_frames(camera, shown))


def test_neighbours_at_240_frames_a_second_are_told_apart() -> None:
    times = [index / 240 for index in range(100)]
    pairs = list(pair_frames(frames(*times), frames(*times[::2])))
    assert [pair.fresh for pair in pairs] == [True, False] * 50


def test_nothing_shown_is_no_picture_at_all() -> None:
    assert all(pair.shown is None and not pair.fresh for pair in pair_frames(frames(0, 1), []))


def test_receivers_video_keeps_its_times(tmp_path: Path) -> None:
    """A call whose first face came late: the video's first time is not 0, and stays so."""
    times = [0.4 + index / 25 for index in range(10)]
    writer = VideoWriter(tmp_path / "out.mp4", 25, 14)
    for at in times:
        writer.write(np.full((64, 64, 3), round(at * 100), np.uint8), at)
    writer.close()
    read = list(shown_frames(tmp_path / "out.mp4"))
    assert [frame.capture_time_s for frame in read] == pytest.approx(times, abs=1e-4)
    assert [round(float(frame.image.mean())) for frame in read] == pytest.approx(
        [round(at * 100) for at in times], abs=2
    )


def test_camera_frames_are_cropped_as_they_were_sent(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "in.mp4", 25, 4)
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:48, 24:56] = 200
    for index in range(3):
        writer.write(picture, index / 25)
    writer.close()
    read = list(camera_frames(tmp_path / "in.mp4", Cropper(Square(24, 16, 32), 16)))
    assert len(read) == 3
    assert all(frame.image.shape == (16, 16, 3) and frame.image[4:12, 4:12].min() > 190 for frame in read)
    assert all(later.capture_time_s > earlier.capture_time_s for earlier, later in pairwise(read))


def test_video_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"not a video")
    with pytest.raises(ClipError, match="expected the receiver's video"):
        list(shown_frames(tmp_path / "out.mp4"))
