"""Opus made here, through PyAV, where no page does it: calls from files, browsers without WebCodecs."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from numpy.typing import NDArray

from codec.errors import SoundError
from codec.sound import PACKET_MS, PACKET_SAMPLES, SAMPLE_RATE

BIT_RATE: Final = 12_000
Samples = NDArray[np.int16]
"""Mono, 48 kHz, [n]."""


class OpusEncoder:
    """Samples in pieces of any length in, packets of 60 ms out."""

    def __init__(self, bit_rate: int = BIT_RATE) -> None:
        context = av.CodecContext.create("libopus", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = SAMPLE_RATE
        context.layout = "mono"
        context.format = "s16"
        context.bit_rate = bit_rate
        context.time_base = Fraction(1, SAMPLE_RATE)
        context.options = {"frame_duration": str(PACKET_MS), "application": "voip", "vbr": "on"}
        context.open()
        self.bit_rate = bit_rate
        self._context = context
        self._rest = np.zeros(0, np.int16)
        self._samples = 0

    def encode(self, samples: Samples) -> list[bytes]:
        """Take samples and return the packets that are whole; the rest waits for more. Raises SoundError."""
        self._rest = np.concatenate((self._rest, samples))
        packets: list[bytes] = []
        while len(self._rest) >= PACKET_SAMPLES:
            piece, self._rest = self._rest[:PACKET_SAMPLES], self._rest[PACKET_SAMPLES:]
            packets += self._encode_one(piece)
        return packets

    def _encode_one(self, piece: Samples) -> list[bytes]:
        frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts, frame.time_base = self._samples, Fraction(1, SAMPLE_RATE)
        self._samples += PACKET_SAMPLES
        try:
            return [bytes(packet) for packet in self._context.encode(frame)]
        except FFmpegError as error:
            raise SoundError(f"expected sound that libopus can code, it failed: {error.strerror}") from None
