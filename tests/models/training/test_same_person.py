import pytest
import torch
from torch import Tensor

from models.training.same_person import SamePerson, nearest_sources


def clip(*places: float) -> Tensor:
    """One keypoint in one clip: at a place in the source, and in each frame."""
    return torch.tensor(places)[:, None, None] * torch.ones(1, 2, 3)


def test_nearest_source_by_hand() -> None:
    # ann at 0 (two clips), bob at 10: ann's frame at 7 is nearer to bob, all others are nearest to their own person
    shapes = [clip(0.0, 1.0, 7.0), clip(2.0, 0.0), clip(10.0, 9.0)]
    found = nearest_sources(shapes, ["ann", "ann", "bob"])
    assert found.frames == 4
    assert found.right == pytest.approx(3 / 4)
    assert found.chance == pytest.approx((3 * 2 / 3 + 1 / 3) / 4)
    assert found.times_chance == pytest.approx(0.75 / (7 / 12))


def test_without_the_own_clip_only_people_with_two_clips_count() -> None:
    shapes = [clip(0.0, 1.0, 7.0), clip(2.0, 0.0), clip(10.0, 9.0)]
    found = nearest_sources(shapes, ["ann", "ann", "bob"], own_clip=False)
    # frames 1 and 7 of ann look at 2 (ann) and 10 (bob), frame 0 at 0 (ann) and 10: only 7 goes wrong
    assert found.frames == 3
    assert found.right == pytest.approx(2 / 3)
    assert found.chance == pytest.approx(1 / 2)


def test_nobody_to_find() -> None:
    found = nearest_sources([clip(0.0, 1.0)], ["ann"], own_clip=False)
    assert found == SamePerson(0, None, None)
    assert found.times_chance is None
