"""Opus read here, through PyAV, where no page does it: films, browsers without WebCodecs."""

from typing import Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from numpy.typing import NDArray

from codec.errors import SoundError
from codec.sound import SAMPLE_RATE

DELAY_S: Final = 312 / SAMPLE_RATE
"""How far what libopus gives out lies behind what its coder was given: the coder looks ahead (RFC 7845, pre-skip)."""
Samples = NDArray[np.int16]
"""Mono, 48 kHz, [n]."""


class OpusDecoder:
    """Packets in, samples out; a lost one becomes silence."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "r")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = SAMPLE_RATE
        context.layout = "mono"
        self._context = context

    def decode(self, opus: bytes) -> Samples:
        """Return the samples of one packet, int16 [n] at 48 kHz. Raises SoundError for what is no packet."""
        try:
            frames = self._context.decode(av.Packet(opus))
        except FFmpegError as error:
            raise SoundError(f"expected an Opus packet, got something else: {error.strerror}") from None
        pieces = [_to_mono(frame) for frame in frames if isinstance(frame, av.AudioFrame)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def decode_or_nothing(self, opus: bytes) -> Samples:
        """The same for who would leave out what is no packet anyway."""
        try:
            return self.decode(opus)
        except SoundError:
            return np.zeros(0, np.int16)


def _to_mono(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray()
    if samples.dtype == np.int16:
        channels = samples.reshape(-1, frame.layout.nb_channels).T if frame.format.is_packed else samples
        return np.asarray(channels[0], np.int16)
    floats = samples.reshape(-1, frame.layout.nb_channels).T[0] if frame.format.is_packed else samples[0]
    return np.asarray(np.clip(np.round(floats * 32767), -32768, 32767), np.int16)
