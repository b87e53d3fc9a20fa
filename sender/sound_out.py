"""Packets of sound on their way into media messages: new ones, and where messages are being lost the ones before."""

from typing import Final

from codec.sound import MOST_PACKET_BYTES, SoundPacket, pack_sound
from sender.rate import RateController

FLOWS_S: Final = 0.2
"""So long after a packet of sound another one is expected, and frames wait for it."""
LATE_S: Final = 0.025
"""How long they wait beyond their time."""
OVER_S: Final = 1.0
MOST_WAITING: Final = 4
AGAIN_FROM: Final = 0.02
"""Share of messages lost from which each packet of sound is sent once more, with the next message."""
SOUND_KBPS: Final = 12.0
"""Of speech at its full rate."""


class SoundOut:
    """One direction's sound. Plain; times are passed in."""

    def __init__(self, rate: RateController | None = None) -> None:
        self.bytes = 0
        """Of all sections so far."""
        self.packets = self.bad_packets = 0
        """Those that were taken; those that no section has room for."""
        self._rate = rate
        self._max_kbps = rate.max_kbps if rate is not None else 0.0
        self._waiting: list[SoundPacket] = []
        self._sent: list[SoundPacket] = []
        self._came_s = -FLOWS_S

    def add(self, packet: SoundPacket, now_s: float) -> None:
        """Take a packet; the oldest goes where they pile up."""
        if not 1 <= len(packet.opus) <= MOST_PACKET_BYTES:
            self.bad_packets += 1
            return
        self.packets += 1
        self._waiting = [*self._waiting, packet][-MOST_WAITING:]
        self._came_s = now_s

    @property
    def waiting(self) -> bool:
        """Whether a packet waits for a message."""
        return bool(self._waiting)

    def flows(self, now_s: float) -> bool:
        """Whether another packet is expected soon."""
        return now_s - self._came_s < FLOWS_S

    def keep_newest(self) -> None:
        """Forget what waits in a full channel, but for the newest."""
        self._waiting = self._waiting[-1:]

    def take(self, now_s: float) -> bytes:
        """The section of the message that leaves now; nothing where there is no new packet."""
        new, self._waiting = self._waiting, []
        if not new:
            if now_s - self._came_s > OVER_S:
                self._sent = []
                if self._rate is not None:
                    self._rate.expect_sound(None)
            return b""
        old, self._sent = self._sent, new
        section = pack_sound([*(old if self._again() else []), *new])
        self.bytes += len(section)
        return section

    def _again(self) -> bool:
        """Whether packets go twice; the rate control is told what that takes."""
        if self._rate is None:
            return False
        again = self._rate.link.losses.loss >= AGAIN_FROM
        extra_kbps = SOUND_KBPS if again else 0.0
        self._rate.expect_sound(SOUND_KBPS + extra_kbps)
        self._rate.max_kbps = self._max_kbps + extra_kbps
        return again
