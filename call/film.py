"""The film of a call: pictures and sound in one file, both by the other side's capture times, in step."""

import threading
from pathlib import Path

from codec.sound import SoundPacket
from receiver.in_step import InStep
from receiver.opus import DELAY_S, OpusDecoder
from receiver.show import Image, VideoWriter
from receiver.sound_in import SoundStore

CRF = 18


class FilmWriter:
    """Times count from the first picture or packet. Missing sound is silence; sound out of its turn is put in order.

    Pictures come in the render thread, packets in the event loop.
    """

    def __init__(self, path: Path, frame_rate: float) -> None:
        self.in_step = InStep()
        self._writer = VideoWriter(path, frame_rate, CRF, sound=True)
        self._decoder = OpusDecoder()
        self._store = SoundStore()
        self._begin_s: float | None = None
        self._lock = threading.Lock()

    def write(self, image: Image, time_s: float) -> None:
        """Append a picture uint8 RGB [S,S,3], and the sound up to its time. Raises OutputError."""
        with self._lock:
            begin_s = self._begin(time_s)
            self._write_sound(self._store.until(time_s - begin_s))
            self.in_step.picture(time_s - begin_s, self._writer.write(image, time_s - begin_s))

    def hear(self, opus: bytes, time_s: float) -> None:
        """Take a packet of sound; it is written with the pictures of its time, and left out where it is none."""
        with self._lock:
            self._store.put(SoundPacket(round(1000 * (time_s - self._begin(time_s))), opus))

    def _begin(self, time_s: float) -> float:
        if self._begin_s is None:
            self._begin_s = time_s
        return self._begin_s

    def _write_sound(self, packets: list[SoundPacket]) -> None:
        for packet in packets:
            time_s = packet.time_ms / 1000 - DELAY_S
            at_s = self._writer.hear(self._decoder.decode_or_nothing(packet.opus), time_s)
            if at_s is not None:
                self.in_step.sound(time_s, at_s)

    def close(self) -> None:
        """Write what is missing and close the file; nothing to do before the first picture. Raises OutputError."""
        with self._lock:
            self._write_sound(self._store.rest())
            self._writer.close()
