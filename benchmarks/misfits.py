"""What can happen in front of a camera that a source picture does not show, painted into crops of real clips."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from call.fitness import Reason
from models.keypoints import LANDMARKS
from sender.camera import Image

Points = NDArray[np.floating]
"""Keypoints [20,2 or 3] of `compact` in [-1,1]."""
NOSE: Final = LANDMARKS.index(1)


def hand(crop: Image, other: Image, points: Points, chance: np.random.Generator) -> Image:
    """A hand of the person's own skin colour, fingers up, before mouth, nose or an eye."""
    size = len(crop)
    scale = size / 256
    nose = (points[NOSE, :2] + 1) * size / 2
    x, y = (int(np.clip(value, 16 * scale, size - 16 * scale)) for value in nose)
    near = crop[y - int(12 * scale) : y + 2, x - int(12 * scale) : x + int(12 * scale)]
    skin = np.median(near.reshape(-1, 3), 0) * chance.uniform(0.75, 1.15)
    side = chance.choice([-1, 1])
    tip = np.array([x + side * chance.uniform(0, 25) * scale, y + chance.uniform(-15, 35) * scale])
    palm = tip + np.array([side * 25, 70]) * scale
    mask = np.zeros((size, size), np.float32)
    cv2.ellipse(mask, _px(palm), (int(38 * scale), int(44 * scale)), 0, 0, 360, 1, -1)
    cv2.line(mask, _px(np.array([palm[0], size])), _px(palm), 1, int(50 * scale))
    for finger in range(4):
        root = palm + np.array([18 * finger - 28, -30]) * scale
        end = np.array([root[0] + (tip[0] - palm[0]) / 2, tip[1] - (18 - 8 * abs(finger - 1.5)) * scale])
        cv2.line(mask, _px(root), _px(end), 1, int(16 * scale))
    round_ = cv2.GaussianBlur(mask, (0, 0), 5 * scale)[..., None]
    return _blend(crop, skin * (0.6 + 0.45 * round_) + chance.normal(0, 4, (size, size, 1)), mask, 1.2 * scale)


def background(crop: Image, other: Image, points: Points, chance: np.random.Generator) -> Image:
    """Head and shoulders before what is behind somebody else."""
    size = len(crop)
    p = (points[:, :2] + 1) * size / 2
    middle, width, height = p.mean(0), np.ptp(p[:, 0]), np.ptp(p[:, 1])
    beside = np.ones((size, size), np.float32)
    axes = int(0.85 * width), int(0.95 * height)
    cv2.ellipse(beside, _px(middle - (0, 0.1 * height)), axes, 0, 0, 360, 0, -1)
    low, high = middle + (-1.1 * width, 0.85 * height), middle + (1.1 * width, float(size))
    cv2.rectangle(beside, _px(low), _px(high), 0, -1)
    return _blend(crop, other[:, ::-1].astype(np.float64), beside, 4 * size / 256)


def darkness(crop: Image, other: Image, points: Points, chance: np.random.Generator) -> Image:
    """Somebody switched the lamp off."""
    return _as_image(crop * chance.uniform(0.35, 0.6))


def lamp(crop: Image, other: Image, points: Points, chance: np.random.Generator) -> Image:
    """Another lamp: warmer, or colder."""
    warm = np.array([1.15, 0.95, 0.6])
    return _as_image(crop * (warm if chance.random() < 0.5 else warm[::-1]))


Misfit = Callable[[Image, Image, Points, np.random.Generator], Image]
MISFITS: Final[dict[str, tuple[Misfit, Reason]]] = {
    "hand": (hand, Reason.COVERED),
    "background": (background, Reason.BACKGROUND),
    "darkness": (darkness, Reason.LIGHT),
    "lamp": (lamp, Reason.LIGHT),
}
"""Each changes a crop uint8 RGB [S,S,3], given another person's crop and the keypoints, and is one reason."""


def _px(place: Points) -> tuple[int, int]:
    return int(place[0]), int(place[1])


def _blend(crop: Image, over: NDArray[np.floating], mask: NDArray[np.float32], soft_px: float) -> Image:
    share = cv2.GaussianBlur(mask, (0, 0), soft_px)[..., None]
    return _as_image(crop * (1 - share) + over * share)


def _as_image(values: NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
