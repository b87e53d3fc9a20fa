"""crop_square.py: the face ends up in the middle of its square, at the size that the networks know."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face_finder import FaceBox
from models.face_finder_weights import load_finder
from sender.camera import Image
from sender.crop_square import (
    LARGEST_RATIO,
    SMALLEST_RATIO,
    Square,
    centre_square,
    cut,
    find_square,
    first_square,
    place_square,
)

SIZE = 64
PORTRAITS = sorted((Path(__file__).parents[3] / "shared/data/portraits").glob("*.jpg"))


def picture(height: int, width: int) -> Image:
    """A picture without sharp edges, in which every place has its own colours."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9.0), np.sin(y / 7.0), np.sin((x + y) / 11.0)]
    return (127 + 100 * np.stack(waves, -1)).astype(np.uint8)


@pytest.mark.parametrize("ratio", [SMALLEST_RATIO + 0.1, 1.9, LARGEST_RATIO - 0.1])
def test_first_square_keeps_a_head_crop_whole(ratio: float) -> None:
    assert first_square(FaceBox(0.9, 140, 110, 100, 256 / ratio), 256, 256) == Square(0, 0, 256)


@pytest.mark.parametrize("ratio", [SMALLEST_RATIO - 0.1, LARGEST_RATIO + 0.5])
def test_first_square_of_a_square_picture_that_is_no_head_crop(ratio: float) -> None:
    face = 256 / ratio
    square = first_square(FaceBox(0.9, 128, 128, face, face), 256, 256)
    assert square.side == min(256, round(1.9 * face))


@pytest.mark.parametrize(
    ("width", "height", "x", "y", "face"),
    [(1280, 720, 900, 350, 200), (1280, 720, 250, 400, 150), (640, 480, 320, 200, 110), (480, 854, 240, 300, 160)],
)
def test_first_square_fits_a_face_anywhere(width: int, height: int, x: int, y: int, face: int) -> None:
    square = first_square(FaceBox(0.9, x, y, 0.8 * face, face), height, width)
    assert square.side == round(1.9 * face)
    assert square.left + square.side / 2 == pytest.approx(x, abs=1)
    # a little above the middle of the face, for the hair
    assert square.top + square.side * 0.56 == pytest.approx(y, abs=1)


def test_place_square_is_pushed_into_the_picture() -> None:
    assert place_square(FaceBox(0.9, 10, 10, 80, 80), 152, 200, 300) == Square(0, 0, 152)
    assert place_square(FaceBox(0.9, 295, 195, 80, 80), 152, 200, 300) == Square(148, 48, 152)


def test_first_square_never_leaves_a_small_picture() -> None:
    assert first_square(FaceBox(0.9, 15, 10, 1, 1), 20, 30) == Square(5, 0, 20)


def test_find_square_needs_finder_and_networks() -> None:
    image = picture(120, 160)
    face = FaceBox(0.8, 80, 60, 40, 40)
    crops: list[Image] = []

    def confirm(crop: Image) -> float:
        crops.append(crop)
        return 0.6

    square, score = find_square(image, SIZE, 0.5, lambda seen: face, confirm)
    assert square == first_square(face, 120, 160)
    assert score == 0.6
    assert np.array_equal(crops[0], cut(image, square, SIZE))
    assert find_square(image, SIZE, 0.7, lambda seen: face, confirm) == (None, 0.6)
    assert find_square(image, SIZE, 0.9, lambda seen: face, confirm) == (None, 0.8)
    assert len(crops) == 2  # the networks are not asked where the finder saw nobody


def test_cut_does_not_touch_a_crop_of_the_right_size() -> None:
    image = picture(80, 100)
    assert np.array_equal(cut(image, Square(10, 5, SIZE), SIZE), image[5:69, 10:74])


@pytest.mark.parametrize("side", [16, 64, 151])
def test_cut_between_pixels_lies_between_its_neighbours(side: int) -> None:
    """Half a pixel further is half of one and half of the other, in a picture that is smooth."""
    image = picture(200, 200)
    here, there = (cut(image, Square(20 + step, 30, side), SIZE).astype(float) for step in (0, 1))
    between = cut(image, Square(20.5, 30, side), SIZE).astype(float)
    assert np.abs(between - (here + there) / 2)[2:-2, 2:-2].mean() < 1.5


def test_cut_moves_smoothly_with_the_square() -> None:
    """A spot that is followed over ten steps of a tenth of a pixel moves by a pixel, evenly."""
    image = np.asarray(cv2.GaussianBlur(np.zeros((100, 100, 3), np.uint8), (0, 0), 1), np.uint8)
    image[48:53, 48:53] = 255
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.uint8)
    places = []
    for step in range(11):
        crop = cut(image, Square(10 + step / 10, 10, SIZE), SIZE)[..., 0].astype(float)
        places.append((crop * np.arange(SIZE)).sum() / crop.sum())
    assert places[0] - places[-1] == pytest.approx(1.0, abs=0.02)
    assert np.diff(places) == pytest.approx(np.full(10, -0.1), abs=0.06)


def test_cut_at_the_border_of_the_picture_repeats_it() -> None:
    image = np.full((50, 50, 3), 90, np.uint8)
    assert (cut(image, Square(-0.25, 3.5, 50.5), SIZE) == 90).all()


@pytest.mark.parametrize("side", [16, 200])
def test_cut_resizes(side: int) -> None:
    crop = cut(np.full((200, 200, 3), 77, np.uint8), Square(0, 0, side), SIZE)
    assert crop.shape == (SIZE, SIZE, 3)
    assert (crop == 77).all()


def test_centre_square() -> None:
    assert centre_square(360, 640) == Square(140, 0, 360)
    assert centre_square(640, 361) == Square(0, 139, 361)


@pytest.mark.shared
@pytest.mark.weights
@pytest.mark.skipif(not PORTRAITS, reason="the portraits of ../shared are not here")
def test_find_square_holds_the_whole_face_of_a_portrait_wherever_it_is() -> None:
    """Each portrait, put into a wide picture: the square is around the face, and no larger than a head crop's."""
    find = load_finder().find
    for index, path in enumerate(PORTRAITS[::3]):
        bgr = cv2.imread(str(path))
        assert bgr is not None
        portrait = cv2.resize(bgr[..., ::-1], (360, 360), interpolation=cv2.INTER_AREA)
        image = np.full((480, 854, 3), 70 + 10 * index, np.uint8)
        left, top = 60 * index, 15 * index
        image[top : top + 360, left : left + 360] = portrait
        square, score = find_square(image, SIZE, 0.5, find, lambda crop: 1.0)
        alone = find(np.ascontiguousarray(portrait))
        assert square is not None, (path.name, score)
        assert square.left <= left + alone.centre_x - 0.35 * alone.width
        assert square.left + square.side >= left + alone.centre_x + 0.35 * alone.width
        assert square.top <= top + alone.centre_y - 0.35 * alone.height
        assert square.top + square.side >= top + alone.centre_y + 0.35 * alone.height
        assert 1.4 <= square.side / alone.side <= 2.6
