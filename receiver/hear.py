"""From messages to the sound of the file: held until the picture of its time is there, decoded, put in step with it."""

from codec.decoder import MediaMessage
from codec.sound import SoundPacket
from receiver.in_step import InStep
from receiver.opus import DELAY_S, OpusDecoder
from receiver.show import VideoWriter
from receiver.sound_in import SoundReader, SoundStore


class Hearing:
    """`take` belongs to the event loop, `write` and `write_rest` to the render thread."""

    def __init__(self, writer: VideoWriter) -> None:
        self.reader = SoundReader()
        self.store = SoundStore()
        self.in_step = InStep()
        self._writer = writer
        self._decoder = OpusDecoder()
        self._lag_s = 0.0

    def take(self, message: MediaMessage) -> None:
        """Take a message as it comes."""
        for _, packet in self.reader.take(message):
            self.store.put(packet)

    def write(self, packets: list[SoundPacket], lag_s: float) -> None:
        """Write packets, oldest first, that stand in the file `lag_s` after their capture. Raises OutputError."""
        self._lag_s = lag_s
        for packet in packets:
            time_s = packet.time_ms / 1000 - DELAY_S
            at_s = self._writer.hear(self._decoder.decode_or_nothing(packet.opus), time_s + lag_s)
            if at_s is not None:
                self.in_step.sound(time_s, at_s)

    def write_rest(self) -> None:
        """Write what waits for pictures that do not come any more. Raises OutputError."""
        self.write(self.store.rest(), self._lag_s)
