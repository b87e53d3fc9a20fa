"""crop_report.py: what the receiver hears of a move, and that it can draw the move from it."""

import pytest

from receiver.crop_track import CropTrack
from sender.crop_report import TELL_EACH_S, CropReporter
from sender.crop_square import Square
from signaling.control_messages import CropMoved

FIRST = Square(400, 100, 200)


def moved(time_s: float, left: float, top: float, side: float) -> CropMoved:
    return CropMoved(capture_time_s=time_s, left=left, top=top, side=side)


def test_a_crop_that_stays_is_not_spoken_of() -> None:
    reporter = CropReporter(FIRST)
    assert [reporter.add(FIRST, index / 25) for index in range(100)] == [[]] * 100


def test_a_move_case_by_hand() -> None:
    """It stands until 1.0 s, is moving at 1.1 and 1.2 s and has arrived at 1.3 s; all in sides of the first square."""
    reporter = CropReporter(FIRST)
    assert reporter.add(FIRST, 0.9) == []
    assert reporter.add(FIRST, 1.0) == []
    assert reporter.add(Square(420, 100, 200), 1.1) == [moved(1.0, 0, 0, 1), moved(1.1, 0.1, 0, 1)]
    assert reporter.add(Square(480, 110, 220), 1.2) == []
    assert reporter.add(Square(500, 120, 240), 1.3) == []
    assert reporter.add(Square(500, 120, 240), 1.4) == [moved(1.3, 0.5, 0.1, 1.2)]
    assert reporter.add(Square(500, 120, 240), 1.5) == []


def test_a_long_move_is_told_each_quarter_of_a_second() -> None:
    reporter = CropReporter(FIRST)
    reporter.add(FIRST, 0.96)
    said = [message for index in range(50) for message in reporter.add(Square(401 + index, 100, 200), 1 + index / 25)]
    times = [message.capture_time_s for message in said]
    assert times[0] == 0.96
    assert len(times) <= 2 + 2 / TELL_EACH_S
    assert all(later - earlier <= TELL_EACH_S + 0.04 for earlier, later in zip(times, times[1:], strict=False))


def test_a_jump_at_the_first_frame_is_told() -> None:
    reporter = CropReporter(FIRST)
    said = [message for index in range(3) for message in reporter.add(Square(500, 100, 200), index / 25)]
    assert said == [moved(0, 0.5, 0, 1)]


def test_the_receiver_draws_the_path_from_it() -> None:
    reporter, track = CropReporter(FIRST), CropTrack()
    path = [(index / 30, 400 + 60 * max(0.0, min(1.5, index / 30 - 1))) for index in range(120)]
    for time_s, left in path:
        for message in reporter.add(Square(left, 100, 200), time_s):
            track.add(message)
    for time_s, left in path:
        assert track.at(time_s).left == pytest.approx((left - 400) / 200, abs=0.012)
    assert track.told < 12
