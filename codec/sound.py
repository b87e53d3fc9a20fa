"""The sound of a media message (FORMAT.md, "Sound"): Opus packets with the time at which each was captured.

    [number of packets - 1: 2 bits | time of the newest, in ms, modulo 2^14: 14 bits], big-endian
    for each but the newest, oldest first: [how long before the next one, in ms / 20: u8] [length: u8] [packet]
    the newest packet, to the end

A packet that is sent again after a loss looks like any other; the receiver knows it by its time.
"""

from dataclasses import dataclass
from typing import Final

from codec.errors import SoundError

PACKET_MS: Final = 60
SAMPLE_RATE: Final = 48000
PACKET_SAMPLES: Final = SAMPLE_RATE * PACKET_MS // 1000
MOST_PACKETS: Final = 4
MOST_PACKET_BYTES: Final = 255
STEP_MS: Final = 20
_WRAP_MS: Final = 1 << 14
_MOST_STEPS: Final = 255


@dataclass(frozen=True)
class SoundPacket:
    """One Opus packet of 60 ms, and the time of its first sample in whole milliseconds."""

    time_ms: int
    opus: bytes


def pack_sound(packets: list[SoundPacket]) -> bytes:
    """Write the packets, oldest first, as a section; what cannot be told beside the newest is left out: packets too old
    for it, and such as do not begin before the one after them.

    Raises SoundError for a packet of no or more than 255 bytes.
    """
    for packet in packets:
        if not 1 <= len(packet.opus) <= MOST_PACKET_BYTES:
            raise SoundError(f"expected Opus packets of 1 to {MOST_PACKET_BYTES} bytes, got {len(packet.opus)}")
    if not packets:
        return b""
    packets = _in_order(packets[-MOST_PACKETS:])
    newest = packets[-1]
    section = bytearray(((len(packets) - 1) << 14 | newest.time_ms % _WRAP_MS).to_bytes(2, "big"))
    for packet, following in zip(packets, packets[1:], strict=False):
        section += bytes((round((following.time_ms - packet.time_ms) / STEP_MS), len(packet.opus))) + packet.opus
    return bytes(section) + newest.opus


def _in_order(packets: list[SoundPacket]) -> list[SoundPacket]:
    """The newest, and of those before it what a section can tell. A clock that was set back is the page's affair."""
    kept = packets[-1:]
    for packet in reversed(packets[:-1]):
        if packet.time_ms < kept[0].time_ms and kept[-1].time_ms - packet.time_ms < _MOST_STEPS * STEP_MS:
            kept.insert(0, packet)
    return kept


def unpack_sound(section: bytes, near_ms: int) -> list[SoundPacket]:
    """Read a section, oldest first; its time is the one nearest to `near_ms`. Raises SoundError."""
    if len(section) < 3:
        raise SoundError(f"expected a section of sound, got {len(section)} bytes")
    head, place = int.from_bytes(section[:2], "big"), 2
    older: list[tuple[int, bytes]] = []
    for _ in range(head >> 14):
        steps, length = section[place : place + 2] if place + 2 <= len(section) else (0, 0)
        opus = section[place + 2 : place + 2 + length]
        if not opus or len(opus) != length:
            raise SoundError("expected a whole section of sound, got a cut one")
        older.append((steps, opus))
        place += 2 + length
    if place >= len(section):
        raise SoundError("expected a packet at the end of a section of sound, got none")
    time_ms = near_ms + (head % _WRAP_MS - near_ms + _WRAP_MS // 2) % _WRAP_MS - _WRAP_MS // 2
    packets = [SoundPacket(time_ms, section[place:])]
    for steps, opus in reversed(older):
        time_ms -= steps * STEP_MS
        packets.append(SoundPacket(time_ms, opus))
    return packets[::-1]


class SoundOrder:
    """Gives packets once each, as the page's playout buffer wants them: with a number for each 60 ms. Plain."""

    def __init__(self) -> None:
        self._first_ms: int | None = None
        self._given: set[int] = set()
        self.newest = -1
        self.repaired = 0
        """Packets that came only when they were sent again."""

    def take(self, packet: SoundPacket) -> int | None:
        """Return the number of a packet, modulo 65536; None for one that came before, or that is far too late."""
        if self._first_ms is None:
            self._first_ms = packet.time_ms
        number = round((packet.time_ms - self._first_ms) / PACKET_MS)
        if number in self._given or number < self.newest - 50:
            return None
        self.repaired += number < self.newest
        self.newest = max(self.newest, number)
        self._given = {given for given in self._given if given > self.newest - 64} | {number}
        return number % 65536
