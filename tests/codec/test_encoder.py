"""The encoder: its sequence, its limits, what it refuses, what a message costs beyond the ideal."""

from __future__ import annotations

import numpy as np
import pytest

from codec import Decoder, Encoder, Motion, MotionError, message_cost
from codec.paper import motions_to_bytes
from tests.codec.synthetic import clip_motions, fitted_tables

K = 3


def still(time_s: float, yaw_deg: float = 0.0, keypoints: int = K) -> Motion:
    return Motion(yaw_deg, 0.0, 0.0, np.zeros(3, np.float32), np.zeros((keypoints, 3), np.float32), time_s)


def test_sequence_counts_up_and_wraps() -> None:
    encoder, decoder = Encoder(fitted_tables(K), first_sequence=65534), Decoder(fitted_tables(K))
    numbers = [decoder.decode(encoder.encode([still(index / 25)])).sequence for index in range(4)]
    assert numbers == [65534, 65535, 0, 1]


def test_refused_frames_use_up_no_number() -> None:
    encoder = Encoder(fitted_tables(K))
    with pytest.raises(MotionError):
        encoder.encode([])
    assert Decoder(fitted_tables(K)).decode(encoder.encode([still(0.0)])).sequence == 0


@pytest.mark.parametrize(
    ("motions", "words"),
    [
        ([], "1 to 16 frames for a message, got 0"),
        ([still(0.0)] * 17, "1 to 16 frames for a message, got 17"),
        ([still(0.0), still(0.0, keypoints=4)], "motion of 3 keypoints, got 4"),
        ([still(1.0), still(0.9)], r"order of their capture, got times \[1.0, 0.9\] s"),
        ([still(4294967.296)], "up to 4294967.295 s, got 4294967.296 s"),
        ([still(1e308)], "up to 4294967.295 s"),
    ],
)
def test_refused(motions: list[Motion], words: str) -> None:
    with pytest.raises(MotionError, match=words):
        Encoder(fitted_tables(K)).encode(motions)


def test_limits_are_reached() -> None:
    motions = [still(4294967.295)] * 16
    message = Encoder(fitted_tables(K)).encode(motions)
    assert list(Decoder(fitted_tables(K)).decode(message).motions) == motions


def test_times_are_rounded_to_milliseconds() -> None:
    message = Encoder(fitted_tables(K)).encode([still(1 / 3), still(2 / 3), still(0.9996)])
    times = [motion.capture_time_s for motion in Decoder(fitted_tables(K)).decode(message).motions]
    assert times == [0.333, 0.667, 1.0]


def test_number_beyond_fp16_is_clamped() -> None:
    message = Encoder(fitted_tables(K)).encode([still(0.0, yaw_deg=1e6), still(0.0, yaw_deg=-1e6)])
    yaws = [motion.yaw_deg for motion in Decoder(fitted_tables(K)).decode(message).motions]
    assert yaws == [65504.0, -65504.0]


@pytest.mark.parametrize("frames", [1, 2, 3, 16])
def test_cost_is_close_to_the_tables_entropy(frames: int) -> None:
    tables = fitted_tables(20)
    encoder, motions = Encoder(tables), clip_motions(99, 160)
    probabilities = tables.frequencies / 65536
    excess = []
    for start in range(0, 160, frames):
        batch = motions[start : start + frames]
        ideal_bits = -np.log2(probabilities[np.arange(132), motions_to_bytes(batch)]).sum()
        cost = message_cost(encoder.encode(batch))
        assert cost.frames == len(batch)
        excess.append(8 * (cost.motion_bytes - 1) - ideal_bits)  # less the byte that says how many keypoints
        # Stated slack: a byte for the one cut, 0.006 bits a symbol for the coder's rounding.
        assert excess[-1] <= 8 + 0.006 * 132 * len(batch)
    assert np.mean(excess) <= 5 + 0.001 * 132 * frames


@pytest.mark.parametrize(("frames", "expected"), [(1, 7), (2, 8), (3, 9), (16, 22)])
def test_header_bytes_after_a_minute(frames: int, expected: int) -> None:
    motions = clip_motions(99, frames, start_s=60.0)
    assert message_cost(Encoder(fitted_tables(20)).encode(motions)).header_bytes == expected
