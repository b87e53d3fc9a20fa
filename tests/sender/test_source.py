"""source.py: the first picture with a face in it, or words."""

import io
from threading import Event

import numpy as np
import pytest
from PIL import Image as Pillow

from models.face_finder import FaceBox
from sender.camera import Frame, Image
from sender.crop_square import Square
from sender.errors import NoFace
from sender.source import LOOKS, Source, encode_picture, find_source


class Reel:
    """Frames at 25 fps; the level of a frame is its number."""

    frame_rate = 25.0
    live = False

    def __init__(self, frames: int) -> None:
        self._left = iter(range(frames))

    def read(self) -> Frame | None:
        index = next(self._left, None)
        return None if index is None else Frame(np.full((64, 64, 3), index, np.uint8), index / 25)

    def close(self) -> None:
        pass


def find(
    reel: Reel, first_with_face: int, seen: list[int], stop: Event | None = None, confirmed: float = 1.0
) -> Source:
    def look(image: Image) -> FaceBox:
        seen.append(int(image[0, 0, 0]))
        score = 0.9 if image[0, 0, 0] >= first_with_face else 0.31
        side = len(image)
        return FaceBox(score, side / 2, side / 2, 0.45 * side, 0.5 * side)

    return find_source(reel, "clip.mp4", 64, 0.5, 1.0, look, lambda crop: confirmed, 90, stop)


def test_find_source_first_frame() -> None:
    seen: list[int] = []
    source = find(Reel(100), 0, seen)
    assert source.square == Square(0, 0, 64)
    assert seen == [0]


def test_find_source_later_frame_within_the_first_second() -> None:
    seen: list[int] = []
    source = find(Reel(100), 10, seen)
    picture = np.asarray(Pillow.open(io.BytesIO(source.picture)).convert("RGB"))
    assert 10 <= seen[-1] <= 13
    assert abs(int(picture[32, 32, 0]) - seen[-1]) <= 2


def test_find_source_no_face_says_what_was_looked_at_and_needed() -> None:
    seen: list[int] = []
    with pytest.raises(NoFace, match=r"clip\.mp4: expected a face in the first 1 s, found none in 26 frames"):
        find(Reel(1000), 5000, seen)
    assert len(set(seen)) <= LOOKS + 1
    assert max(seen) <= 25


def test_find_source_short_clip_without_face_names_score_and_threshold() -> None:
    with pytest.raises(NoFace, match=r"in 3 frames \(best score 0\.31, needed 0\.50\)"):
        find(Reel(3), 5000, [])


def test_find_source_the_networks_that_read_motion_must_see_the_face_too() -> None:
    with pytest.raises(NoFace, match=r"best score 0\.20, needed 0\.50"):
        find(Reel(1000), 0, [], confirmed=0.2)


def test_find_source_stops_when_told() -> None:
    stop = Event()
    stop.set()
    seen: list[int] = []
    with pytest.raises(NoFace):
        find(Reel(1000), 0, seen, stop)
    assert seen == []


def test_encode_picture_is_webp_close_to_the_crop() -> None:
    y, x = np.mgrid[0:64, 0:64]
    crop = np.stack((x * 4, y * 4, (x + y) * 2), -1).astype(np.uint8)
    picture = encode_picture(crop, 90)
    with Pillow.open(io.BytesIO(picture)) as image:
        assert image.format == "WEBP"
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - crop).mean() < 4
    assert len(picture) < 4000


def test_large_picture_is_kept_only_where_the_camera_has_it() -> None:
    class Wide(Reel):
        def read(self) -> Frame | None:
            return Frame(np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8), 0.0)

    small = find(Reel(3), 0, [])
    assert small.large is None
    wide = find(Wide(1), 0, [])
    assert wide.large is not None
    assert wide.large.shape == (128, 128, 3)
