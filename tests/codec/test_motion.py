"""Motion: shapes, order of numbers, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codec import Motion, MotionError

FINITE32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def a_motion(**changes: object) -> Motion:
    """A motion of two keypoints, with some fields exchanged."""
    fields: dict[str, object] = {
        "yaw_deg": 1.0,
        "pitch_deg": 2.0,
        "roll_deg": 3.0,
        "t": [4.0, 5.0, 6.0],
        "delta": [[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]],
        "capture_time_s": 0.5,
    }
    return Motion(**(fields | changes))  # type: ignore[arg-type]


def test_as_vector_order() -> None:
    assert a_motion().as_vector().tolist() == list(range(1, 13))
    assert a_motion().as_vector().dtype == np.float32
    assert a_motion().keypoints == 2


@given(st.integers(1, 30).flatmap(lambda k: arrays(np.float32, 3 * k + 6, elements=FINITE32)))
def test_vector_round_trip(vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    motion = Motion.from_vector(vector, 1.5)
    assert np.array_equal(motion.as_vector(), vector)
    assert motion == Motion.from_vector(motion.as_vector(), 1.5)


def test_equality_sees_every_field() -> None:
    assert a_motion() == a_motion()
    changed = [
        a_motion(yaw_deg=0.0),
        a_motion(pitch_deg=0.0),
        a_motion(roll_deg=0.0),
        a_motion(t=[4.0, 5.0, 7.0]),
        a_motion(delta=[[7.0, 8.0, 9.0], [10.0, 11.0, 13.0]]),
        a_motion(delta=[[7.0, 8.0, 9.0]]),
        a_motion(capture_time_s=0.6),
    ]
    assert all(motion != a_motion() for motion in changed)
    assert a_motion() != "a motion"


def test_arrays_are_copied() -> None:
    delta = np.zeros((2, 3), np.float32)
    motion = a_motion(delta=delta)
    delta[0, 0] = 1.0
    assert motion.delta[0, 0] == 0.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"t": [1.0, 2.0]}, r"t of shape \(3,\), got \(2,\)"),
        ({"delta": [1.0, 2.0, 3.0]}, r"delta of shape \(K, 3\)"),
        ({"delta": np.zeros((0, 3))}, r"got \(0, 3\)"),
        ({"delta": np.zeros((256, 3))}, r"got \(256, 3\)"),
        ({"delta": [[1.0, 2.0], [3.0]]}, "expected numbers for delta"),
        ({"t": "xyz"}, "expected numbers for t"),
        ({"yaw_deg": float("nan")}, "NaN or infinity"),
        ({"roll_deg": 1e39}, "NaN or infinity"),
        ({"t": [0.0, float("inf"), 0.0]}, "NaN or infinity"),
        ({"delta": [[0.0, 0.0, float("nan")]]}, "NaN or infinity"),
        ({"capture_time_s": -0.001}, "capture time of 0 s or later, got -0.001"),
        ({"capture_time_s": float("nan")}, "got nan"),
        ({"capture_time_s": float("inf")}, "got inf"),
    ],
)
def test_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(MotionError, match=words):
        a_motion(**changes)


@pytest.mark.parametrize("shape", [(6,), (8,), (10,), (2, 9), (0,)])
def test_from_vector_wrong_length(shape: tuple[int, ...]) -> None:
    with pytest.raises(MotionError, match=r"expected a vector of 3K\+6 numbers"):
        Motion.from_vector(np.zeros(shape), 0.0)
