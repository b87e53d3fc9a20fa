"""The header of a media message: what stands before the coded motion. FORMAT.md has the field tables.

F1 | 1 profile, frames - 1 | sequence | capture times: one varint a frame | the profile's payload
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Final

from codec.errors import WireError

WIRE_VERSION: Final = 1
MAX_FRAMES: Final = 16  # four bits
MAX_TIME_MS: Final = (1 << 32) - 1  # 49.7 days
MAX_MESSAGE_BYTES: Final = 65535
SEQUENCE_MODULUS: Final = 1 << 16

_MAGIC: Final = 0xF0  # high nibble of the first byte; the low one is the version
_FIXED_BYTES: Final = 4
_MAX_VARINT_BYTES: Final = 5


class Profile(IntEnum):
    """How the motion in a message is coded."""

    PAPER = 1


@dataclass(frozen=True)
class MessageHeader:
    """The fields before the motion.

    sequence: 0..65535, counts messages and wraps. times_ms: capture time of each frame, whole milliseconds since
    the start of the capture, 1 to 16 of them, never falling, the last at most 2^32-1.
    """

    profile: Profile
    sequence: int
    times_ms: tuple[int, ...]


@dataclass(frozen=True)
class MessageCost:
    """Where the bytes of one message went: header_bytes + motion_bytes is the message's length."""

    frames: int
    header_bytes: int
    motion_bytes: int


def write_header(header: MessageHeader) -> bytes:
    """The header's bytes. Its fields must lie in their ranges; `Encoder` sees to that."""
    first_time, *_ = header.times_ms
    steps = [later - earlier for earlier, later in zip(header.times_ms, header.times_ms[1:], strict=False)]
    fixed = bytes((_MAGIC | WIRE_VERSION, header.profile << 4 | len(header.times_ms) - 1))
    return fixed + header.sequence.to_bytes(2, "big") + b"".join(map(_varint, (first_time, *steps)))


def read_header(message: bytes) -> tuple[MessageHeader, int]:
    """Parse the start of a message.

    Returns: the header, and where the profile's payload starts.
    Raises: WireError when these bytes do not start a message of this version.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise WireError(f"expected a media message of at most {MAX_MESSAGE_BYTES} bytes, got {len(message)}")
    if len(message) < _FIXED_BYTES:
        raise WireError(f"expected a media message, got {len(message)} bytes, too few for its header")
    _check_version(message[0])
    profile = _profile(message[1] >> 4)
    steps, offset = [], _FIXED_BYTES
    for _ in range((message[1] & 0x0F) + 1):
        step, offset = _read_varint(message, offset)
        steps.append(step)
    times_ms = tuple(accumulate(steps))
    if times_ms[-1] > MAX_TIME_MS:
        raise WireError(f"expected capture times up to {MAX_TIME_MS} ms, got {times_ms[-1]} ms")
    sequence = int.from_bytes(message[2:4], "big")
    return MessageHeader(profile, sequence, times_ms), offset


def message_cost(message: bytes) -> MessageCost:
    """Split a message's length into header and motion. WireError when its header cannot be read."""
    header, offset = read_header(message)
    return MessageCost(len(header.times_ms), offset, len(message) - offset)


def unwrap_sequence(sequence: int, newest: int | None) -> int:
    """The whole-call number of a message whose 16-bit sequence is given: the one nearest to `newest`.

    Right as long as messages arrive within 32767 places of each other (33 minutes at 60 ms a message).

    Args: sequence, 0..65535. newest: the largest unwrapped number so far, None before the first message.
    Returns: an int that is `sequence` modulo 65536. Below zero only for one that was sent before the very first
    received and before a wrap.
    """
    if newest is None:
        return sequence
    half = SEQUENCE_MODULUS // 2
    return newest + (sequence - newest + half) % SEQUENCE_MODULUS - half


def _check_version(first: int) -> None:
    if first & 0xF0 != _MAGIC:
        raise WireError(f"expected a media message to start with 0xF{WIRE_VERSION:X}, got 0x{first:02X}")
    if first & 0x0F != WIRE_VERSION:
        raise WireError(f"expected wire format version {WIRE_VERSION}, got version {first & 0x0F}")


def _profile(number: int) -> Profile:
    try:
        return Profile(number)
    except ValueError:
        known = ", ".join(f"{profile.value} ({profile.name.lower()})" for profile in Profile)
        raise WireError(f"expected profile {known}, got {number}") from None


def _varint(value: int) -> bytes:
    """7 bits a byte, the lowest first; the top bit says that more follow (LEB128)."""
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _read_varint(message: bytes, offset: int) -> tuple[int, int]:
    """The number at `offset`, and the offset behind it. Only the shortest form of a number is accepted."""
    value = 0
    for index, byte in enumerate(message[offset : offset + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if index and not byte:
                raise WireError(
                    f"expected a time in its shortest form, got a zero byte at its end (byte {offset + index})"
                )
            return value, offset + index + 1
    if len(message) < offset + _MAX_VARINT_BYTES:
        raise WireError(f"expected the capture times of all frames, the message ends after {len(message)} bytes")
    raise WireError(f"expected a time of at most {_MAX_VARINT_BYTES} bytes, got a longer one at byte {offset}")
