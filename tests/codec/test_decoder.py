"""The decoder: exact to fp16, in any order, and nothing but WireError for any bytes at all."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from codec import ByteTables, Decoder, Encoder, MediaMessage, Motion, WireError
from codec.symbols import SymbolWriter
from tests.codec.synthetic import clip_motions, fitted_tables

K = 3
FLAT = ByteTables(np.full((30, 256), 256))
FP16 = st.floats(width=16, allow_nan=False, allow_infinity=False)
MESSAGE = Encoder(fitted_tables(K), first_sequence=300).encode(clip_motions(99, 2, K, start_s=1.0))


def rounded(motion: Motion) -> Motion:
    """What arrives: numbers as fp16, time in milliseconds."""
    vector = motion.as_vector().astype(np.float16)
    return Motion.from_vector(vector, round(motion.capture_time_s, 3))


def test_a_clip_arrives_exact_to_fp16() -> None:
    encoder, decoder = Encoder(fitted_tables(20)), Decoder(fitted_tables(20))
    motions = clip_motions(99, 100)
    for number, start in enumerate(range(0, 100, 3)):
        batch = motions[start : start + 3]
        expected = MediaMessage(number, tuple(map(rounded, batch)))
        assert decoder.decode(encoder.encode(batch)) == expected


@given(
    arrays(np.float32, st.tuples(st.integers(1, 4), st.just(15)), elements=FP16),
    st.sampled_from([FLAT, fitted_tables(K)]),
)
def test_any_fp16_numbers_arrive(vectors: NDArray[np.float32], tables: ByteTables) -> None:
    motions = [Motion.from_vector(vector, 0.25) for vector in vectors]
    arrived = Decoder(tables).decode(Encoder(tables).encode(motions)).motions
    received = np.stack([motion.as_vector() for motion in arrived])
    assert np.array_equal(received.view(np.uint32), vectors.view(np.uint32))  # the sign of zero as well


def test_order_loss_and_bad_messages_change_nothing() -> None:
    encoder, decoder = Encoder(fitted_tables(K)), Decoder(fitted_tables(K))
    motions = clip_motions(99, 40, K)
    messages = [encoder.encode(motions[start : start + 2]) for start in range(0, 40, 2)]
    expected = [Decoder(fitted_tables(K)).decode(message) for message in messages]
    order = list(range(20)) * 2
    random.Random(5).shuffle(order)
    for index in order[:30]:
        with pytest.raises(WireError):
            decoder.decode(messages[index] + b"\1")
        assert decoder.decode(messages[index]) == expected[index]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check_contract(data)


@given(st.binary(max_size=120), st.integers(0, 15))
def test_any_bytes_behind_a_good_header(data: bytes, more_frames: int) -> None:
    check_contract(bytes((0xF1, 0x10 | more_frames, 0, 0)) + bytes(more_frames + 1) + bytes((K,)) + data)


@given(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255))
def test_a_changed_byte(position: int, change: int) -> None:
    data = bytearray(MESSAGE)
    data[position] ^= change
    check_contract(bytes(data))


@given(st.integers(0, len(MESSAGE) - 1))
def test_a_cut_message(length: int) -> None:
    check_contract(MESSAGE[:length])


def check_contract(data: bytes) -> None:
    """A value or WireError; and a value is only given for the very bytes that the encoder makes of it."""
    try:
        message = Decoder(fitted_tables(K)).decode(data)
    except WireError as error:
        assert "\n" not in str(error)  # noqa: PT017 - no error is as good as this one
        return
    assert 1 <= len(message.motions) <= 16
    assert Encoder(fitted_tables(K), message.sequence).encode(message.motions) == data


def coded(symbols: list[int], tables: ByteTables) -> bytes:
    writer = SymbolWriter()
    for index, symbol in enumerate(symbols):
        writer.put(symbol, tables.models[index % len(tables.models)])
    return writer.finish()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("a text message", "in bytes, got text of 14 characters"),
        (b"", "got 0 bytes"),
        (bytes.fromhex("f1 10 0000 00"), "ends after its header"),
        (bytes.fromhex("f1 10 0000 00 14 0102"), "motion of 3 keypoints, got 20"),
        (bytes.fromhex("f1 10 0000 00 03") + b"\xff" * 40, "cannot have written"),
        (bytes.fromhex("f1 10 0000 00 03") + coded([0, 0, 0x7C] + [0] * 27, fitted_tables(K)), "number 1 of frame 0"),
        (MESSAGE + b"\0", "nothing behind it"),
        (MESSAGE + b"xyz", "nothing behind it"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refused(message: bytes | str, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Decoder(fitted_tables(K)).decode(message)


def test_memory_is_bounded() -> None:
    # The largest message there is, claiming the most frames of the most keypoints: 24,672 symbols.
    tables = ByteTables(np.full((6 * 255 + 12, 256), 256))
    decoder = Decoder(tables)
    assert len(tables.models) == 1542
    data = bytes((0xF1, 0x1F, 0, 0)) + bytes(16) + b"\xff" + random.Random(1).randbytes(65535 - 21)
    tracemalloc.start()
    with pytest.raises(WireError):
        decoder.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
