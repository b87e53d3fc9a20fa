"""The sound of a video file: pieces at their times, silence where there is none, in one unbroken AAC track."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream

from codec.sound import SAMPLE_RATE
from receiver.opus import Samples

SNAP: Final = SAMPLE_RATE * 30 // 1000
"""Pieces whose times leave a gap or overlap of no more, in samples, follow each other without a seam."""
LONGEST_GAP_S: Final = 600.0
"""Of silence that is written out; after a longer one the sound goes on where it was."""
BIT_RATE: Final = 64_000


class Soundtrack:
    """Owns the stream of one file; the container belongs to who writes the pictures."""

    def __init__(self, container: av.container.OutputContainer) -> None:
        self._container = container
        self._stream: AudioStream = container.add_stream("aac", rate=SAMPLE_RATE)
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.bit_rate = BIT_RATE
        self._written = 0

    def append(self, samples: Samples, time_s: float) -> float | None:
        """Put int16 [n] at its time, or right behind what is there; returns the time at which it stands.

        None for what lies before the end of what is written: the past cannot be changed. Raises FFmpegError, OSError.
        """
        gap = round(time_s * SAMPLE_RATE) - self._written
        if gap < -SNAP or gap > LONGEST_GAP_S * SAMPLE_RATE:
            return None
        if gap > SNAP:
            self._encode(np.zeros(gap, np.int16))
        at_s = self._written / SAMPLE_RATE
        self._encode(samples)
        return at_s

    def _encode(self, samples: Samples) -> None:
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts, frame.time_base = self._written, Fraction(1, SAMPLE_RATE)
        self._written += len(samples)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the coder still holds. Raises FFmpegError, OSError."""
        self._container.mux(self._stream.encode(None))
