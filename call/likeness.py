"""How like the other side's picture is to what the camera sees: our own rendering against the crop, both at 64 px.

Small pictures are enough for what matters here and forgive what does not: a rendered face is always a pixel or two of
256 off, its teeth are soft, its hair tears. What is left are three things that a new source picture would mend:

    light        the face is brighter, darker or of another tint than in the source picture
    background   what is behind the head is another place, or another camera's
    cover        parts of the face have other structure: a hand, glasses, a mask, a turn that tears it

Plain; benchmarks/fitness.py says how often each of them is wrong about people who just talk.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from sender.camera import Image

SIDE: Final = 64
SHIFT_PX: Final = 2
"""Of 64: what is found so far away is the same thing in another place."""
DARK: Final = 0.05
"""Added before logarithms: noise in the dark is no light."""
BLUR_PX: Final = 0.8
COVER_WINDOW: Final = 7
COVER_NOISE: Final = 0.0006
"""Variance of brightness in a window that counts as no structure."""
COVER_QUANTILE: Final = 0.85
BACK_WINDOW: Final = 7
LEAST_BACK_PX: Final = 60
"""Pixels of 64x64 that must show the background before anything is said about it."""

Plane = NDArray[np.floating]
Mask = NDArray[np.bool_]


class Unlikeness(NamedTuple):
    """0: alike. light: log of the largest gain of a colour; back: mean difference of the background, of 1, 0 where none
    is seen; cover: of the face's structure, 0 to 2.
    """

    light: float
    back: float
    cover: float


def compare(
    crop: Image,
    rendered: Image,
    keypoints: NDArray[np.float64],
    still: tuple[Image, NDArray[np.float64]] | None = None,
) -> Unlikeness | None:
    """Compare a crop with its rendering, both uint8 RGB [S,S,3]; keypoints [K,2 or 3] in [-1,1] lie on the face.

    Args: still: where the crop has followed the head, the crop in which the source picture was taken, and the keypoints
        there: the background that is rendered is that one.
    Returns: None where the face is too small, or too far out of the crop, to say anything.
    """
    camera, ours = _small(crop), _small(rendered)
    face, head, back = _regions(keypoints)
    place = camera
    if still is not None:
        place, back = _small(still[0]), back & _regions(still[1])[2]
    if face.sum() < LEAST_BACK_PX:
        return None
    gain = _gain(camera, ours, face)
    seen = _soft(camera)
    lit = _soft(_with_gain(ours, gain))
    structure = _structure_lost(seen.mean(2), lit.mean(2))
    cover = (np.quantile(structure[face], COVER_QUANTILE) + np.quantile(structure[head], COVER_QUANTILE)) / 2
    if back.sum() < LEAST_BACK_PX:
        return Unlikeness(float(np.abs(gain).max()), 0.0, float(cover))
    behind = _soft(_with_gain(ours, _gain(place, ours, back)))
    return Unlikeness(float(np.abs(gain).max()), float(_difference(_soft(place), behind)[back].mean()), float(cover))


def _small(picture: Image) -> Plane:
    """[SIDE,SIDE,3] in [0,1]."""
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def _regions(keypoints: NDArray[np.float64]) -> tuple[Mask, Mask, Mask]:
    """The face within its outline, the middle of head and neck where a hand comes up, and what is beside the head."""
    points = (np.asarray(keypoints, np.float32)[:, :2] + 1) * SIDE / 2
    outline = cv2.convexHull(points).astype(np.int32)
    low, high = points.min(0), points.max(0)
    (x0, y0), (width, height) = (low + high) / 2, high - low
    face, oval = np.zeros((2, SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(face, outline, 1)
    axes = max(2, int(0.85 * width)), max(2, int(height))
    cv2.ellipse(oval, (int(x0), int(y0 - 0.1 * height)), axes, 0, 0, 360, 1, -1)
    y, x = np.mgrid[:SIDE, :SIDE]
    head = (np.abs(x - x0) < 0.6 * width) & (y > y0 - 0.4 * height) & (y < y0 + 0.9 * height)
    inside = np.minimum(np.minimum(x, y), SIDE - 1 - np.maximum(x, y)) >= SHIFT_PX + 1
    return face > 0, head, (oval == 0) & (y < y0 + 0.6 * height) & inside


def _gain(camera: Plane, ours: Plane, where: Mask) -> Plane:
    """By how much [3], in logs, the camera's colours are brighter there."""
    return np.asarray(np.median(np.log(camera[where] + DARK) - np.log(ours[where] + DARK), 0), np.float32)


def _with_gain(picture: Plane, gain: Plane) -> Plane:
    return np.asarray(np.clip((picture + DARK) * np.exp(gain) - DARK, 0.0, 1.5))


def _soft(picture: Plane) -> Plane:
    """Brightness as the eye grades it, without the finest detail."""
    return np.asarray(cv2.GaussianBlur(np.sqrt(picture), (0, 0), BLUR_PX), np.float32)


def _difference(a: Plane, b: Plane) -> Plane:
    """Mean absolute difference about each place [SIDE,SIDE], b shifted to where it fits best."""
    window = (BACK_WINDOW, BACK_WINDOW)
    differences = [cv2.boxFilter(np.abs(a - moved).mean(2), -1, window) for moved in _moved(b)]
    return np.asarray(np.min(differences, 0), np.float32)


def _structure_lost(a: Plane, b: Plane) -> Plane:
    """1 - the correlation of two pictures [SIDE,SIDE] about each place, b shifted to where it fits best; in [0,2]."""

    def mean(plane: Plane) -> Plane:
        return np.asarray(cv2.boxFilter(plane, -1, (COVER_WINDOW, COVER_WINDOW)), np.float32)

    mean_a = mean(a)
    variance_a = mean(a * a) - mean_a**2
    lost = []
    for moved in _moved(b):
        mean_b = mean(moved)
        shared = 2 * (mean(a * moved) - mean_a * mean_b) + COVER_NOISE
        lost.append(1 - shared / (variance_a + mean(moved * moved) - mean_b**2 + COVER_NOISE))
    return np.asarray(np.min(lost, 0), np.float32)


def _moved(picture: Plane) -> list[Plane]:
    """The picture moved by up to SHIFT_PX, its border continued."""
    more = [(SHIFT_PX, SHIFT_PX)] * 2 + [(0, 0)] * (picture.ndim - 2)
    wide, shifts = np.pad(picture, more, mode="edge"), range(2 * SHIFT_PX + 1)
    return [wide[y : y + SIDE, x : x + SIDE] for y in shifts for x in shifts]
