"""rate_ladder.py: what is given up, in which order, and what it saves."""

import pytest

from codec.wire import Level
from sender.rate_ladder import Rung, build_ladder


def test_ladder_gives_up_interval_repeats_voice_frames_level_keypoints_and_the_voice_again() -> None:
    told = [
        (round(1000 * rung.interval_s), rung.most_repeats, rung.frame_rate, rung.level, rung.keypoints, rung.voice_bps)
        for rung in build_ladder(30.0, 20, fewer_keypoints=True)
    ]
    assert told == [
        (20, 8, 30.0, Level.HIGH, None, 12000),
        (40, 8, 30.0, Level.HIGH, None, 12000),
        (80, 8, 30.0, Level.HIGH, None, 12000),
        (120, 8, 30.0, Level.HIGH, None, 12000),
        (120, 1, 30.0, Level.HIGH, None, 12000),
        (120, 1, 30.0, Level.HIGH, None, 9000),
        (120, 1, 15.0, Level.HIGH, None, 9000),
        (120, 1, 15.0, Level.MEDIUM, None, 9000),
        (120, 1, 15.0, Level.LOW, None, 9000),
        (120, 1, 15.0, Level.LOW, 15, 9000),
        (120, 1, 15.0, Level.LOW, 10, 9000),
        (120, 1, 15.0, Level.LOW, 5, 9000),
        (120, 1, 15.0, Level.LOW, 5, 6000),
        (240, 1, 15.0, Level.LOW, 5, 6000),
    ]


@pytest.mark.parametrize("frame_rate", [12.0, 15.0, 24.0, 25.0, 30.0, 50.0, 60.0])
@pytest.mark.parametrize("repeat", [0, 3])
@pytest.mark.parametrize("sound_bytes", [None, 1500.0])
def test_ladder_each_rung_is_cheaper_or_as_cheap(frame_rate: float, repeat: int, sound_bytes: float | None) -> None:
    costs = [rung.kbps(repeat, 7.0, 20, sound_bytes) for rung in build_ladder(frame_rate, 20, fewer_keypoints=True)]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize(
    ("frame_rate", "few"), [(12.0, 12.0), (25.0, 12.5), (30.0, 15.0), (50.0, 50 / 3), (60.0, 15.0)]
)
def test_ladder_few_frames_are_every_second_or_third(frame_rate: float, few: float) -> None:
    assert build_ladder(frame_rate, 20)[-1].frame_rate == pytest.approx(few)


def test_ladder_of_a_given_interval_gives_nothing_up() -> None:
    assert build_ladder(25.0, 20, Level.MEDIUM, interval_s=0.0) == (Rung(0.0, 8, 25.0, Level.MEDIUM, None),)


def test_kbps_is_headers_frames_and_sound() -> None:
    rung = Rung(0.06, 3, 25.0, Level.MEDIUM, None)
    assert rung.spacing_s == pytest.approx(0.08)
    headers = 12.5 * (93 + 7 + 1.5)
    assert rung.kbps(1, 10.0, 20) == pytest.approx((headers + (25 + 12.5) * 10 * 0.7) * 8 / 1000)
    headers = (93 + 7 + 1.5) / 0.06
    assert rung.kbps(0, 10.0, 20, 1500.0) == pytest.approx((headers + 25 * 10 * 0.7 + 1500) * 8 / 1000)
    low = Rung(0.06, 3, 25.0, Level.MEDIUM, None, 6000)
    assert low.kbps(0, 10.0, 20, 1500.0) == pytest.approx((headers + 25 * 10 * 0.7 + 750) * 8 / 1000)
