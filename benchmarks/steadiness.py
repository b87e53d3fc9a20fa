"""How steady and how true a motion is, from where its keypoints are: [N,K,2] in pixels of a picture of 256 px.

raw is the motion as it was measured, calm what a filter made of it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.keypoints import EXPRESSIVE, LANDMARKS

Array = NDArray[np.float64]

REST_PX_S = 12.0
"""Speed, smoothed over REST_WINDOW_S, below which every keypoint stays in a span that counts as rest."""
REST_WINDOW_S = 0.5
BLINK_PX, CLOSURE_PX = 2.0, 3.0
"""From how deep on a dip of a lid, or of the mouth's opening, counts."""
RIGID = [index for index in range(len(LANDMARKS)) if index not in EXPRESSIVE]
_EYES = ((159, 33, 133), (386, 362, 263))  # upper lid, corners


class Lag(NamedTuple):
    """Delay in ms that explains best what calm has less of than raw, and the share of the amplitude that it kept."""

    ms: float
    kept: float


def rest(raw: Array, fps: float) -> NDArray[np.bool_]:
    """Which frames [N] lie in spans where nothing moves."""
    size = max(3, round(REST_WINDOW_S * fps) | 1)
    padded = np.pad(raw, ((size // 2, size // 2), (0, 0), (0, 0)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0).mean(-1)
    return np.asarray((np.abs(np.gradient(smooth, axis=0)) * fps).max((1, 2)) < REST_PX_S)


def tremble(numbers: Array, at_rest: NDArray[np.bool_]) -> float | None:
    """RMS of second differences of numbers [N,...] at rest; None where there is none. White noise of s gives 2.4 s."""
    inner = at_rest[:-2] & at_rest[1:-1] & at_rest[2:]
    return float(np.sqrt(np.mean(np.diff(numbers, 2, axis=0)[inner] ** 2))) if inner.any() else None


def lag(raw: Array, calm: Array, fps: float, low_hz: float = 1.0, high_hz: float = 3.0) -> Lag:
    """How far calm is behind in a band, by least squares over all numbers: calm(t) = raw(t - lag)."""
    before, after = (_band(each.reshape(len(each), -1), fps, low_hz, high_hz) for each in (raw, calm))
    speed = np.gradient(before, axis=0) * fps
    behind_s = -np.sum((after - before) * speed) / np.sum(speed * speed)
    return Lag(float(1000 * behind_s), float(np.sum(after * before) / np.sum(before * before)))


def blinks_kept(raw: Array, calm: Array, fps: float) -> list[float]:
    """Of every dip of a lid the share of its depth that calm has, a frame sooner or later allowed."""
    kept = []
    for before, after in zip(_lids(raw), _lids(calm), strict=True):
        for index, low, high in _dips(before, round(0.4 * fps)):
            usual = float(np.median(before[low:high]))
            if usual - before[index] > BLINK_PX:
                lowest = after[max(index - 1, 0) : index + 2].min()
                kept.append(float((usual - lowest) / (usual - before[index])))
    return kept


def closures_px(raw: Array, calm: Array, fps: float) -> list[float]:
    """By how much the mouth stays more open than it was, at every closure between openings."""
    before, after = _mouth(raw), _mouth(calm)
    return [
        float(after[max(index - 1, 0) : index + 2].min() - before[index])
        for index, low, high in _dips(before, round(0.2 * fps))
        if before[low:high].max() - before[index] > CLOSURE_PX
    ]


def mouth_kept(raw: Array, calm: Array, fps: float) -> float:
    """Share of the mouth's movement from 1 to 8 Hz that calm has."""
    return lag(_mouth(raw), _mouth(calm), fps, 1.0, 8.0).kept


def _dips(values: Array, reach: int) -> list[tuple[int, int, int]]:
    """Where values [N] are lowest within `reach` frames: index, and the ends of that span."""
    spans = ((index, max(0, index - reach), index + reach + 1) for index in range(2, len(values) - 2))
    return [(index, low, high) for index, low, high in spans if values[index] == values[low:high].min()]


def _lids(points: Array) -> list[Array]:
    """How far each upper lid [N] is above the line between the eye's corners."""
    heights = []
    for eye in _EYES:
        lid, left, right = (points[:, LANDMARKS.index(landmark)] for landmark in eye)
        along = right - left
        along = along / np.linalg.norm(along, axis=1, keepdims=True)
        heights.append(np.asarray(along[:, 1] * (lid - left)[:, 0] - along[:, 0] * (lid - left)[:, 1]))
    return heights


def _mouth(points: Array) -> Array:
    return np.asarray(np.linalg.norm(points[:, LANDMARKS.index(14)] - points[:, LANDMARKS.index(13)], axis=1))


def _band(numbers: Array, fps: float, low_hz: float, high_hz: float) -> Array:
    spectrum = np.fft.rfft(numbers - numbers.mean(0), axis=0)
    frequency = np.fft.rfftfreq(len(numbers), 1 / fps)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(numbers), axis=0))
