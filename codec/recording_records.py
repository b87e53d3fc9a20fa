"""What a recording holds, one after the other: messages, pictures, statistics, where a connection begins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from codec.errors import RecordingError
from codec.wire import MAX_MESSAGE_BYTES

MAX_SOURCE_BYTES: Final = 4 << 20  # a 256 px WebP is 10 to 20 kB, a 512 px PNG under 1 MB
MAX_CONTROL_BYTES: Final = 16384
MAX_RECEIVED_TIME_S: Final = float(1 << 32)  # 136 years
SOURCE_MIMES: Final = ("image/webp", "image/jpeg", "image/png", "image/avif")


class Direction(IntEnum):
    """Which way something crossed, as seen from the program that recorded."""

    RECEIVED = 0
    SENT = 1


@dataclass(frozen=True)
class MediaRecord:
    """A media message, 1 to 65535 bytes, and when it crossed, in seconds since the recording began."""

    time_s: float
    direction: Direction
    message: bytes

    def __post_init__(self) -> None:
        _check_time(self.time_s)
        if not 1 <= len(self.message) <= MAX_MESSAGE_BYTES:
            size = len(self.message)
            raise RecordingError(f"expected a message of 1 to {MAX_MESSAGE_BYTES} bytes to record, got {size}")


@dataclass(frozen=True)
class SourceRecord:
    """A source picture, its file's bytes as they were sent: SENT is one's own face, RECEIVED the other side's.

    Which frames are told against it stands in the control messages (`source_use`); without any, all of them.
    """

    time_s: float
    direction: Direction
    picture: bytes
    mime: str

    def __post_init__(self) -> None:
        _check_time(self.time_s)
        if self.mime not in SOURCE_MIMES:
            raise RecordingError(f"expected one of {', '.join(SOURCE_MIMES)}, got {self.mime[:80]!r}")
        if not 1 <= len(self.picture) <= MAX_SOURCE_BYTES:
            size = len(self.picture)
            raise RecordingError(f"expected a source image of 1 to {MAX_SOURCE_BYTES} bytes, got {size}")

    @property
    def sha256(self) -> str:
        """SHA-256 of the picture's bytes, in hex."""
        return hashlib.sha256(self.picture).hexdigest()


@dataclass(frozen=True)
class ControlRecord:
    """A text message of the control channel, up to 16384 bytes of UTF-8."""

    time_s: float
    direction: Direction
    text: str

    def __post_init__(self) -> None:
        _check_time(self.time_s)
        size = len(self.text.encode("utf-8", errors="surrogatepass"))
        if not 1 <= size <= MAX_CONTROL_BYTES:
            raise RecordingError(f"expected a control message of 1 to {MAX_CONTROL_BYTES} bytes to record, got {size}")


@dataclass(frozen=True)
class StatisticsRecord:
    """How the link was at a time.

    sent_bytes, received_bytes: at the socket since the connection began. loss_received, loss_sent: shares of the last
    messages, to a thousandth. round_trip_s, playout_delay_s: to the millisecond, None where not known.
    """

    time_s: float
    sent_bytes: int
    received_bytes: int
    loss_received: float
    loss_sent: float
    round_trip_s: float | None
    playout_delay_s: float | None

    def __post_init__(self) -> None:
        _check_time(self.time_s)
        counts = self.sent_bytes, self.received_bytes
        shares = self.loss_received, self.loss_sent
        times_s = self.round_trip_s or 0.0, self.playout_delay_s or 0.0
        if not (
            all(0 <= count < 1 << 56 for count in counts)
            and all(0 <= share <= 1 for share in shares)
            and all(0 <= time_s < 1 << 30 for time_s in times_s)
        ):
            raise RecordingError(f"expected statistics in their ranges to record, got {self}")


@dataclass(frozen=True)
class ConnectionRecord:
    """A connection begins, or the recording in it: coders of both directions hold nothing.

    clock_s: place of capture time 0 in the recording; below zero where the connection is older than the recording.
    """

    time_s: float
    clock_s: float = 0.0

    def __post_init__(self) -> None:
        _check_time(self.time_s)
        if not abs(self.clock_s) <= MAX_RECEIVED_TIME_S:
            raise RecordingError(f"expected a time of capture time 0 to record, got {self.clock_s}")


Record = MediaRecord | SourceRecord | ControlRecord | StatisticsRecord | ConnectionRecord


def _check_time(time_s: float) -> None:
    if not 0 <= time_s <= MAX_RECEIVED_TIME_S:
        raise RecordingError(f"expected a time of 0 s or later to record, got {time_s}")
