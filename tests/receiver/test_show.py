"""show.py: the file has each frame at its capture time, and is whole whenever it is closed."""

from pathlib import Path

import av
import numpy as np
import pytest

from receiver.errors import OutputError
from receiver.show import VideoWriter, check_output
from tests.receiver.sounds import onsets_s, sound_of, tone


def image(level: int, size: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A plain colour that is not grey."""
    return np.full((size, size, 3), (level, 255 - level, 100), np.uint8)


def read(path: Path) -> list[tuple[float, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        frames = list(container.decode(stream))
    return [(float(frame.time or 0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in frames]


def test_write_frames_and_times(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.08, 1.0, 1.001, 7.25]
    writer = VideoWriter(tmp_path / "o.mp4", 25, 10)
    for index, time_s in enumerate(times_s):
        writer.write(image(40 * index), time_s)
    writer.close()
    frames = read(tmp_path / "o.mp4")
    assert [time_s for time_s, _ in frames] == pytest.approx(times_s, abs=1e-4)
    for index, (_, shown) in enumerate(frames):
        assert np.abs(shown.astype(int) - image(40 * index)).mean() < 4


def test_write_call_that_begins_late_keeps_its_times(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", 25, 10)
    for time_s in (0.4, 0.44, 0.48):
        writer.write(image(10), time_s)
    writer.close()
    assert [time_s for time_s, _ in read(tmp_path / "o.mp4")] == pytest.approx([0.4, 0.44, 0.48], abs=1e-4)


def test_write_times_that_stand_still_or_fall_are_moved_on(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", 25, 20)
    for time_s in (0.5, 0.5, 0.1, 0.6):
        writer.write(image(10), time_s)
    writer.close()
    times_s = [time_s for time_s, _ in read(tmp_path / "o.mp4")]
    assert times_s == sorted(set(times_s))
    assert len(times_s) == 4


@pytest.mark.parametrize("rate", [0.0, 29.97, 1000.0, 0.1])
def test_write_any_frame_rate(tmp_path: Path, rate: float) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", rate, 20)
    writer.write(image(10), 0.0)
    writer.write(image(20), 0.5)
    writer.close()
    assert len(read(tmp_path / "o.mp4")) == 2


def test_close_without_a_frame_leaves_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "o.mp4", 25, 20).close()
    assert list(tmp_path.iterdir()) == []


def test_close_twice(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", 25, 20)
    writer.write(image(10), 0.0)
    writer.close()
    writer.close()
    assert len(read(tmp_path / "o.mp4")) == 1


def test_write_into_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "gone" / "o.mp4", 25, 20)
    with pytest.raises(OutputError, match="expected to write the video, failed: No such file"):
        writer.write(image(10), 0.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("o.txt", "expected a name that ends in .mp4"),
        ("none/o.mp4", "expected a folder .*none to write into, found none"),
        ("folder.mp4", "expected a file to write, found a folder"),
    ],
)
def test_check_output(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    check_output(tmp_path / "good.mp4")
    with pytest.raises(OutputError, match=words):
        check_output(tmp_path / name)


def test_film_with_room_for_sound_that_never_came(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", 25, 20, sound=True)
    for index in range(5):
        writer.write(np.full((64, 64, 3), 40 * index, np.uint8), index / 25)
    writer.close()
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert len(list(container.decode(video=0))) == 5


def test_sound_before_the_first_picture_waits_for_it_and_the_past_stays_as_it_was(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "o.mp4", 25, 20, sound=True)
    writer.hear(tone(0.06), 0.0)
    writer.write(np.full((64, 64, 3), 40, np.uint8), 0.0)
    assert writer.hear(tone(0.06), 0.07) == pytest.approx(0.06)  # without a seam
    assert writer.hear(tone(0.06), 1.0) == pytest.approx(1.0)
    assert writer.hear(tone(0.06), 0.5) is None
    writer.write(np.full((64, 64, 3), 80, np.uint8), 1.04)
    writer.close()
    assert onsets_s(sound_of(tmp_path / "o.mp4")) == pytest.approx([0.0, 1.0], abs=0.01)
