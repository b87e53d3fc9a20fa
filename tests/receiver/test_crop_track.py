"""crop_track.py: where the sender's crop was."""

import pytest

from receiver.crop_track import MOST_REMEMBERED, CropAt, CropTrack
from signaling.control_messages import CropMoved


def moved(time_s: float, left: float, top: float = 0.0, side: float = 1.0) -> CropMoved:
    return CropMoved(capture_time_s=time_s, left=left, top=top, side=side)


def test_nothing_said_is_the_first_crop() -> None:
    assert CropTrack().at(12.5) == CropAt(12.5, 0.0, 0.0, 1.0)


def test_straight_lines_between_messages_and_the_last_one_after_them() -> None:
    track = CropTrack()
    track.add(moved(2.0, 0.0))
    track.add(moved(3.0, 0.5, -0.2, 1.4))
    assert track.at(1.0) == CropAt(1.0, 0.0, 0.0, 1.0)
    assert track.at(2.5) == pytest.approx((2.5, 0.25, -0.1, 1.2))
    assert track.at(3.0) == pytest.approx((3.0, 0.5, -0.2, 1.4))
    assert track.at(9.0) == pytest.approx((9.0, 0.5, -0.2, 1.4))


def test_order_of_arrival_does_not_matter() -> None:
    one, other = CropTrack(), CropTrack()
    for track, order in ((one, (1, 2, 3)), (other, (3, 1, 2))):
        for time_s in order:
            track.add(moved(time_s, time_s / 10))
    assert [one.at(time_s / 4) for time_s in range(16)] == [other.at(time_s / 4) for time_s in range(16)]


def test_two_places_at_one_time_are_a_jump() -> None:
    track = CropTrack()
    track.add(moved(1.0, 0.0))
    track.add(moved(1.0, 0.7))
    assert track.at(0.99).left == 0.0
    assert track.at(1.0).left == 0.7


def test_memory_is_bounded_and_the_latest_stay() -> None:
    track = CropTrack()
    for index in range(MOST_REMEMBERED + 50):
        track.add(moved(index, 0.001 * index))
    assert len(track.moves) == MOST_REMEMBERED
    assert track.told == MOST_REMEMBERED + 50
    assert track.at(1e9).left == pytest.approx(0.001 * (MOST_REMEMBERED + 49))
    assert track.at(0).time_s == 0
