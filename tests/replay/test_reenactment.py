from collections.abc import Sequence

import numpy as np
import pytest

from models.training.mean_face import mean_face
from models.weights import Model
from replay.people import Image, Person, Seen
from replay.reenactment import (
    MODES,
    Drawn,
    choose_pairs,
    expression_errors,
    mean_of,
    measure,
    pose_errors_deg,
    reenact,
)
from tests.replay.faces import landmarks, rotation, seen, with_mouth
from tests.replay.tiny import save_tiny

NONE = np.full((478, 3), np.nan)


class FixedLooker:
    """Says what it was told to."""

    def __init__(self, answer: Seen) -> None:
        self.answer = answer

    def look(self, pictures: Sequence[Image]) -> Seen:
        assert len(pictures) == len(self.answer.points)
        return self.answer


def person(name: str, found: Seen, size: int = 64) -> Person:
    rng = np.random.default_rng(len(name))
    count = len(found.points)
    pictures = tuple(rng.integers(0, 255, (size, size, 3)).astype(np.uint8) for _ in range(count))
    return Person(name, name.split("_")[0], pictures, tuple(0.04 * n for n in range(count)), found)


def test_pairs_join_each_person_with_others() -> None:
    people = [person(f"{identity}_{clip}", seen([landmarks(np.eye(3))])) for identity in "abcd" for clip in (0, 1)]
    pairs = choose_pairs(people, drivers_each=2)
    assert len(pairs) == 8
    assert {source.name for source, _ in pairs} == {"a_0", "b_0", "c_0", "d_0"}
    assert all(source.identity != driver.identity for source, driver in pairs)
    assert len({(source.name, driver.name) for source, driver in pairs}) == 8
    assert choose_pairs(people[:1]) == []


def test_pose_errors_of_turns_known() -> None:
    driver = seen([landmarks(rotation(yaw)) for yaw in (5.0, 15.0)])
    shown = seen([landmarks(rotation(yaw)) for yaw in (5.0, 12.0)])
    assert pose_errors_deg(shown, driver, relative=False) == pytest.approx([0.0, 3.0], abs=1e-3)
    ahead = seen([landmarks(rotation(yaw)) for yaw in (0.0, 8.0)])
    assert pose_errors_deg(ahead, driver, relative=True) == pytest.approx([0.0, 2.0], abs=1e-3)


def test_expressions_are_told_from_faces_and_poses() -> None:
    """Two people of other shapes, in other poses, with the same mouth: no error. A mouth that stays shut: one."""
    rng = np.random.default_rng(0)
    other = mean_face() + rng.normal(0, 0.01, (478, 3))
    mouths = (0.0, 0.2, 0.0)
    driver = seen([landmarks(rotation(10.0 * n), with_mouth(by)) for n, by in enumerate(mouths)])
    source = seen([landmarks(np.eye(3), other)])
    follows = seen([landmarks(rotation(-5.0), with_mouth(by, other)) for by in mouths])
    shut = seen([landmarks(rotation(-5.0), other) for _ in mouths])
    for relative in (False, True):
        assert expression_errors(follows, driver, source, relative).max() < 0.02
        errors = expression_errors(shut, driver, source, relative)
        assert errors[1] == pytest.approx(16 / 468 * 0.2 / 1.5 * 100, rel=0.05)
        assert errors[0] < 0.02


def test_measured_frames_are_those_in_which_both_have_a_face() -> None:
    mouths = (0.0, 0.2, 0.1, 0.05)
    driver = seen([landmarks(rotation(3.0), with_mouth(by)) for by in mouths[:3]] + [NONE], [5.0, 5.0, 5.0, np.nan])
    source = seen([landmarks(np.eye(3))], [0.0])
    shown = seen([NONE] + [landmarks(rotation(3.0), with_mouth(by)) for by in mouths[1:]], [np.nan, 0.5, 0.7, 0.7])
    a, b = person("a", source), person("b", driver)
    drawn = Drawn(a, b, "absolute", b.pictures)
    row = measure(drawn, FixedLooker(shown))  # type: ignore[arg-type]
    assert row.faces_found == pytest.approx(2 / 3)
    assert row.pose_deg == pytest.approx(0.0, abs=1e-3)
    assert row.identity_source == pytest.approx(0.6)
    assert row.identity_driver == pytest.approx(4.4)
    assert row.same_person == pytest.approx(0.5)  # 0.5 of 0.5 and 0.7


def test_a_repeated_source_follows_nothing_and_stays_itself() -> None:
    driver = seen([landmarks(rotation(0.0), with_mouth(by)) for by in (0.0, 0.1, 0.2)], [1.0, 1.0, 1.0])
    a, b = person("a", seen([landmarks(np.eye(3))], [0.0])), person("b", driver)
    row = measure(Drawn(a, b, "repeat the source", (a.pictures[0],) * 3), FixedLooker(driver))  # type: ignore[arg-type]
    assert row.mouth_correlation == 0.0
    assert row.identity_source == 0.0
    assert row.identity_driver == pytest.approx(1.0)
    assert mean_of([row, row])["same_person"] == 1.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return save_tiny(tmp_path_factory.mktemp("weights"))


def test_every_mode_is_drawn_for_every_pair(model: Model) -> None:
    faces = seen([landmarks(np.eye(3))] * 3)
    a, b = person("a", faces), person("bb", faces)
    drawn = list(reenact(model, [(a, b), (b, a)]))
    assert [(one.source.name, one.mode) for one in drawn] == [(name, mode) for name in ("a", "bb") for mode in MODES]
    assert all(len(one.pictures) == 3 and one.pictures[0].shape == (64, 64, 3) for one in drawn)
    absolute, relative = drawn[0].pictures, drawn[1].pictures
    assert not np.array_equal(absolute[1], relative[1])
    assert np.array_equal(drawn[3].pictures[2], a.pictures[0])
