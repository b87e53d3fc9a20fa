"""Blocks of a recording: records to bytes with a checksum, and back. FORMAT.md, "Recording", has the field tables."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from operator import attrgetter
from typing import Final

from codec.errors import RecordingError
from codec.recording_index import IndexReader, IndexWriter, Pace, read_messages, shorten
from codec.recording_records import (
    MAX_SOURCE_BYTES,
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)

BLOCK_VERSION: Final = 1
MAX_BLOCK_BYTES: Final = MAX_SOURCE_BYTES + 1024
CRC_BYTES: Final = 4
_MOST_VARINT: Final = 9  # bytes, 63 bits


class Kind(IntEnum):
    """Kinds of blocks."""

    MEDIA = 1
    END = 2
    SOURCE = 3
    CONTROL = 4
    STATISTICS = 5
    CONNECTION = 6


Paces = dict[Direction, Pace]


def fresh_paces() -> Paces:
    """What is known of either direction before the first message."""
    return {direction: Pace() for direction in Direction}


def write_block(kind: Kind, payload: bytes) -> bytes:
    """A whole block."""
    block = bytes((BLOCK_VERSION << 4 | kind,)) + varint(len(payload)) + payload
    return block + zlib.crc32(block).to_bytes(CRC_BYTES, "big")


def media_payload(records: Sequence[MediaRecord], paces: Paces) -> bytes:
    """Messages of some time together; times of one direction that fall are raised to the one before. Moves `paces`."""
    by_direction = [[one for one in records if one.direction is direction] for direction in Direction]
    short = [[shorten(paces[one.direction], one.message) for one in column] for column in by_direction]
    data = b"".join(rest for column in short for _, rest in column)
    index, place = IndexWriter(), 0
    for direction, column, rests in zip(Direction, by_direction, short, strict=True):
        pace = paces[direction]
        for one, (code, rest) in zip(column, rests, strict=True):
            head = one.message[: len(one.message) - len(rest)] + data[place : place + 4]
            index.put(pace, max(_ms(one.time_s), pace.last_ms), len(one.message), code, head)
            place += len(rest)
    bits = index.finish()
    return b"".join((*(varint(len(column)) for column in by_direction), varint(len(bits)), bits, data))


def record_block(record: SourceRecord | ControlRecord | StatisticsRecord | ConnectionRecord) -> bytes:
    """The block of any record but a media message."""
    time = varint(_ms(record.time_s))
    match record:
        case SourceRecord():
            mime = record.mime.encode("ascii")
            head = bytes((record.direction, len(mime))) + mime + bytes.fromhex(record.sha256)
            return write_block(Kind.SOURCE, time + head + record.picture)
        case ControlRecord():
            text = record.text.encode("utf-8", errors="surrogatepass")
            return write_block(Kind.CONTROL, time + bytes((record.direction,)) + text)
        case StatisticsRecord():
            return write_block(Kind.STATISTICS, time + b"".join(map(varint, _statistics_numbers(record))))
        case ConnectionRecord():
            clock_ms = _ms(record.clock_s)
            return write_block(Kind.CONNECTION, time + varint(2 * clock_ms if clock_ms >= 0 else -2 * clock_ms - 1))


def read_payload(kind: Kind, payload: bytes, paces: Paces) -> list[Record]:
    """The records of a block in the order of time. Moves `paces`. RecordingError for what no writer wrote."""
    if kind is Kind.MEDIA:
        return list(_read_media(payload, paces))
    reader = Fields(payload)
    time_s = reader.number() / 1000
    match kind:
        case Kind.SOURCE:
            return [_read_source(reader, time_s)]
        case Kind.CONTROL:
            return [ControlRecord(time_s, reader.direction(), reader.text())]
        case Kind.STATISTICS:
            return [_read_statistics(reader, time_s)]
        case _:
            zigzag = reader.number()
            reader.end()
            return [ConnectionRecord(time_s, (-(zigzag + 1) // 2 if zigzag & 1 else zigzag // 2) / 1000)]


def _read_media(payload: bytes, paces: Paces) -> Iterator[MediaRecord]:
    reader = Fields(payload)
    counts = [reader.number() for _ in Direction]
    bits = reader.take(reader.number())
    index, data, place = IndexReader(bits), reader.rest(), 0
    most = max(8 * len(bits), 1)
    if not 1 <= sum(counts) <= most:
        raise RecordingError(f"expected 1 to {most} messages in an index of {len(bits)} bytes, got {sum(counts)}")
    found: list[MediaRecord] = []
    for direction, count in zip(Direction, counts, strict=True):
        for time_ms, message, end in read_messages(index, paces[direction], count, data, place):
            found.append(MediaRecord(time_ms / 1000, direction, message))
            place = end
    index.finish()
    if place != len(data):
        raise RecordingError(f"expected messages of {len(data)} bytes in all, they are {place}")
    yield from sorted(found, key=attrgetter("time_s"))  # stable: of one time, received before sent


def _read_source(reader: Fields, time_s: float) -> SourceRecord:
    direction = reader.direction()
    mime = reader.take(reader.byte()).decode("ascii", errors="replace")
    sha256 = reader.take(32)
    picture = reader.rest()
    if hashlib.sha256(picture).digest() != sha256:
        raise RecordingError("the recording's source image does not match its SHA-256")
    return SourceRecord(time_s, direction, picture, mime)


def _statistics_numbers(record: StatisticsRecord) -> list[int]:
    losses = [round(1000 * loss) for loss in (record.loss_received, record.loss_sent)]
    times = [0 if time_s is None else _ms(time_s) + 1 for time_s in (record.round_trip_s, record.playout_delay_s)]
    return [record.sent_bytes, record.received_bytes, *losses, *times]


def _read_statistics(reader: Fields, time_s: float) -> StatisticsRecord:
    sent, received, loss_in, loss_out, *times = (reader.number() for _ in range(6))
    reader.end()
    round_trip_s, delay_s = ((time - 1) / 1000 if time else None for time in times)
    return StatisticsRecord(time_s, sent, received, loss_in / 1000, loss_out / 1000, round_trip_s, delay_s)


class Fields:
    """Reads a payload field by field. Raises RecordingError where it ends too early."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._place = 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > len(self._payload) - self._place:
            raise RecordingError(f"expected {count} bytes more in a block, it has {len(self._payload) - self._place}")
        self._place += count
        return self._payload[self._place - count : self._place]

    def byte(self) -> int:
        """A u8."""
        return self.take(1)[0]

    def number(self) -> int:
        """A varint."""
        value = 0
        for index in range(_MOST_VARINT):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value
        raise RecordingError(f"expected a number of at most {_MOST_VARINT} bytes in a block, got a longer one")

    def direction(self) -> Direction:
        """RECEIVED or SENT."""
        byte = self.byte()
        if byte not in set(Direction):
            raise RecordingError(f"expected a direction, 0 or 1, got {byte}")
        return Direction(byte)

    def text(self) -> str:
        """The rest, as text."""
        try:
            return self.rest().decode("utf-8")
        except UnicodeDecodeError:
            raise RecordingError("expected a control message in UTF-8, got something else") from None

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._payload) - self._place)

    def end(self) -> None:
        """Check that nothing is left."""
        if self._place != len(self._payload):
            raise RecordingError(f"expected a block to end, {len(self._payload) - self._place} bytes are left")


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _ms(time_s: float) -> int:
    return round(1000 * time_s)
