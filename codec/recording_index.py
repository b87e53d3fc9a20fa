"""Headers, times and lengths of the media messages in a block: about two bytes a message. FORMAT.md, "Index".

A message's header is that of the one before with the next sequence: where it is, its two bytes are left out. It comes
about as long after the last one, and is about as long, as those before it: what is written is the difference, in as
many bits as the last differences needed (Rice codes). The sound's length stands in the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from codec.errors import RecordingError
from codec.wire import MAX_MESSAGE_BYTES, SEQUENCE_MODULUS, WIRE_VERSION

_SHIFT: Final = 4  # means follow a sixteenth of the way
_MOST_TOLD: Final = 1023  # what is larger is an outlier, and moves a mean no further
_MOST_ONES: Final = 12
_ESCAPE_BITS: Final = 48
_HEADER_BYTES: Final = 2
_SOUND: Final = 0x0400  # in a header


@dataclass
class _Mean:
    """A number that changes little, and by how much it does; both 16 times as large as they are."""

    mean: int
    spread: int

    @property
    def expected(self) -> int:
        return self.mean >> _SHIFT

    @property
    def bits(self) -> int:
        """How many low bits of a difference are written as they are."""
        return max((self.spread >> _SHIFT).bit_length() - 1, 0)

    def follow(self, value: int, number: int) -> None:
        self.mean += min(max(value, 0), _MOST_TOLD) - self.expected
        self.spread += min(number, _MOST_TOLD) - (self.spread >> _SHIFT)


@dataclass
class Pace:
    """What one direction's messages were like so far; both writer and reader begin with these numbers."""

    last_ms: int = 0
    header: int = WIRE_VERSION << 12 | SEQUENCE_MODULUS - 1
    gap: _Mean = field(default_factory=lambda: _Mean(60 << _SHIFT, 4 << _SHIFT))
    length: _Mean = field(default_factory=lambda: _Mean(20 << _SHIFT, 4 << _SHIFT))

    def copy(self) -> Pace:
        """The same numbers, to go on with by themselves."""
        gap, length = self.gap, self.length
        return Pace(self.last_ms, self.header, _Mean(gap.mean, gap.spread), _Mean(length.mean, length.spread))

    def expected_headers(self) -> tuple[bytes, bytes]:
        """The next message's header: of the last one's kind, and with sound if that had none or the other way round."""
        sequence = (self.header + 1) % SEQUENCE_MODULUS
        same = self.header - self.header % SEQUENCE_MODULUS + sequence
        return same.to_bytes(_HEADER_BYTES, "big"), (same ^ _SOUND).to_bytes(_HEADER_BYTES, "big")

    def follow_header(self, header: bytes) -> None:
        """Go on from this header; one that is cut short says nothing."""
        if len(header) == _HEADER_BYTES:
            self.header = int.from_bytes(header, "big")


class IndexWriter:
    """Bits, highest first."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def put(self, pace: Pace, time_ms: int, length: int, code: str, head: bytes) -> None:
        """Append what is said of a message's header, its time, which is not before the last one's, and its length.

        Args: head: its first four bytes, and what is behind them in the block's data.
        """
        self._bits.append(code)
        self._number(pace.gap, time_ms - pace.last_ms)
        pace.last_ms = time_ms
        self._number(pace.length, length - told_bytes(head))

    def finish(self) -> bytes:
        """The index's bytes."""
        bits = "".join(self._bits)
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""

    def _number(self, mean: _Mean, value: int) -> None:
        difference = value - mean.expected
        number = 2 * difference if difference >= 0 else -2 * difference - 1
        bits = mean.bits
        if number >> bits < _MOST_ONES:
            self._bits.append("1" * (number >> bits) + "0" + _low(number, bits))
        else:
            self._bits.append("1" * _MOST_ONES + _low(number, _ESCAPE_BITS))
        mean.follow(value, number)


class IndexReader:
    """Reads what `IndexWriter` wrote. Raises RecordingError for bits that it cannot have written."""

    def __init__(self, index: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in index)
        self._place = 0

    def header(self, pace: Pace) -> bytes:
        """The next message's header; nothing where it lies in the data."""
        if not self._take(1):
            return pace.expected_headers()[0]
        return b"" if self._take(1) else pace.expected_headers()[1]

    def take(self, pace: Pace, head: bytes) -> tuple[int, int]:
        """The next message's time in ms and its length. Args: head: its first four bytes, and what is behind them."""
        gap_ms = self._number(pace.gap)
        if gap_ms < 0:
            raise RecordingError(f"expected messages in the order of time, the index says {-gap_ms} ms before the last")
        pace.last_ms += gap_ms
        length = self._number(pace.length) + told_bytes(head)
        if not 1 <= length <= MAX_MESSAGE_BYTES:
            raise RecordingError(f"expected messages of 1 to {MAX_MESSAGE_BYTES} bytes, the index says {length}")
        return pace.last_ms, length

    def finish(self) -> None:
        """Check that nothing is left but zeros up to the next byte."""
        rest = self._bits[self._place :]
        if len(rest) >= 8 or "1" in rest:
            raise RecordingError("expected the index of messages to end with the last message, it goes on")

    def _number(self, mean: _Mean) -> int:
        ones = 0
        while ones < _MOST_ONES and self._take(1):
            ones += 1
        bits = mean.bits
        number = self._take(_ESCAPE_BITS) if ones == _MOST_ONES else ones << bits | self._take(bits)
        value = mean.expected + (-(number + 1) // 2 if number & 1 else number // 2)
        mean.follow(value, number)
        return value

    def _take(self, count: int) -> int:
        bits = self._bits[self._place : self._place + count]
        if len(bits) != count:
            raise RecordingError("expected the index of all messages, it ends before the last")
        self._place += count
        return int(bits or "0", 2)


def told_bytes(head: bytes) -> int:
    """How much of a message's length its first four bytes tell: header, and sound with its length (see wire.py)."""
    first, _, length, more = head[:4].ljust(4, b"\0")
    if first >> 4 != WIRE_VERSION or not first & 0x04:
        return 2
    return 3 + length if length < 0x80 else 4 + ((length & 0x7F) << 8 | more)


def shorten(pace: Pace, message: bytes) -> tuple[str, bytes]:
    """The bits that say what is known of a message's header, and what of the message the block's data has to hold."""
    header, expected = message[:_HEADER_BYTES], pace.expected_headers()
    pace.follow_header(header)
    if header not in expected:
        return "11", message
    return "0" if header == expected[0] else "10", message[_HEADER_BYTES:]


def read_messages(
    reader: IndexReader, pace: Pace, count: int, data: bytes, place: int
) -> Iterator[tuple[int, bytes, int]]:
    """(time in ms, message, where it ends) of so many messages of which `data` holds the rest, from `place` on."""
    for _ in range(count):
        header = reader.header(pace)
        time_ms, length = reader.take(pace, header + data[place : place + 4])
        end = place + length - len(header)
        if not place <= end <= len(data):
            raise RecordingError(
                f"expected a message in {len(data) - place} bytes, the index says {length} bytes of it"
            )
        message = header + data[place:end]
        place = end
        pace.follow_header(message[:_HEADER_BYTES])
        yield time_ms, message, place


def _low(number: int, bits: int) -> str:
    return f"{number & ((1 << bits) - 1):0{bits}b}" if bits else ""
