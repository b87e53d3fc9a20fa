import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.crop import Crop, choose_crop, landmark_boxes
from models.training.errors import ClipRejected


def points_in(left: float, top: float, right: float, bottom: float, frames: int = 5) -> NDArray[np.float32]:
    """Landmarks [N,478,3] that fill a box exactly, z 10 px."""
    corners = np.linspace((left, top, 10.0), (right, bottom, 10.0), 478)
    return np.broadcast_to(corners, (frames, 478, 3)).astype(np.float32)


def test_square_is_twice_the_box_and_lies_higher() -> None:
    crop = choose_crop(points_in(900, 400, 1000, 600), 1920, 1080)
    assert crop == Crop(left=950 - 200, top=500 - 200 - 24, side=400, whole=False)


def test_median_box_ignores_a_short_excursion_and_missing_frames() -> None:
    points = points_in(900, 400, 1000, 600, frames=9).copy()
    points[0] += 300
    points[1] = np.nan
    assert choose_crop(points, 1920, 1080) == choose_crop(points_in(900, 400, 1000, 600), 1920, 1080)


def test_square_shrinks_and_is_pushed_inside_at_the_border() -> None:
    crop = choose_crop(points_in(300, 60, 400, 260), 640, 480)  # 400 px square would begin 64 px above the picture
    assert crop.top == 0
    assert 280 <= crop.side < 400
    assert crop.left >= 0
    assert crop.left + crop.side <= 640


def test_head_at_the_very_border_is_rejected() -> None:
    with pytest.raises(ClipRejected, match=r"leaves the picture by \d+%"):
        choose_crop(points_in(0, 100, 150, 300), 640, 480)


@pytest.mark.parametrize(("face", "whole"), [(98, False), (99, True), (204, True)])
def test_square_head_crop_is_kept_whole(face: int, whole: bool) -> None:
    middle = 128 + 8
    crop = choose_crop(points_in(128 - face / 2, middle - face / 2, 128 + face / 2, middle + face / 2), 256, 256)
    assert crop.whole is whole
    if whole:
        assert crop == Crop(0, 0, 256, True)


def test_tiny_face_is_rejected() -> None:
    with pytest.raises(ClipRejected, match="30 px large, expected at least 40"):
        choose_crop(points_in(100, 100, 120, 130), 640, 480)


def test_normalise_and_cut_agree() -> None:
    crop = Crop(left=100, top=50, side=64, whole=False)
    points = crop.normalise(np.array([[[100, 50, 0], [164, 114, 32]]], np.float32))
    np.testing.assert_allclose(points, np.array([[[-1.0, -1, 0], [1, 1, 1]]]))
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[50:114, 100:132] = 200  # left half of the square
    cut = crop.cut(picture)
    assert cut.shape == (256, 256, 3)
    assert cut[:, :120].min() > 190
    assert cut[:, 136:].max() < 10


def test_boxes() -> None:
    points = points_in(1, 2, 3, 4, frames=2).copy()
    points[1] = np.nan
    np.testing.assert_allclose(landmark_boxes(points), np.array([[1.0, 2, 3, 4], [np.nan] * 4]))
