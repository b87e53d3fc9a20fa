"""The encoder: its sequence, its limits, what it refuses, what it saves."""

from __future__ import annotations

import numpy as np
import pytest

from codec import Acknowledgement, Decoder, Encoder, Level, MediaMessage, Motion, MotionError, Profile
from tests.codec.synthetic import canonical, clip_motions, fitted_tables

K = 3


def still(time_s: float, yaw_deg: float = 0.0, keypoints: int = K) -> Motion:
    return Motion(yaw_deg, 0.0, 0.0, np.zeros(3, np.float32), np.zeros((keypoints, 3), np.float32), time_s)


def encode_all(encoder: Encoder, motions: list[Motion], repeat: int = 0, each: int = 2) -> list[bytes]:
    return [encoder.encode(motions[at : at + each], repeat=repeat) for at in range(0, len(motions), each)]


def test_sequence_counts_up_and_wraps() -> None:
    encoder, decoder = Encoder(fitted_tables(K), first_sequence=1022), Decoder(fitted_tables(K))
    numbers = [decoder.decode(encoder.encode([still(index / 25)])).sequence for index in range(4)]
    assert numbers == [1022, 1023, 0, 1]


def test_refused_frames_use_up_no_number_and_change_nothing() -> None:
    encoder, same = Encoder(fitted_tables(K)), Encoder(fitted_tables(K))
    assert encoder.encode([still(0.0)]) == same.encode([still(0.0)])
    with pytest.raises(MotionError):
        encoder.encode([still(0.04), still(0.02)])
    assert encoder.encode([still(0.04)]) == same.encode([still(0.04)])


@pytest.mark.parametrize(
    ("motions", "options", "words"),
    [
        ([], {}, "got nothing to say"),
        ([still(0.0)] * 17, {}, "up to 16 frames for a message, got 17"),
        ([still(0.0), still(0.0, keypoints=4)], {}, "motion of 3 keypoints, got 4"),
        ([still(1.0), still(0.9)], {}, r"order of their capture, got times \[1000, 900\] ms"),
        ([still(4294967.296)], {}, "up to 4294967.295 s, got 4294967.296 s"),
        ([still(1e308)], {}, "up to 4294967.295 s"),
        ([still(0.0)], {"repeat": 16}, "0 to 15 messages to repeat, got 16"),
        ([still(0.0)], {"repeat": -1}, "0 to 15 messages to repeat, got -1"),
        ([still(0.0)], {"repeat_each": 0}, "1 or more, got 0"),
        ([still(0.0)], {"keypoints": 2}, "in profile paper only, got 2"),
        ([still(0.0)], {"sound": bytes(4001)}, "up to 4000 bytes of sound, got 4001"),
    ],
)
def test_refused(motions: list[Motion], options: dict[str, int], words: str) -> None:
    with pytest.raises(MotionError, match=words):
        Encoder(fitted_tables(K)).encode(motions, **options)  # type: ignore[arg-type]


def test_frames_may_not_go_back_behind_the_last_message() -> None:
    encoder = Encoder(fitted_tables(K))
    encoder.encode([still(1.0)])
    with pytest.raises(MotionError, match=r"got times \[1000, 960\] ms"):
        encoder.encode([still(0.96)])


@pytest.mark.parametrize("x_c", [np.zeros((4, 3)), np.full((K, 3), np.nan), np.zeros(K)])
def test_source_of_another_shape_is_refused(x_c: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(MotionError, match="3 finite keypoints"):
        Encoder(fitted_tables(K)).set_source(x_c)


@pytest.mark.parametrize("profile", Profile)
def test_limits_are_reached(profile: Profile) -> None:
    motions = [still(4294967.295)] * 16
    message = Encoder(fitted_tables(K), profile).encode(motions, sound=bytes(4000))
    decoded = Decoder(fitted_tables(K)).decode(message)
    assert [motion.capture_time_s for motion in decoded.motions] == [4294967.295] * 16
    assert len(decoded.sound) == 4000


@pytest.mark.parametrize("profile", Profile)
def test_times_are_rounded_to_milliseconds(profile: Profile) -> None:
    message = Encoder(fitted_tables(K), profile).encode([still(1 / 3), still(2 / 3), still(0.9996)])
    times = [motion.capture_time_s for motion in Decoder(fitted_tables(K)).decode(message).motions]
    assert times == [0.333, 0.667, 1.0]


def test_a_message_may_have_no_frames() -> None:
    encoder, decoder = Encoder(fitted_tables(K)), Decoder(fitted_tables(K))
    answer = Acknowledgement(17, 0xFFFE, lacking=True)
    first, second = encoder.encode([], acknowledge=answer), encoder.encode([], sound=b"opus")
    assert decoder.decode(first) == MediaMessage(0, (), acknowledgement=answer)
    assert decoder.decode(second) == MediaMessage(1, (), sound=b"opus")
    assert len(first) <= 7


def test_prediction_levels_and_repeats_cost_as_they_should() -> None:
    motions = clip_motions(99, 80)

    def size(level: Level = Level.HIGH, repeat: int = 0, profile: Profile = Profile.PREDICTIVE) -> float:
        encoder = Encoder(fitted_tables(), profile, level)
        encoder.set_source(canonical(99))
        messages = encode_all(encoder, motions, repeat)
        return sum(map(len, messages[1:])) / len(messages[1:])

    high, medium, low = (size(level) for level in Level)
    assert high > medium > low
    assert high < 0.4 * size(profile=Profile.PAPER)
    assert 1.3 * high < size(repeat=1) < 2 * high


def test_level_may_change_between_messages() -> None:
    encoder, decoder = Encoder(fitted_tables()), Decoder(fitted_tables())
    encoder.set_source(canonical(99))
    levels = [Level.HIGH, Level.LOW, Level.LOW, Level.HIGH, Level.MEDIUM]
    motions = clip_motions(99, 5)
    sizes = []
    for level, motion in zip(levels, motions, strict=True):
        encoder.level = level
        message = encoder.encode([motion], repeat=1)
        sizes.append(len(message))
        decoded = decoder.decode(message)
        assert decoded.level is level
        np.testing.assert_allclose(decoded.motions[0].delta, motion.delta, atol=0.2)
    assert max(sizes[3:]) < 2.5 * sizes[0]  # no beginning anew at a change
