from collections.abc import Sequence

import numpy as np
import pytest

from models.weights import Model
from replay.people import Image, Person, Seen
from replay.redirection import TURNS, Turned, redirect, summarise, turned_pictures
from tests.replay.faces import landmarks, rotation, seen
from tests.replay.test_reenactment import person
from tests.replay.tiny import save_tiny

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Frontal:
    """Sees a frontal face of the same person in every picture."""

    def look(self, pictures: Sequence[Image]) -> Seen:
        return seen([landmarks(np.eye(3))] * len(pictures), [0.3] * len(pictures))


def _person(yaws: Sequence[float | None]) -> Person:
    points = [np.full((478, 3), np.nan) if yaw is None else landmarks(rotation(yaw)) for yaw in yaws]
    return person("a", seen(points, [0.0] * len(points)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def test_the_most_turned_pictures_are_faced() -> None:
    assert turned_pictures(_person([0.0, 20.0, None, -30.0, 9.0, 7.0, 10.0, 12.0])) == [1, 3, 6, 7]
    assert turned_pictures(_person([0.0, 7.0])) == []


def test_angles_are_counted_from_what_was_asked(model: Model) -> None:
    turned = list(redirect(model, [_person([5.0, 25.0])], Frontal()))  # type: ignore[arg-type]
    assert [one.turn for one in turned] == [*TURNS, None]
    by_turn = {one.turn: one for one in turned}
    faced = by_turn[None]
    assert faced.start_deg == pytest.approx(25.0, abs=1e-3)
    assert faced.angle_deg == pytest.approx(0.0, abs=1e-3)
    asked = by_turn[(10.0, 0.0, 0.0)]  # from 5 degrees: 15 are wanted, 0 are seen
    assert asked.start_deg == pytest.approx(10.0)
    assert asked.angle_deg == pytest.approx(15.0, abs=1e-3)
    assert asked.identity == pytest.approx(0.3)


def test_shares_count_a_lost_face_as_bad() -> None:
    def one(angle: float | None, identity: float | None) -> Turned:
        return Turned("a", None, 20.0, angle, identity, PICTURE, PICTURE)

    figures = summarise([one(3.0, 0.3), one(16.0, 0.3), one(3.0, 0.7), one(None, None)], recognised=True)
    assert figures.faces_found == 0.75
    assert (figures.good_angle, figures.good_identity, figures.both) == (0.5, 0.5, 0.25)
    assert figures.angle_deg == pytest.approx(22 / 3)
    assert figures.start_deg == 20.0
    without = summarise([one(3.0, None)], recognised=False)
    assert (without.good_angle, without.good_identity, without.both, without.identity) == (1.0, None, None, None)
