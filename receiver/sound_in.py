"""Sound out of media messages: each packet once, and in order as far as it is asked for in time. Plain."""

from typing import Final

from codec.decoder import MediaMessage
from codec.errors import SoundError
from codec.sound import PACKET_MS, SoundOrder, SoundPacket, unpack_sound

MOST_WAITING: Final = 100_000
"""Packets that wait for their pictures, 100 minutes of them; then the oldest go."""


class SoundReader:
    """Gives the packets of one direction of one connection, each once, in the order in which they come."""

    def __init__(self) -> None:
        self.packets = 0
        self.bad_sections = 0
        self.section_bytes = 0
        """Of all sections that came."""
        self._order = SoundOrder()
        self._near_ms = 0

    @property
    def repaired(self) -> int:
        """Packets that came only when they were sent again."""
        return self._order.repaired

    def take(self, message: MediaMessage) -> list[tuple[int, SoundPacket]]:
        """The packets of a message that did not come before, oldest first, with a number for each 60 ms, mod 65536."""
        if message.motions:
            self._near_ms = max(self._near_ms, round(message.motions[-1].capture_time_s * 1000))
        if not message.sound:
            return []
        self.section_bytes += len(message.sound)
        try:
            packets = unpack_sound(message.sound, self._near_ms)
        except SoundError:
            self.bad_sections += 1
            return []
        self._near_ms = max(self._near_ms, packets[-1].time_ms)
        numbered = [(self._order.take(packet), packet) for packet in packets]
        new = [(number, packet) for number, packet in numbered if number is not None]
        self.packets += len(new)
        return new


class SoundStore:
    """Holds packets until the picture of their time is there: in order, however they came."""

    def __init__(self) -> None:
        self.late = 0
        """Packets that came when the picture had passed them."""
        self._waiting: dict[int, bytes] = {}
        self._until_ms = -1

    def put(self, packet: SoundPacket) -> None:
        """Take a packet."""
        if packet.time_ms + PACKET_MS // 2 < self._until_ms:
            self.late += 1
            return
        self._waiting[packet.time_ms] = packet.opus
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[min(self._waiting)]

    def until(self, time_s: float) -> list[SoundPacket]:
        """Take out what begins no later than this, oldest first; what comes for before it from now on is too late."""
        due = sorted(time_ms for time_ms in self._waiting if time_ms <= 1000 * time_s)
        if due:
            self._until_ms = max(self._until_ms, due[-1] + PACKET_MS)
        return [SoundPacket(time_ms, self._waiting.pop(time_ms)) for time_ms in due]

    def rest(self) -> list[SoundPacket]:
        """Take out everything."""
        return self.until(float("inf"))
