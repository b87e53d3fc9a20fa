"""Pictures and sound between the page and the engine: the binary messages of their WebSocket.

One byte of kind, f64 time in ms (big-endian), for sound to the page a u16 sequence, then the content. Times to the
engine are the page's performance clock; times to the page are capture times of the other side, on a clock that picture
and sound share. page/messages.js holds the same kinds.
"""

import math
import struct
from enum import IntEnum
from typing import Final, NamedTuple

from call.errors import PageError


class ToEngine(IntEnum):
    """Kinds of binary messages from the page."""

    CAMERA = 0x01
    OPUS = 0x02
    PCM = 0x03


class ToPage(IntEnum):
    """Kinds of binary messages from the engine."""

    PICTURE = 0x11
    OPUS = 0x12
    PCM = 0x13
    SELF = 0x14


MOST_CAMERA_BYTES: Final = 4 << 20
_HEAD: Final = struct.Struct(">Bd")
_SOUND: Final = struct.Struct(">BdH")


class FromPage(NamedTuple):
    """One binary message: its kind, the time by the page's clock in ms, the content."""

    kind: ToEngine
    time_ms: float
    content: bytes


def unpack(message: bytes) -> FromPage:
    """Read a binary message of the page. Raises PageError."""
    if len(message) <= _HEAD.size:
        raise PageError(f"expected a kind, a time and content, got {len(message)} bytes")
    kind, time_ms = _HEAD.unpack_from(message)
    if kind not in set(ToEngine):
        raise PageError(f"expected a kind out of {', '.join(hex(known) for known in ToEngine)}, got {kind:#x}")
    if not math.isfinite(time_ms) or abs(time_ms) > 1e12:
        raise PageError("expected a capture time in ms, got none")
    content = message[_HEAD.size :]
    if len(content) > MOST_CAMERA_BYTES:
        raise PageError(f"expected at most {MOST_CAMERA_BYTES} bytes, got {len(content)}")
    return FromPage(ToEngine(kind), time_ms, content)


def pack(kind: ToPage, time_ms: float, content: bytes, sequence: int | None = None) -> bytes:
    """Write a binary message to the page; sound has a sequence."""
    head = _HEAD.pack(kind, time_ms) if sequence is None else _SOUND.pack(kind, time_ms, sequence)
    return head + content
