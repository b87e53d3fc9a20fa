"""The bytes around the range coder's: every field in its place, one spelling, everything else refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import MessageCost, Profile, WireError, message_cost, unwrap_sequence
from codec.wire import MAX_SOUND_BYTES, Envelope, read_message, write_message

ENVELOPES = st.builds(
    Envelope,
    st.sampled_from(Profile),
    st.integers(0, 1023),
    st.one_of(st.binary(max_size=3), st.integers(120, 300).map(bytes), st.just(bytes(MAX_SOUND_BYTES))),
    st.binary(max_size=40),
)


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (Envelope(Profile.PREDICTIVE, 0, b"", b""), "20 00"),
        (Envelope(Profile.PREDICTIVE, 1023, b"", b"\xab"), "23 ff ab"),
        (Envelope(Profile.PAPER, 258, b"", b"\xab\xcd"), "29 02 ab cd"),
        (Envelope(Profile.PREDICTIVE, 7, b"\x01\x02", b"\xab"), "24 07 02 0102 ab"),
        (Envelope(Profile.PAPER, 7, bytes(128), b""), "2c 07 80 80" + "00" * 128),
    ],
)
def test_known_bytes(envelope: Envelope, expected: str) -> None:
    assert write_message(envelope) == bytes.fromhex(expected)
    assert read_message(bytes.fromhex(expected)) == envelope


@given(ENVELOPES)
def test_round_trip(envelope: Envelope) -> None:
    data = write_message(envelope)
    assert read_message(data) == envelope
    sound, coded = len(envelope.sound), len(envelope.coded)
    assert message_cost(data) == MessageCost(len(data) - sound - coded, sound, coded)


@given(st.binary(max_size=90))
def test_any_bytes(data: bytes) -> None:
    try:
        envelope = read_message(data)
    except WireError:
        return
    assert write_message(envelope) == data  # one spelling for each


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "got 0 bytes, too few"),
        ("20", "got 1 bytes, too few"),
        ("f1 10 0000", "version 2, got version 1"),
        ("f2 10", "version 2, got version 15"),
        ("01 10", "version 2, got version 0"),
        ("30 10", "version 2, got version 3"),
        ("24 00", "length of the sound, the message ends"),
        ("24 00 80", "length of the sound, the message ends"),
        ("24 00 00", "1 to 4000 bytes in its shortest form, got length 0"),
        ("24 00 80 7f", "shortest form, got length 127"),
        ("24 00 8f a1", "got length 4001"),
        ("24 00 03 0102", "3 bytes of sound, the message ends after 2"),
    ],
)
def test_refused(data: str, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read_message(bytes.fromhex(data))


def test_longest_message() -> None:
    assert len(read_message(b"\x20\x00".ljust(65535, b"x")).coded) == 65533
    with pytest.raises(WireError, match="at most 65535 bytes, got 65536"):
        read_message(b"\x20\x00".ljust(65536, b"x"))


@pytest.mark.parametrize(
    ("sequence", "newest", "expected"),
    [
        (0, None, 0),
        (1023, None, 1023),
        (1, 0, 1),
        (0, 1023, 1024),
        (1023, 1024, 1023),
        (2, 3 * 1024 - 1, 3 * 1024 + 2),
        (1022, 3 * 1024 + 2, 3 * 1024 - 2),
        (1023, 0, -1),
        (511, 0, 511),
        (512, 0, -512),
    ],
)
def test_unwrap_sequence(sequence: int, newest: int | None, expected: int) -> None:
    assert unwrap_sequence(sequence, newest) == expected


@given(st.integers(0, 10**9), st.integers(-512, 511))
def test_unwrap_finds_the_number_that_was_sent(newest: int, distance: int) -> None:
    assert unwrap_sequence((newest + distance) % 1024, newest) == newest + distance
