"""camera.py: frames as the clip has them, at the clip's pace; and every kind of file that is no clip."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sender.camera import LARGEST_SIDE_PX, Clip, Frame, Webcam, film, open_source
from sender.errors import InputError
from signaling.dropping_queue import DroppingQueue
from tests.sender.clips import make_clip, make_sound, picture


def read_all(path: Path) -> list[Frame]:
    clip = Clip(path)
    frames = list(iter(clip.read, None))
    clip.close()
    return frames


def test_clip_frames_are_rgb_in_order_with_their_times(tmp_path: Path) -> None:
    frames = read_all(make_clip(tmp_path / "a.mp4", frames=5, rate=25))
    assert [round(frame.capture_time_s, 3) for frame in frames] == [0.0, 0.04, 0.08, 0.12, 0.16]
    for index, frame in enumerate(frames):
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - picture(index)).mean() < 6
    assert Clip(tmp_path / "a.mp4").frame_rate == 25


def test_clip_times_are_its_own_and_begin_at_zero(tmp_path: Path) -> None:
    times_s = [2.0, 2.01, 2.5, 2.52]
    frames = read_all(make_clip(tmp_path / "a.mkv", frames=4, times_s=times_s))
    assert [round(frame.capture_time_s, 3) for frame in frames] == [0.0, 0.01, 0.5, 0.52]


def test_clip_of_a_telephone_is_turned_upright(tmp_path: Path) -> None:
    lying = read_all(make_clip(tmp_path / "a.mp4", size=(96, 64)))[0].image
    turned = read_all(make_clip(tmp_path / "b.mp4", size=(96, 64), rotation=90))[0].image
    assert lying.shape == (64, 96, 3)
    assert turned.shape == (96, 64, 3)
    # counter-clockwise by 90 degrees: the red left half comes to lie at the bottom
    assert turned[-10:, :, 1].mean() < 10 < turned[:10, :, 1].mean()


def test_clip_of_large_pictures_is_shrunk_in_proportion(tmp_path: Path) -> None:
    image = read_all(make_clip(tmp_path / "a.mp4", frames=2, size=(2560, 640)))[0].image
    assert image.shape == (320, LARGEST_SIDE_PX, 3)


@pytest.mark.parametrize("name", ["nothing.mp4", "camera.mp4"])
def test_open_no_such_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a video file or 'camera', found no such file"):
        open_source(str(tmp_path / name))


def test_open_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a video file, found something else"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 100, bytes(range(256)) * 40])
def test_open_file_that_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.mp4: expected a video file, got") as error:
        read_all(path)
    assert "\n" not in str(error.value)


def test_open_clip_cut_before_its_index(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", frames=50)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="expected a video file, got one that is none"):
        read_all(path)


def test_open_sound_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a video file, got one without pictures"):
        open_source(str(make_sound(tmp_path / "a.mp4")))


def test_read_video_that_ends_at_once(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mkv", frames=0)
    with pytest.raises(InputError, match="expected a video"):
        read_all(tmp_path / "a.mkv")


def test_read_still_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 2 frames, it ends after 1, a still picture"):
        read_all(make_clip(tmp_path / "a.mp4", frames=1))


def test_read_damaged_clip_gives_what_is_good_first(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", frames=60, size=(256, 256))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 2 <= len(read_all(path)) < 60


@pytest.mark.parametrize("name", ["camera:x", "camera:-1", "camera:1.5"])
def test_open_camera_with_a_bad_number(name: str) -> None:
    with pytest.raises(InputError, match=r"expected camera:0, camera:1"):
        open_source(name)


def test_open_camera_that_is_not_there() -> None:
    with pytest.raises(InputError, match="expected a camera with number 63"):
        open_source("camera:63")


class Device:
    """What OpenCV gives: BGR pictures, then nothing."""

    def __init__(self, index: int) -> None:
        self.left = 2
        self.released = False

    def isOpened(self) -> bool:
        return True

    def set(self, key: int, value: float) -> bool:
        return False

    def get(self, key: int) -> float:
        return 30.0

    def read(self) -> tuple[bool, object]:
        self.left -= 1
        return self.left >= 0, np.full((48, 64, 3), (255, 0, 10), np.uint8)

    def release(self) -> None:
        self.released = True


def test_camera_gives_rgb_with_times_from_zero_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sender.camera.cv2.VideoCapture", Device)
    clock = iter([7.0, 7.5, 8.0])
    camera = Webcam(1, now=lambda: next(clock))
    frames = [camera.read(), camera.read()]
    assert [frame.capture_time_s for frame in frames if frame] == [0.0, 0.5]
    assert frames[0] is not None
    assert frames[0].image[0, 0].tolist() == [10, 0, 255]
    assert (camera.frame_rate, camera.live) == (30.0, True)
    with pytest.raises(InputError, match="expected camera 1 to go on"):
        camera.read()
    camera.close()


class Reel:
    """A source of given times."""

    frame_rate = 25.0
    live = False

    def __init__(self, times_s: list[float]) -> None:
        self._frames: Iterator[Frame] = (Frame(picture(0), time_s) for time_s in times_s)

    def read(self) -> Frame | None:
        return next(self._frames, None)

    def close(self) -> None:
        pass


async def play(times_s: list[float], cost_s: float = 0.0) -> tuple[list[float], DroppingQueue[Frame]]:
    """Film with a clock of the test's own; `cost_s` goes by with each look at it. Returns how long was slept."""
    now_s = 100.0
    slept: list[float] = []

    def now() -> float:
        nonlocal now_s
        now_s += cost_s
        return now_s

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        slept.append(round(seconds, 6))
        now_s += seconds

    queue: DroppingQueue[Frame] = DroppingQueue(100)
    with ThreadPoolExecutor(1) as thread:
        await film(Reel(times_s), queue, thread, now, sleep)
    return slept, queue


async def test_film_waits_for_each_frames_own_time() -> None:
    slept, queue = await play([0.0, 0.04, 0.1, 0.5])
    assert slept == pytest.approx([0.0, 0.04, 0.06, 0.4])
    assert queue.put_count == 4
    assert [round((await queue.get() or Frame(picture(0), -1)).capture_time_s, 2) for _ in range(4)] == [
        0,
        0.04,
        0.1,
        0.5,
    ]
    assert queue.ended


async def test_film_that_is_behind_does_not_sleep_and_catches_up() -> None:
    slept, _ = await play([0.0, 0.04, 0.08, 1.0], cost_s=0.1)
    assert slept[1:3] == [0.0, 0.0]
    assert 0 < slept[3] < 1.0


async def test_film_ends_the_queue_when_the_source_fails() -> None:
    class Broken(Reel):
        def read(self) -> Frame | None:
            raise InputError("the camera stopped")

    queue: DroppingQueue[Frame] = DroppingQueue(1)
    with ThreadPoolExecutor(1) as thread:
        with pytest.raises(InputError, match="the camera stopped"):
            await film(Broken([]), queue, thread)
    assert await asyncio.wait_for(queue.get(), 1) is None
