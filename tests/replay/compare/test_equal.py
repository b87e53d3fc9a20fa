"""Bits at equal picture, on curves whose answer is known."""

import math

import pytest

from replay.compare.equal import Point, curves_against, equal, figure_at, rate_at, ratios_by_clip
from tests.replay.compare.moving import results, row

CURVE = [
    Point({"steady_kbps": kbps}, {"lpips": lpips, "akd_px": 10 * lpips}) for kbps, lpips in ((40.0, 0.1), (10.0, 0.3))
]


def test_between_two_steps_the_logarithm_counts() -> None:
    assert rate_at(CURVE, "lpips", 0.2, "steady_kbps").kbps == pytest.approx(20.0)
    assert rate_at(CURVE, "lpips", 0.1, "steady_kbps").kbps == pytest.approx(40.0)
    assert rate_at(CURVE, "lpips", 0.2, "steady_kbps").bound is None


def test_beyond_the_curve_its_ends_are_bounds() -> None:
    better, worse = (rate_at(CURVE, "lpips", value, "steady_kbps") for value in (0.05, 0.4))
    assert (better.kbps, better.bound) == (40.0, "at least")
    assert (worse.kbps, worse.bound) == (10.0, "at most")


def test_curve_that_turns_back_is_followed_from_its_cheap_end() -> None:
    turning = [Point({"steady_kbps": kbps}, {"lpips": lpips}) for kbps, lpips in ((10, 0.3), (20, 0.35), (40, 0.1))]
    assert rate_at(turning, "lpips", 0.2, "steady_kbps").kbps == pytest.approx(20 * 2 ** (0.15 / 0.25))


def test_other_figures_at_that_rate() -> None:
    assert figure_at(CURVE, "akd_px", 20.0, "steady_kbps") == pytest.approx(2.0)
    assert figure_at(CURVE, "akd_px", 1000.0, "steady_kbps") == pytest.approx(1.0)


def test_smaller_of_the_two_rates_counts() -> None:
    ours = Point({"steady_kbps": 2.0}, {"lpips": 0.2, "akd_px": 1.0})
    found = equal(CURVE, ours, "steady_kbps")
    assert found is not None
    assert found.by == "lpips"
    assert found.ratio == pytest.approx(10.0)
    assert found.by_figure["akd_px"].kbps == pytest.approx(40.0)


def test_repeating_the_source_has_no_ratio() -> None:
    assert equal(CURVE, Point({"steady_kbps": 0.0}, {"lpips": 0.2, "akd_px": 12.0}), "steady_kbps") is None


def test_without_landmarks_there_is_no_ratio() -> None:
    assert equal(CURVE, Point({"steady_kbps": 2.0}, {"lpips": 0.2}), "steady_kbps") is None


def test_means_are_over_clips_that_both_have() -> None:
    ours = [row("facewire 256 predictive high", kbps, 0.1, 1.0, clip) for clip, kbps in (("a", 2.0), ("b", 100.0))]
    codec = [one for one in results() if one.family == "x264 medium" and one.clip == "a"]
    both = curves_against(ours, codec)
    assert both is not None
    assert both[1].rates["steady_kbps"] == 2.0
    assert curves_against(ours[1:], codec) is None


def test_clips_by_themselves() -> None:
    ours = [one for one in results() if one.way == "facewire 256 predictive high"]
    codec = [one for one in results() if one.family == "x264 medium"]
    by_clip = ratios_by_clip(ours, codec, "steady_kbps")
    assert by_clip == pytest.approx(dict.fromkeys("ab", 20 / 2 * math.sqrt(1.0)))
