"""Motion carried from one head to another: identities that hold for any numbers, and one case worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from codec.motion import Motion
from replay.retarget import Retarget, nearest_start

K = 5


def motion(yaw: float, t: ArrayLike, delta: ArrayLike, time_s: float = 0.0) -> Motion:
    return Motion(yaw, 0, 0, np.asarray(t, np.float32), np.asarray(delta, np.float32), time_s)


def any_motion(seed: int, time_s: float = 0.0) -> Motion:
    random = np.random.default_rng(seed)
    numbers = np.concatenate((random.uniform(-35, 35, 3), random.uniform(-0.3, 0.3, 3), random.normal(0, 0.05, 3 * K)))
    return Motion.from_vector(numbers, time_s)


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=30, deadline=None)
@given(portrait=seeds, first=seeds)
def test_driver_at_its_start_gives_the_portrait_itself(portrait: int, first: int) -> None:
    own, start = any_motion(portrait), any_motion(first)
    result = Retarget(own, start)(start)
    np.testing.assert_allclose(result.as_vector()[3:], own.as_vector()[3:], atol=1e-5)
    np.testing.assert_allclose(result.as_vector()[:3], own.as_vector()[:3], atol=1e-3)  # degrees


@settings(max_examples=30, deadline=None)
@given(portrait=seeds, driver=seeds)
def test_portrait_that_starts_as_the_driver_does_follows_it_exactly(portrait: int, driver: int) -> None:
    own, now = any_motion(portrait), any_motion(driver)
    result = Retarget(own, own)(now)
    np.testing.assert_allclose(result.as_vector()[3:], now.as_vector()[3:], atol=1e-5)
    np.testing.assert_allclose(result.as_vector()[:3], now.as_vector()[:3], atol=1e-3)


def test_turn_shift_and_expression_by_hand() -> None:
    """The driver starts at yaw 10 and goes to 30; the portrait looks straight and its head is twice as large."""
    portrait = motion(0, (0.1, 0, np.log(2)), np.zeros((K, 3)))
    first = motion(10, (0, 0, 0), np.zeros((K, 3)))
    opens = np.zeros((K, 3))
    opens[:, 1] = 0.2  # down: the axis that yaw leaves alone
    result = Retarget(portrait, first)(motion(30, (0.05, -0.1, 0.3), opens, 1.5))
    assert result.yaw_deg == pytest.approx(20, abs=1e-3)
    assert (result.pitch_deg, result.roll_deg) == pytest.approx((0, 0), abs=1e-3)
    np.testing.assert_allclose(result.t, [0.1 + 2 * 0.05, 2 * -0.1, np.log(2.0) + 0.3], atol=1e-6)
    np.testing.assert_allclose(result.delta, opens, atol=1e-6)
    assert result.capture_time_s == 1.5


def test_expression_turns_with_the_head() -> None:
    """Lips pushed forward by a driver in profile point sideways in the picture, and forward again on a frontal face."""
    frontal = motion(0, (0, 0, 0), np.zeros((K, 3)))
    profile = motion(90, (0, 0, 0), np.zeros((K, 3)))
    pushed = np.tile([0.1, 0.0, 0.0], (K, 1))  # +x, where the nose of yaw +90 points
    result = Retarget(frontal, profile)(motion(90, (0, 0, 0), pushed))
    np.testing.assert_allclose(result.delta, np.tile([0, 0, -0.1], (K, 1)), atol=1e-6)  # -z is towards the camera


def test_nearest_start_is_the_frame_most_like_the_portrait() -> None:
    own, *far = (any_motion(seed) for seed in range(6))
    like = replace(own, yaw_deg=own.yaw_deg + 1.0, capture_time_s=9.0)
    assert nearest_start(own, [*far[:3], like, *far[3:]]) is like


def test_nearest_start_weighs_a_turn_as_what_it_moves() -> None:
    """A turn of 6 degrees moves keypoints at 0.5 by 0.5 * 0.105 * sqrt(2/3) = 0.043: less than 0.05 of expression, more
    than 0.03.
    """
    still = np.zeros((K, 3))
    own, turned = motion(0, (0, 0, 0), still), motion(6, (0, 0, 0), still)

    def moved(by: float) -> Motion:
        return motion(0, (0, 0, 0), still + (0, by, 0))

    assert nearest_start(own, [moved(0.05), turned]) is turned
    small = moved(0.03)
    assert nearest_start(own, [small, turned]) is small
