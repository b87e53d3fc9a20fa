"""Sounds for tests, and what a file holds of them."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from codec.sound import SAMPLE_RATE

TONE_HZ = 400
Samples = NDArray[np.int16]


def tone(seconds: float, hertz: float = TONE_HZ, loudness: float = 8000.0) -> Samples:
    """A sine, int16 at 48 kHz."""
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(loudness * np.sin(2 * np.pi * hertz * time_s), np.int16)


def click(seconds: float, at_s: float) -> Samples:
    """Silence with a short burst of 1 kHz that is loudest at a time."""
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE - at_s
    return np.asarray(20000 * np.cos(2 * np.pi * 1000 * time_s) * np.exp(-((time_s / 0.0015) ** 2)), np.int16)


def beeps(seconds: float, at_s: list[float], beep_s: float = 0.2) -> Samples:
    """Silence with beeps that begin at these times."""
    sound = np.zeros(round(seconds * SAMPLE_RATE), np.int16)
    for begin_s in at_s:
        begin, beep = round(begin_s * SAMPLE_RATE), tone(beep_s, 1000.0, 12000.0)
        sound[begin : begin + len(beep)] = beep[: len(sound) - begin]
    return sound


def loudest_hz(samples: Samples) -> float:
    """The frequency with most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * SAMPLE_RATE / len(samples))


def sound_of(path: Path) -> NDArray[np.float32]:
    """A file's sound [n] in [-1,1] at 48 kHz, on the file's own clock: silence before it begins."""
    parts: list[NDArray[np.float32]] = []
    written = 0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            at = max(0, round((frame.time or 0.0) * SAMPLE_RATE) - written)
            samples = frame.to_ndarray().reshape(-1).astype(np.float32)
            parts += [np.zeros(at, np.float32), samples]
            written += at + len(samples)
    return np.concatenate(parts)


def onsets_s(samples: NDArray[np.float32], threshold: float = 0.05, quiet_s: float = 0.15) -> list[float]:
    """When sound begins after silence."""
    loud = np.flatnonzero(np.abs(samples) > threshold) / SAMPLE_RATE
    return [float(at) for at, before in zip(loud, np.r_[-9.0, loud[:-1]], strict=True) if at - before > quiet_s]
