"""finder_pictures.py, finder_backgrounds.py, finder_faces.py: the box is where the face is, and nowhere else is one.

The faces of these tests have a magenta oval where their landmarks are, and there is no magenta elsewhere.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.errors import DataError
from models.training.finder import mirror
from models.training.finder_backgrounds import draw_background, faceless_part, headless
from models.training.finder_faces import SIZE, Face, People, load_people
from models.training.finder_pictures import LARGEST, SMALLEST, VISIBLE, Composer, Paste, cover, paste
from models.training.landmarker import Picture
from tests.models.training.prepared import write_prepared


def magenta_face(x: int = 100, y: int = 90, across: int = 40, down: int = 50) -> Face:
    picture = np.full((SIZE, SIZE, 3), (60, 90, 60), np.uint8)
    picture[::16] = (30, 120, 60)
    cv2.ellipse(picture, (x, y), (across, down), 0, 0, 360, (255, 0, 255), -1)
    turns = np.linspace(0, 2 * np.pi, 478)
    return Face(picture, np.stack((x + across * np.cos(turns), y + down * np.sin(turns)), -1).astype(np.float32))


def magenta(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return np.asarray((np.minimum(red, blue) - green) > 100)


PEOPLE = People(((magenta_face(),), (magenta_face(90, 100, 50, 60), magenta_face(110, 80, 30, 45))))


@pytest.mark.parametrize("seed", range(12))
def test_paste_box_is_where_the_face_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    picture = np.full((96, 128, 3), 128, np.uint8)
    box = paste(picture, PEOPLE.draw(random), random, replace(Paste.draw(128, 96, random), covered=False))
    assert box is not None
    ys, xs = np.nonzero(magenta(picture))
    if len(xs) < 30:  # hidden under a soft border
        return
    shown = np.clip(box, 0, (128, 96, 128, 96))
    assert xs.min() == pytest.approx(shown[0], abs=3)
    assert ys.min() == pytest.approx(shown[1], abs=3)
    assert xs.max() + 1 == pytest.approx(shown[2], abs=3)
    assert ys.max() + 1 == pytest.approx(shown[3], abs=3)


def test_paste_case_by_hand() -> None:
    """A face of 80x100 px becomes 50 px high, upright; its box is 40x50."""
    random = np.random.default_rng(0)
    picture = np.full((200, 200, 3), 128, np.uint8)
    box = paste(picture, magenta_face(), random, Paste(50.0, 0.0, 1.0, False))
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((40, 50), abs=0.1)
    turned = paste(picture, magenta_face(), random, Paste(50.0, 90.0, 1.0, True))
    assert turned is not None
    assert (turned[2] - turned[0], turned[3] - turned[1]) == pytest.approx((50, 40), abs=0.1)


@pytest.mark.parametrize("seed", range(10))
def test_cover_hides_a_part_of_the_face_and_leaves_most_of_it(seed: int) -> None:
    face = magenta_face()
    before = magenta(face.picture).sum()
    after = magenta(cover(face, np.random.default_rng(seed))).sum()
    assert 0.5 * before < after <= before
    assert magenta(face.picture).sum() == before  # the picture itself is another one's


def test_paste_does_not_cover_another_face() -> None:
    picture = np.full((128, 128, 3), 128, np.uint8)
    whole = np.array([0, 0, 128, 128], np.float32)
    assert paste(picture, magenta_face(), np.random.default_rng(0), Paste(40.0, 0.0, 1.0, False), [whole]) is None
    assert (picture == 128).all()


def test_draw_sizes_places_and_shares() -> None:
    composer = Composer(PEOPLE, 128, 0)
    drawn = [composer.draw() for _ in range(150)]
    counts = np.array([len(one.boxes) for one in drawn])
    assert 0.1 < np.mean(counts == 0) < 0.35
    assert 0.02 < np.mean(counts == 2) < 0.25
    boxes = np.concatenate([one.boxes for one in drawn])
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1) / 128
    assert sides.min() < SMALLEST * 1.5
    assert sides.max() > 0.6 * LARGEST
    assert (sides >= SMALLEST * 0.9).all()
    inside = np.clip(boxes, 0, 128)
    seen = np.prod(inside[:, 2:] - inside[:, :2], 1) / np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    assert (seen >= VISIBLE - 1e-3).all()
    assert all(one.picture.shape == (128, 128, 3) and one.picture.dtype == np.uint8 for one in drawn)


def test_draw_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    one, same, other = (Composer(PEOPLE, 64, seed).draw() for seed in (1, 1, 2))
    assert np.array_equal(one.picture, same.picture)
    assert np.array_equal(one.boxes, same.boxes)
    assert not np.array_equal(one.picture, other.picture)


@pytest.mark.parametrize("seed", range(20))
def test_backgrounds_hold_no_face(seed: int) -> None:
    picture = draw_background(PEOPLE, 128, 72, np.random.default_rng(seed))
    assert picture.shape == (72, 128, 3)
    reds = magenta(picture).mean()
    assert reds < 0.03 or seed in PATTERNS_WITH_MAGENTA, reds


PATTERNS_WITH_MAGENTA = {seed for seed in range(20) if np.random.default_rng(seed).random() >= 0.65}
"""Patterns take any colour at all."""


@pytest.mark.parametrize("seed", range(6))
def test_headless_and_parts_hold_no_face(seed: int) -> None:
    random = np.random.default_rng(seed)
    assert magenta(headless(magenta_face(), random)).mean() < 0.05 * magenta(magenta_face().picture).mean()
    assert magenta(faceless_part(magenta_face(), 64, 64, random)).mean() < 0.03


def test_mirror() -> None:
    boxes = np.array([[10, 20, 30, 50]], np.float32)
    assert mirror(boxes, 128).tolist() == [[98, 20, 118, 50]]


def test_load_people_reads_faces_with_their_landmarks(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path, clips=2, frames=5, stills=1)
    people = load_people(folder, ["train", "stills"], frames=3)
    assert sorted(len(group) for group in people.groups) == [1, 3, 3]
    face = people.groups[0][0]
    assert face.picture.shape == (SIZE, SIZE, 3)
    assert 0 < face.box[0] < face.box[2] < SIZE
    with pytest.raises(DataError, match="expected clips with faces of nobody, found none"):
        load_people(folder, ["nobody"])
