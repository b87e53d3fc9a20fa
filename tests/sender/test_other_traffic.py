"""other_traffic.py: what is left of the wire's bytes."""

import pytest

from sender.other_traffic import OtherTraffic


def test_update_measures_over_two_seconds() -> None:
    other = OtherTraffic()
    told = []
    for tick in range(9):  # half seconds
        other.update(tick * 1000, tick * 600, tick * 0.5)
        told.append(other.kbps)
    assert told == [0, 0, 0, 0] + [pytest.approx(6.4)] * 5


def test_update_never_less_than_nothing() -> None:
    other = OtherTraffic()
    other.update(0, 0, 0.0)
    other.update(1000, 1100, 2.0)
    assert other.kbps == 0
