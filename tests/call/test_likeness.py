"""likeness.py: talking changes nothing of note; light, place and what covers a face do."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.fitness import Look, Looker, Looks, alarms, crops
from benchmarks.misfits import MISFITS
from call.fitness import LEAST_COVER, RULES, Reason
from call.likeness import Unlikeness, compare
from models.rotations import Array
from models.weights import load_model
from sender.camera import Image

CLIP = Path(__file__).parents[2] / "replay/assets/demo.mp4"
OTHER = Path(__file__).parents[2] / "replay/assets/portrait.jpg"

pytestmark = pytest.mark.weights


class Talk(NamedTuple):
    """A real clip, a look a second: crops, where the keypoints are, how unlike the rendering is, and who looks."""

    crops: list[Image]
    points: list[Array]
    unlike: list[Unlikeness]
    looker: Looker


@pytest.fixture(scope="module")
def talk() -> Talk:
    images = list(crops(CLIP, 256, 1.0))
    looker = Looker(load_model(), images[0])
    looks = [looker.look(image) for image in images]
    unlike = [look.unlike for look, _ in looks]
    assert None not in unlike
    return Talk(images, [points for _, points in looks], [one for one in unlike if one is not None], looker)


def over(unlike: Unlikeness, usual: float) -> dict[Reason, bool]:
    """Which limits are exceeded."""
    return {
        Reason.LIGHT: unlike.light > RULES[Reason.LIGHT].limit,
        Reason.BACKGROUND: unlike.back > RULES[Reason.BACKGROUND].limit,
        Reason.COVERED: unlike.cover > max(usual + RULES[Reason.COVERED].limit, LEAST_COVER),
    }


def test_person_who_talks_stays_alike(talk: Talk) -> None:
    assert len(talk.unlike) >= 8
    usual = float(np.median([one.cover for one in talk.unlike]))
    assert sum(any(over(one, usual).values()) for one in talk.unlike) <= 1  # a laugh
    clip = Looks("demo", True, 8.0, [Look(one, 0.0) for one in talk.unlike], {})
    assert alarms(clip, 1.0, 120.0) == []


@pytest.mark.parametrize("kind", MISFITS)
def test_misfits_are_seen(talk: Talk, kind: str) -> None:
    paint, reason = MISFITS[kind]
    chance = np.random.default_rng(5)
    other = next(crops(OTHER, 256, 1.0))
    usual = float(np.median([one.cover for one in talk.unlike]))
    found = []
    for image, points in list(zip(talk.crops, talk.points, strict=True))[1::2]:
        unlike = talk.looker.look(paint(image, other, points, chance))[0].unlike
        assert unlike is not None
        found.append(over(unlike, usual)[reason])
    assert sum(found) >= 0.75 * len(found)


def test_same_picture_is_alike(talk: Talk) -> None:
    same = compare(talk.crops[0], talk.crops[0], talk.points[0])
    assert same is not None
    assert max(same) < 1e-3


def test_what_is_a_little_aside_is_alike(talk: Talk) -> None:
    crop = talk.crops[0]
    aside = compare(crop, np.roll(crop, 6, 1), talk.points[0])
    assert aside is not None
    assert not any(over(aside, 0.1).values())


def test_face_out_of_the_crop_says_nothing(talk: Talk) -> None:
    assert compare(talk.crops[0], talk.crops[0], talk.points[0] + np.array([2.5, 0, 0])) is None
    assert compare(talk.crops[0], talk.crops[0], 0.05 * talk.points[0]) is None


def test_background_is_compared_where_the_source_picture_was_taken(talk: Talk) -> None:
    """The camera's picture has moved in the crop, for that followed the head; the place is the same, or is not."""
    crop, points = talk.crops[0], talk.points[0]
    followed = np.roll(crop, 40, 1)
    aside = compare(followed, followed, points + np.array([80 / 256, 0, 0]), (crop, points))
    other = compare(followed, followed, points + np.array([80 / 256, 0, 0]), (255 - crop, points))
    assert aside is not None
    assert other is not None
    assert other.back > RULES[Reason.BACKGROUND].limit
    assert (other.light, other.cover) == (aside.light, aside.cover)
