"""The `paper` profile: fp16 bytes and back."""

from __future__ import annotations

import numpy as np
import pytest

from codec import CodecTables, Decoder, Encoder, Motion, MotionError, Profile, WireError
from codec.paper import byte_count, bytes_to_vectors, motions_to_bytes, vectors_to_bytes
from tests.codec.synthetic import clip_motions, fitted_tables


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.0, "0000"),
        (-0.0, "8000"),
        (1.0, "3c00"),
        (-2.0, "c000"),
        (0.1, "2e66"),
        (12.5, "4a40"),
        (1.0 + 2**-11, "3c00"),  # half way: to the even one
        (1.0 + 3 * 2**-11, "3c02"),
        (2.0**-24, "0001"),  # the smallest fp16
        (2.0**-26, "0000"),
        (65504.0, "7bff"),
        (65519.0, "7bff"),
        (65520.0, "7bff"),  # where plain rounding makes infinity
        (3.4e38, "7bff"),
        (-1e6, "fbff"),
    ],
)
def test_number_to_bytes(number: float, expected: str) -> None:
    symbols = vectors_to_bytes(np.full((1, 9), number, np.float32))
    assert symbols.shape == (1, byte_count(1)) == (1, 18)
    assert symbols.tobytes().hex() == expected * 9


def test_every_fp16_round_trips() -> None:
    every = np.arange(1 << 16, dtype=">u2").view(">f2")
    finite = every[np.isfinite(every)]  # 63,488 of them
    vectors = np.resize(finite.astype(np.float32), (len(finite) // 9 + 1, 9))
    assert np.array_equal(bytes_to_vectors(vectors_to_bytes(vectors)).view(np.uint32), vectors.view(np.uint32))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused(number: float) -> None:
    vectors = np.zeros((2, 9), np.float32)
    vectors[1, 4] = number
    with pytest.raises(MotionError, match="NaN or infinity"):
        vectors_to_bytes(vectors)


@pytest.mark.parametrize("high", [0x7C, 0x7F, 0xFC, 0xFF])
def test_bytes_that_are_not_finite(high: int) -> None:
    symbols = np.zeros((2, 18), np.uint8)
    symbols[1, 6] = high
    with pytest.raises(WireError, match="number 3 of frame 1"):
        bytes_to_vectors(symbols)


def rounded(motion: Motion, keypoints: int) -> Motion:
    """What arrives: numbers as fp16, time in milliseconds, no deformation of the keypoints that stay behind."""
    vector = motion.as_vector().astype(np.float16).astype(np.float32)
    vector[6 + 3 * keypoints :] = 0
    return Motion.from_vector(vector, round(motion.capture_time_s, 3))


def test_a_clip_arrives_exact_to_fp16_in_any_order() -> None:
    encoder, decoder = Encoder(fitted_tables(20), Profile.PAPER), Decoder(fitted_tables(20))
    motions = clip_motions(99, 30)
    messages = [encoder.encode(motions[start : start + 3]) for start in range(0, 30, 3)]
    for number in (3, 1, 9, 0, 2):  # each stands alone
        batch = motions[3 * number : 3 * number + 3]
        decoded = decoder.decode(messages[number])
        assert decoded.motions == tuple(rounded(motion, 20) for motion in batch)
        assert decoded.profile is Profile.PAPER


@pytest.mark.parametrize("keypoints", [0, 1, 13, 20])
def test_a_prefix_of_the_keypoints(keypoints: int) -> None:
    encoder, decoder = Encoder(fitted_tables(20), Profile.PAPER), Decoder(fitted_tables(20))
    (motion,) = clip_motions(99, 1)
    assert decoder.decode(encoder.encode([motion], keypoints=keypoints)).motions == (rounded(motion, keypoints),)


def test_repeated_frames_are_given_out_once() -> None:
    encoder, decoder = Encoder(fitted_tables(3), Profile.PAPER), Decoder(fitted_tables(3))
    motions = clip_motions(99, 8, 3)
    messages = [encoder.encode(motions[start : start + 2], repeat=2) for start in range(0, 8, 2)]
    first, last = decoder.decode(messages[0]), decoder.decode(messages[3])
    assert first.motions == tuple(rounded(motion, 3) for motion in motions[:2])
    assert last.repeated == (rounded(motions[3], 3), rounded(motions[5], 3))
    assert last.motions == tuple(rounded(motion, 3) for motion in motions[6:])
    assert decoder.decode(messages[2]).motions == (rounded(motions[4], 3),)  # its last was given out
    assert decoder.decode(messages[3]).motions == ()


def test_number_beyond_fp16_is_clamped() -> None:
    still = clip_motions(99, 1, 3)[0].as_vector() * 0
    encoder, wild = Encoder(fitted_tables(3), Profile.PAPER), []
    for size in (1e6, -1e6):
        still[0] = size
        wild.append(Motion.from_vector(still, 0.0))
    decoded = Decoder(fitted_tables(3)).decode(encoder.encode(wild))
    assert [motion.yaw_deg for motion in decoded.motions] == [65504.0, -65504.0]


@pytest.mark.parametrize("frames", [1, 2, 16])
def test_cost_is_close_to_the_tables_entropy(frames: int) -> None:
    tables = fitted_tables(20)
    encoder, motions = Encoder(tables, Profile.PAPER), clip_motions(99, 48)
    probabilities = tables.paper.frequencies / 65536
    for start in range(0, 48, frames):
        batch = motions[start : start + frames]
        ideal_bits = -np.log2(probabilities[np.arange(132), motions_to_bytes(batch)]).sum()
        fields_bits = 8 * (2 + 1 + 2 + 4) + 12 + 12 * frames  # header, keypoints, spacing, time; links; a gap each
        # Stated slack: a byte for the one cut, 0.006 bits a symbol for the coder's rounding.
        assert 8 * len(encoder.encode(batch)) <= ideal_bits + fields_bits + 8 + 0.006 * 132 * len(batch)


def test_more_keypoints_than_the_tables_have_are_refused() -> None:
    message = Encoder(CodecTables.default(4), Profile.PAPER).encode(clip_motions(99, 1, 4))
    with pytest.raises(WireError, match="up to 3 keypoints, got 4"):
        Decoder(CodecTables.default(3)).decode(message)
