"""A call of any messages: each gives a value or a WireError, in bounded time and memory.

input: messages one after another, each u16, then bytes.    u16: bit 15: spell it as an encoder does; bits 11 to 0:
how many bytes
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from codec import CodecTables, Decoder, MediaMessage, MissingReference, Profile, WireError
from codec.fields import MAX_REPEATS, MAX_STEP
from codec.wire import MAX_FRAMES, MAX_SOUND_BYTES, MAX_TIME_MS, SEQUENCE_MODULUS
from tests.codec.respell import kept_readers, respelled
from tests.fuzz.control import check_words

VECTORS: Final = Path(__file__).parents[1] / "vectors"
MOST_MESSAGES: Final = 100
MOST_FRAMES: Final = MAX_FRAMES + MAX_REPEATS
MOST_WAITING: Final = 16
SYMBOLS_A_NUMBER: Final = 19  # of a residual: the escape, sign, length, 16 bits; FORMAT.md, "Limits"
SYMBOLS_A_FRAME: Final = 8  # gap or time, level, spacing
SYMBOLS_A_MESSAGE: Final = 64  # acknowledgement, frames, links, check
_RESPELL: Final = 0x8000
_LENGTH: Final = 0x0FFF


def target(data: bytes) -> None:
    """Decode a call."""
    decoder = Decoder(tables())
    for respell, message in split(data):
        check(decoder, respelled(message, decoder) if respell else message)


def check(decoder: Decoder, message: bytes) -> None:
    """Decode one message. AssertionError where the contract is broken."""
    held = set(decoder._states)
    with kept_readers() as readers:
        try:
            check_message(decoder.decode(message))
        except MissingReference as error:
            check_missing(error)
            assert set(decoder._states) == held
        except WireError as error:
            check_words(error)
            assert set(decoder._states) == held
        for unblocked in decoder.unblocked():
            check_message(unblocked)
    numbers = 3 * tables().keypoints + 6
    most = SYMBOLS_A_MESSAGE + MOST_FRAMES * (numbers * SYMBOLS_A_NUMBER + SYMBOLS_A_FRAME)
    assert all(reader.symbols <= most for reader in readers)
    assert len(decoder._states) <= MAX_STEP + 1
    assert len(decoder._came) <= MAX_STEP + 1
    assert len(decoder._waiting) <= MOST_WAITING
    answer = decoder.acknowledgement()
    assert answer is None or (-1 <= answer.newest < SEQUENCE_MODULUS and 0 <= answer.received < 1 << 16)


def check_missing(error: MissingReference) -> None:
    """What holds for the rest of a message whose motion cannot be read."""
    check_words(error)
    assert 0 <= error.reference < SEQUENCE_MODULUS
    assert not error.message.motions
    check_message(error.message)


def check_message(message: MediaMessage) -> None:
    """What holds for whatever a decoder gives out."""
    assert 0 <= message.sequence < SEQUENCE_MODULUS
    assert len(message.sound) <= MAX_SOUND_BYTES
    motions = (*message.repeated, *message.motions)
    assert len(motions) <= MOST_FRAMES
    times_ms = [motion.capture_time_s * 1000 for motion in motions]
    assert times_ms == sorted(times_ms)
    assert all(0 <= time_ms <= MAX_TIME_MS + 0.5 for time_ms in times_ms)
    assert all(np.isfinite(motion.as_vector()).all() for motion in motions)
    assert all(math.isfinite(time_ms) for time_ms in times_ms)
    assert message.profile in Profile


def split(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """The messages of an input, and whether each is to be spelled as an encoder does."""
    at = 0
    for _ in range(MOST_MESSAGES):
        if at + 2 > len(data):
            return
        head = int.from_bytes(data[at : at + 2], "big")
        at += 2 + (head & _LENGTH)
        yield bool(head & _RESPELL), data[at - (head & _LENGTH) : at]


def join(messages: Sequence[bytes], respell: bool) -> bytes:
    """The inverse of `split`."""
    heads = [len(message) | _RESPELL * respell for message in messages]
    return b"".join(head.to_bytes(2, "big") + message for head, message in zip(heads, messages, strict=True))


@cache
def tables() -> CodecTables:
    """The tables of the golden vectors, K = 3."""
    return CodecTables.from_arrays({name: np.array(array) for name, array in _load("tables_k3").items()})


@cache
def golden_calls() -> tuple[tuple[bytes, ...], ...]:
    """The golden calls, and the messages that must be refused as one."""
    calls = [_load(name)["messages"] for name in ("predictive", "paper")]
    return tuple(tuple(bytes.fromhex(case["message"]) for case in call) for call in (*calls, _load("bad_messages")))


def seeds() -> list[bytes]:
    """Inputs to begin with."""
    return [join(call, respell) for call in golden_calls() for respell in (False, True)]


def _load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
