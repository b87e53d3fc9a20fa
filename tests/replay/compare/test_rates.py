"""Rates worked out by hand."""

import pytest

from replay.compare.rates import codec_rates, motion_rates, on_rtp


def test_codec_with_a_large_first_picture() -> None:
    """An I frame of 3000 B (three packets), four P frames of 100 B, one second."""
    rates = codec_rates([3000, 100, 100, 100, 100], 1.0, 100)
    assert rates.payload_kbps == pytest.approx(27.2)
    assert rates.wire_kbps == pytest.approx((3400 + 7 * 50) * 8 / 1000)
    assert rates.steady_kbps == pytest.approx(400 * 8 / 1000 / 0.8)
    assert rates.steady_wire_kbps == pytest.approx(600 * 8 / 1000 / 0.8)
    assert rates.minute_kbps == pytest.approx(4.0 + 0.4)
    assert rates.minute_wire_kbps == pytest.approx(6.0 + 3150 * 8 / 60000)
    assert rates.bpp == pytest.approx(3400 * 8 / 5 / 100**2)
    assert rates.channel_kbps is None


def test_motion_and_its_source_picture() -> None:
    """Ten messages of 30 B in a second, a picture of 6000 B."""
    rates = motion_rates([bytes(30)] * 10, 6000, 25, 1.0, 256)
    assert rates.steady_kbps == pytest.approx(2.4)
    assert rates.steady_wire_kbps == pytest.approx(6.4)
    assert rates.channel_kbps == pytest.approx(10 * (93 + 32) * 8 / 1000)
    assert rates.minute_kbps == pytest.approx(2.4 + 0.8)
    assert rates.minute_wire_kbps == pytest.approx(6.4 + (6000 + 6 * 50) * 8 / 60000)
    assert rates.payload_kbps == pytest.approx(2.4 + 48)


def test_packets() -> None:
    assert [on_rtp(size) for size in (0, 1, 1150, 1151)] == [50, 51, 1200, 1251]
