"""What comes on one connection: messages become motion on its way to the screen, and sound on its way to the page."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from codec.acknowledgement import Acknowledgement
from codec.codec_tables import CodecTables
from codec.decoder import Decoder, MediaMessage
from codec.errors import MissingReference, WireError
from codec.motion import Motion
from codec.wire import unwrap_sequence
from receiver.acknowledge import Acknowledger
from receiver.smooth import Smoother
from receiver.sound_in import SoundReader
from signaling.stages import StageTimes

LOSS_WINDOW: Final = 100
"""Messages over which the loss is counted: 6 s at 60 ms."""

Hear = Callable[[bytes, float, int], None]
"""Takes an Opus packet, its time in seconds of our engine's clock, and its number modulo 65536."""


class Incoming:
    """One direction of one connection. `begin_s` is added to the other side's times: its clock began when ours did."""

    def __init__(
        self,
        tables: CodecTables,
        begin_s: float,
        hear: Hear,
        owe: Callable[[], None],
        acknowledged: Callable[[Acknowledgement], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: owe: called when an acknowledgement should go soon; acknowledged: takes what the other side says."""
        self.smoother = Smoother()
        self.times = StageTimes("decode")
        self.messages = self.bad_messages = self.lacking_messages = self.frames = self.payload_bytes = 0
        self.sound = SoundReader()
        self.retell: Callable[[Motion], Motion] = lambda motion: motion
        """Tells motion as the screen wants it: all of it against one shape, whatever picture its sender has in use."""
        self.live = False
        """Whether motion is shown: not before the picture that it is told against is in use."""
        self._decoder = Decoder(tables)
        self._acknowledger = Acknowledger()
        self._begin_s = begin_s
        self._hear = hear
        self._owe = owe
        self._acknowledged = acknowledged
        self._now = now
        self._newest: int | None = None
        self._came: set[int] = set()

    def take(self, message: bytes) -> None:
        """Take a message as it comes off the wire; what is none is counted and dropped."""
        self.payload_bytes += len(message)
        try:
            with self.times.measure("decode"):
                decoded = [self._decoder.decode(message), *self._decoder.unblocked()]
        except MissingReference as missing:
            self.lacking_messages += 1
            decoded = [missing.message]
        except WireError:
            self.bad_messages += 1
            return
        self._count(decoded[0].sequence)
        for one in decoded:
            self._take(one)
        if self._acknowledger.due(self._decoder.acknowledgement(), self._now()):
            self._owe()

    def restate(self, most: int) -> list[bytes]:
        """Messages by which a decoder that begins now comes to hold what this one does."""
        return self._decoder.restate(most)

    def acknowledgement(self) -> Acknowledgement | None:
        """What to tell the other side of its messages."""
        return self._decoder.acknowledgement()

    def _take(self, message: MediaMessage) -> None:
        arrival_s = self._now()
        for motion in (*message.repeated, *message.motions):
            self.frames += 1
            if self.live:
                self.smoother.push(self._shifted(motion), arrival_s)
        if message.acknowledgement is not None:
            self._acknowledged(message.acknowledgement)
        for number, packet in self.sound.take(message, arrival_s):
            self._hear(packet.opus, packet.time_ms / 1000 + self._begin_s, number)

    def _shifted(self, motion: Motion) -> Motion:
        return self.retell(replace(motion, capture_time_s=motion.capture_time_s + self._begin_s))

    def _count(self, sequence: int) -> None:
        number = unwrap_sequence(sequence, self._newest)
        self._newest = number if self._newest is None else max(self._newest, number)
        self._came = {came for came in self._came if came > self._newest - LOSS_WINDOW} | {number}
        self.messages += 1

    @property
    def loss(self) -> float:
        """Share of the last hundred messages that did not come."""
        if self._newest is None:
            return 0.0
        expected = min(LOSS_WINDOW, self._newest + 1)
        return max(0.0, 1.0 - len(self._came) / expected)
