"""The bytes around the range coder's: two of header, the sound, the rest. FORMAT.md has the field tables.

version 4 bits | paper 1 bit | sound 1 bit | sequence 10 bits || sound's length and bytes, if any || coded to the end
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from codec.errors import WireError

WIRE_VERSION: Final = 2
MAX_FRAMES: Final = 16
MAX_TIME_MS: Final = (1 << 32) - 1  # 49.7 days
MAX_MESSAGE_BYTES: Final = 65535
MAX_SOUND_BYTES: Final = 4000  # more than libopus makes of one packet at any rate it has
SEQUENCE_MODULUS: Final = 1 << 10

_PAPER_BIT: Final = 0x08
_SOUND_BIT: Final = 0x04
_HEADER_BYTES: Final = 2
_VERSION_1: Final = 0xF1  # first byte of every message of version 1
_LONG_SOUND: Final = 0x80


class Profile(IntEnum):
    """How the motion in a message is coded."""

    PAPER = 1
    PREDICTIVE = 2


class Level(IntEnum):
    """How finely `predictive` codes: 0.25, 0.5 or 1 px of keypoint error at 256 px (FORMAT.md says which error)."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


@dataclass(frozen=True)
class Envelope:
    """A message taken apart. sequence: 0..1023. sound: an Opus packet or nothing. coded: the range coder's bytes."""

    profile: Profile
    sequence: int
    sound: bytes
    coded: bytes


@dataclass(frozen=True)
class MessageCost:
    """Where the bytes of one message went: their sum is its length. coded_bytes is motion with its fields."""

    header_bytes: int
    sound_bytes: int
    coded_bytes: int


def write_message(envelope: Envelope) -> bytes:
    """The message's bytes. The fields must lie in their ranges; `Encoder` sees to that."""
    flags = _PAPER_BIT * (envelope.profile is Profile.PAPER) | _SOUND_BIT * bool(envelope.sound)
    first = WIRE_VERSION << 4 | flags | envelope.sequence >> 8
    head = bytes((first, envelope.sequence & 0xFF))
    return head + (_sound_section(envelope.sound) if envelope.sound else b"") + envelope.coded


def read_message(message: bytes) -> Envelope:
    """Take a message apart. WireError when these bytes are no message of this version."""
    if len(message) > MAX_MESSAGE_BYTES:
        raise WireError(f"expected a media message of at most {MAX_MESSAGE_BYTES} bytes, got {len(message)}")
    if len(message) < _HEADER_BYTES:
        raise WireError(f"expected a media message, got {len(message)} bytes, too few for its header")
    _check_version(message[0])
    profile = Profile.PAPER if message[0] & _PAPER_BIT else Profile.PREDICTIVE
    sequence = (message[0] & 0x03) << 8 | message[1]
    sound, offset = _read_sound(message) if message[0] & _SOUND_BIT else (b"", _HEADER_BYTES)
    return Envelope(profile, sequence, sound, message[offset:])


def message_cost(message: bytes) -> MessageCost:
    """Split a message's length. WireError when it cannot be taken apart."""
    envelope = read_message(message)
    sound = len(envelope.sound)
    return MessageCost(len(message) - sound - len(envelope.coded), sound, len(envelope.coded))


def unwrap_sequence(sequence: int, newest: int | None) -> int:
    """The whole-call number of a message whose 10-bit sequence is given: the one nearest to `newest`.

    Right as long as messages arrive within 511 places of each other (30 s at 60 ms a message).

    Args: sequence, 0..1023. newest: the largest unwrapped number so far, None before the first message.
    Returns: an int that is `sequence` modulo 1024. Below zero only for one that was sent before the very first
    received and before a wrap.
    """
    if newest is None:
        return sequence
    half = SEQUENCE_MODULUS // 2
    return newest + (sequence - newest + half) % SEQUENCE_MODULUS - half


def _check_version(first: int) -> None:
    version = 1 if first == _VERSION_1 else first >> 4
    if version != WIRE_VERSION:
        raise WireError(f"expected wire format version {WIRE_VERSION}, got version {version}")


def _sound_section(sound: bytes) -> bytes:
    """One byte of length below 128; two, the first with its top bit set, from there."""
    size = len(sound)
    length = bytes((size,)) if size < _LONG_SOUND else bytes((_LONG_SOUND | size >> 8, size & 0xFF))
    return length + sound


def _read_sound(message: bytes) -> tuple[bytes, int]:
    """The sound, and the offset behind it."""
    head = message[_HEADER_BYTES : _HEADER_BYTES + 2]
    if not head or (head[0] & _LONG_SOUND and len(head) < 2):
        raise WireError("expected the length of the sound, the message ends before it")
    long = bool(head[0] & _LONG_SOUND)
    length = (head[0] & 0x7F) << 8 | head[1] if long else head[0]
    if not (_LONG_SOUND if long else 1) <= length <= MAX_SOUND_BYTES:
        raise WireError(f"expected a sound of 1 to {MAX_SOUND_BYTES} bytes in its shortest form, got length {length}")
    start = _HEADER_BYTES + 1 + long
    if len(message) < start + length:
        raise WireError(f"expected {length} bytes of sound, the message ends after {len(message) - start}")
    return message[start : start + length], start + length
