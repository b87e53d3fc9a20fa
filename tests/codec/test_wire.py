"""The message header: known bytes, every refusal, costs, order over a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec import MessageCost, Profile, WireError, message_cost, unwrap_sequence
from codec.wire import MAX_TIME_MS, MessageHeader, read_header, write_header


@pytest.mark.parametrize(
    ("sequence", "times_ms", "expected"),
    [
        (0, (0,), "f1 10 0000 00"),
        (7, (127,), "f1 10 0007 7f"),
        (65535, (128,), "f1 10 ffff 8001"),
        (0x1234, (1000, 1040), "f1 11 1234 e807 28"),
        (1, (16383, 16383, 32767), "f1 12 0001 ff7f 00 8080 01"),
        (1, (MAX_TIME_MS,), "f1 10 0001 ffffffff0f"),
        (1, tuple(range(16)), "f1 1f 0001 00" + " 01" * 15),
    ],
)
def test_known_bytes(sequence: int, times_ms: tuple[int, ...], expected: str) -> None:
    header = MessageHeader(Profile.PAPER, sequence, times_ms)
    data = bytes.fromhex(expected)
    assert write_header(header) == data
    assert read_header(data + b"payload") == (header, len(data))


TIMES = st.lists(st.integers(0, MAX_TIME_MS), min_size=1, max_size=16).map(sorted).map(tuple)


@given(st.integers(0, 65535), TIMES, st.binary(max_size=9))
def test_round_trip(sequence: int, times_ms: tuple[int, ...], payload: bytes) -> None:
    header = MessageHeader(Profile.PAPER, sequence, times_ms)
    data = write_header(header)
    assert read_header(data + payload) == (header, len(data))
    assert message_cost(data + payload) == MessageCost(len(times_ms), len(data), len(payload))


@given(st.integers(0, 65535), TIMES)
def test_truncated_header(sequence: int, times_ms: tuple[int, ...]) -> None:
    data = write_header(MessageHeader(Profile.PAPER, sequence, times_ms))
    for length in range(len(data)):
        with pytest.raises(WireError, match="too few for its header|the message ends after"):
            read_header(data[:length])


@given(st.binary(max_size=90))
def test_any_bytes(data: bytes) -> None:
    try:
        header, offset = read_header(data)
    except WireError:
        return
    assert write_header(header) == data[:offset]  # one spelling for each header


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "got 0 bytes, too few"),
        ("01 10 0000 00", "start with 0xF1, got 0x01"),
        ("f0 10 0000 00", "version 1, got version 0"),
        ("f2 10 0000 00", "version 1, got version 2"),
        ("ff 10 0000 00", "version 1, got version 15"),
        ("f1 00 0000 00", r"profile 1 \(paper\), got 0"),
        ("f1 20 0000 00", r"profile 1 \(paper\), got 2"),
        ("f1 10 0000 80 00", "shortest form.*byte 5"),
        ("f1 10 0000 80 80 80 80 80 00", "at most 5 bytes"),
        ("f1 10 0000 ff ff ff ff 1f", "up to 4294967295 ms, got 8589934591 ms"),
        ("f1 11 0000 ff ff ff ff 0f 01", "up to 4294967295 ms, got 4294967296 ms"),
        ("f1 11 0000 01", "ends after 5 bytes"),
        ("f1 10 0000 80 80", "ends after 6 bytes"),
    ],
)
def test_refused(data: str, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read_header(bytes.fromhex(data))


def test_longest_message() -> None:
    header = bytes.fromhex("f1 10 0000 00")
    assert message_cost(header.ljust(65535, b"x")).motion_bytes == 65530
    with pytest.raises(WireError, match="at most 65535 bytes, got 65536"):
        read_header(header.ljust(65536, b"x"))


@pytest.mark.parametrize(
    ("sequence", "newest", "expected"),
    [
        (0, None, 0),
        (65535, None, 65535),
        (1, 0, 1),
        (0, 65535, 65536),
        (65535, 65536, 65535),
        (2, 3 * 65536 - 1, 3 * 65536 + 2),
        (65534, 3 * 65536 + 2, 3 * 65536 - 2),
        (65535, 0, -1),
        (32767, 0, 32767),
        (32768, 0, -32768),
    ],
)
def test_unwrap_sequence(sequence: int, newest: int | None, expected: int) -> None:
    assert unwrap_sequence(sequence, newest) == expected


@given(st.integers(0, 10**9), st.integers(-32768, 32767))
def test_unwrap_finds_the_number_that_was_sent(newest: int, distance: int) -> None:
    sent = newest + distance
    assert unwrap_sequence(sent % 65536, newest) == sent
