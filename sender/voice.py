"""A voice becomes packets of 60 ms, each with its time. Silence is not coded: what is not sent costs nothing."""

from typing import Final

import numpy as np

from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from sender.opus import BIT_RATE, OpusEncoder, Samples

SILENT_DBFS: Final = -60.0
"""Louder than this for 10 ms is worth a packet: a quiet room after noise suppression stays below."""
HANGOVER: Final = 1
"""Packets sent after the last loud one, so that words fade out."""
_WINDOW: Final = SAMPLE_RATE // 100
_FULL_SCALE: Final = 32768.0


class Voice:
    """Samples in pieces of any length in, packets with their times out.

    FFmpeg's libopus takes no order for its own DTX (20 B a packet of digital silence), so it is done here.
    """

    def __init__(self, bit_rate: int = BIT_RATE) -> None:
        self.coded = self.silent = 0
        """Packets of 60 ms so far: those that were coded, and those in which nothing was to be heard."""
        self._encoder = OpusEncoder(bit_rate)
        self._rest = np.zeros(0, np.int16)
        self._rest_s = 0.0
        self._after = HANGOVER

    @property
    def bit_rate(self) -> int:
        """Bits a second of sound that is coded."""
        return self._encoder.bit_rate

    @bit_rate.setter
    def bit_rate(self, bit_rate: int) -> None:
        if bit_rate != self._encoder.bit_rate:
            self._encoder = OpusEncoder(bit_rate)  # libopus takes its rate when it is opened

    def take(self, samples: Samples, time_s: float) -> list[tuple[float, bytes]]:
        """Take int16 [n] at 48 kHz, captured from `time_s` on; returns what is whole: (time in s, packet).

        Raises SoundError.
        """
        if not len(self._rest):
            self._rest_s = time_s
        self._rest = np.concatenate((self._rest, samples))
        packets: list[tuple[float, bytes]] = []
        while len(self._rest) >= PACKET_SAMPLES:
            piece, self._rest = self._rest[:PACKET_SAMPLES], self._rest[PACKET_SAMPLES:]
            if self._worth(piece):
                packets += [(self._rest_s, packet) for packet in self._encoder.encode(piece)]
            self._rest_s += PACKET_SAMPLES / SAMPLE_RATE
        return packets

    def _worth(self, piece: Samples) -> bool:
        self._after = 0 if is_loud(piece) else self._after + 1
        worth = self._after <= HANGOVER
        self.coded += worth
        self.silent += not worth
        return worth


def is_loud(samples: Samples) -> bool:
    """Whether any 10 ms of int16 [n] (n a multiple of 480) are louder than silence."""
    windows = samples.astype(np.float64).reshape(-1, _WINDOW) / _FULL_SCALE
    return bool((windows**2).mean(axis=1).max() > 10 ** (SILENT_DBFS / 10))
