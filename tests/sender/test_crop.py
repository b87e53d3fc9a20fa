"""crop.py: the face ends up in the middle of its square, at the size that the networks know."""

import cv2
import numpy as np
import pytest

from sender.camera import Image
from sender.crop import (
    LARGEST_RATIO,
    SMALLEST_RATIO,
    Cropper,
    Face,
    Square,
    candidate_squares,
    centre_square,
    cut,
    find_square,
    fit_square,
)

SIZE = 64


def scene(width: int, height: int, x: int, y: int, face: int) -> Image:
    """A dark picture with one bright disc, `face` px across, around (x, y)."""
    image = np.full((height, width, 3), 20, np.uint8)
    return np.asarray(cv2.circle(image, (x, y), face // 2, (220, 220, 220), -1), np.uint8)


def look(crop: Image) -> Face:
    """See the disc as a face if it is whole, and between a sixth and nine tenths of the crop."""
    ys, xs = np.nonzero(crop[..., 0] > 120)
    if not len(xs):
        return Face(0.0, 0.0, 0.0, 1.0)
    left, right, top, bottom = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    unit = 2 / crop.shape[0]
    side = float(max(right - left, bottom - top)) * unit
    whole = min(left, top) > 0 and max(right, bottom) < crop.shape[0]
    score = 0.9 if whole and 0.3 < side < 1.8 else 0.2
    return Face(score, float(left + right) / 2 * unit - 1, float(top + bottom) / 2 * unit - 1, side)


@pytest.mark.parametrize("ratio", [SMALLEST_RATIO + 0.1, 1.9, LARGEST_RATIO - 0.1])
def test_find_square_keeps_a_head_crop_whole(ratio: float) -> None:
    image = scene(256, 256, 128, 128, round(256 / ratio))
    assert find_square(image, SIZE, 0.5, look) == (Square(0, 0, 256), 0.9)


def test_find_square_keeps_the_centre_square_of_a_wide_picture_with_a_large_face() -> None:
    image = scene(640, 360, 320, 180, 180)
    assert find_square(image, SIZE, 0.5, look)[0] == Square(140, 0, 360)


@pytest.mark.parametrize(
    ("width", "height", "x", "y", "face"),
    [(1280, 720, 900, 300, 200), (1280, 720, 250, 400, 150), (640, 480, 320, 200, 110), (480, 854, 240, 300, 160)],
)
def test_find_square_fits_a_face_anywhere(width: int, height: int, x: int, y: int, face: int) -> None:
    square, score = find_square(scene(width, height, x, y, face), SIZE, 0.5, look)
    assert square is not None
    assert score == 0.9
    assert square.side / face == pytest.approx(1.9, rel=0.1)
    assert square.left + square.side / 2 == pytest.approx(x, abs=0.1 * face)
    # a little above the middle of the face, for the hair
    assert square.top + square.side * 0.56 == pytest.approx(y, abs=0.1 * face)
    assert square.left >= 0
    assert square.top >= 0
    assert square.left + square.side <= width
    assert square.top + square.side <= height


def test_find_square_half_a_face_in_the_centre_does_not_win_over_a_whole_one_elsewhere() -> None:
    image = scene(1280, 720, 250, 300, 200)

    def credulous(crop: Image) -> Face:
        """Take any bright spot for a face of the usual size, but be less sure of it than of a whole one."""
        face = look(crop)
        return face if face.score > 0.5 else Face(0.8, 0.0, 0.0, 1.0)

    square, score = find_square(image, SIZE, 0.5, credulous)
    assert square is not None
    assert score == 0.9
    assert square.left < 250 < square.left + square.side < 500


def test_find_square_nobody_there() -> None:
    assert find_square(scene(640, 360, 0, 0, 2), SIZE, 0.5, look) == (None, 0.0)


def test_find_square_keeps_the_last_good_one_when_the_face_is_lost_on_the_way() -> None:
    seen = []

    def once(crop: Image) -> Face:
        """See a small face in the very first crop and nothing ever after."""
        seen.append(crop)
        return Face(0.8 if len(seen) == 1 else 0.1, 0.0, 0.0, 0.2)

    assert find_square(scene(300, 200, 1, 1, 2), SIZE, 0.5, once) == (Square(50, 0, 200), 0.8)


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (1280, 720), (256, 256), (100, 101), (3, 5), (1, 1)])
def test_candidate_squares_lie_inside_and_cover_the_picture(height: int, width: int) -> None:
    covered = np.zeros((height, width), bool)
    squares = candidate_squares(height, width)
    for square in squares:
        assert square.left >= 0
        assert square.top >= 0
        assert square.left + square.side <= width
        assert square.top + square.side <= height
        covered[square.top : square.top + square.side, square.left : square.left + square.side] = True
    assert covered.all()
    assert len(squares) <= 60


def test_fit_square_is_pushed_into_the_picture() -> None:
    face = Face(0.9, -0.9, -0.9, 0.8)
    assert fit_square(Square(0, 0, 200), face, 200, 300) == Square(0, 0, 152)


def test_fit_square_never_leaves_a_small_picture() -> None:
    assert fit_square(Square(0, 0, 20), Face(0.9, 0.0, 0.0, 0.01), 20, 30) == Square(0, 0, 20)


def test_cut_does_not_touch_a_crop_of_the_right_size() -> None:
    image = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)
    assert np.array_equal(cut(image, Square(10, 5, SIZE), SIZE), image[5:69, 10:74])


@pytest.mark.parametrize("side", [16, 200])
def test_cropper_resizes(side: int) -> None:
    image = np.full((200, 200, 3), 77, np.uint8)
    crop = Cropper(Square(0, 0, side), SIZE).crop(image)
    assert crop.shape == (SIZE, SIZE, 3)
    assert (crop == 77).all()


def test_centre_square() -> None:
    assert centre_square(360, 640) == Square(140, 0, 360)
    assert centre_square(640, 361) == Square(0, 139, 361)
