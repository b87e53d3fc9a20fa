"""crop.py: the square is cut where the follower says, and cut again from the path that was left."""

import numpy as np
import pytest

from models.face_finder import FaceBox
from sender.camera import Frame, Image
from sender.crop import Cropper, RecordedCropper
from sender.crop_square import Square, cut
from sender.crop_watch import FaceWatch

SIZE = 64


def frames(count: int) -> list[Frame]:
    """Different pictures, 25 a second."""
    random = np.random.default_rng(0)
    return [Frame(random.integers(0, 256, (240, 320, 3), np.uint8), index / 25) for index in range(count)]


def walker(image: Image, near: FaceBox | None) -> FaceBox:
    """See a face at the right border of the picture, always."""
    return FaceBox(0.9, 260, 120, 50, 60)


def test_crop_without_a_watch_stays() -> None:
    cropper = Cropper(Square(20, 10, 100), SIZE)
    for frame in frames(3):
        assert np.array_equal(cropper.crop(frame), cut(frame.image, Square(20, 10, 100), SIZE))


def test_crop_follows_and_is_cut_again_from_its_path() -> None:
    shown = frames(60)
    cropper = Cropper(Square(20, 50, 114), SIZE, FaceWatch(walker, 0.5))
    crops = [cropper.crop(frame) for frame in shown]
    assert cropper.follower.square == Square(203, 56, 114)
    again = RecordedCropper(cropper.follower.path, SIZE)
    assert all(np.array_equal(again.crop(frame), crop) for frame, crop in zip(shown, crops, strict=True))
    assert not np.array_equal(crops[30], cut(shown[30].image, Square(20, 50, 114), SIZE))


@pytest.mark.parametrize("watched", [True, False])
def test_worry_is_passed_on(watched: bool) -> None:
    watch = FaceWatch(walker, 0.5)
    cropper = Cropper(Square(20, 50, 114), SIZE, watch if watched else None)
    for frame in frames(10):
        cropper.crop(frame)
        cropper.worry()
    assert watch.looks == (4 if watched else 0)  # at 0, 0.12, 0.24, 0.36 s: not sooner than each 0.1 s
