"""Which square of the picture the networks see: chosen once at the start, fixed from then on.

The head composes in a fixed crop (FV2V, FOMM): a square whose side is 1.9 times the face's, with room for the hair.
A picture in whose centre square the face already has about that size is taken as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from sender.camera import Image

WANTED_RATIO: Final = 1.9
"""Side of the crop / larger side of the face box."""
SMALLEST_RATIO: Final = 1.4
LARGEST_RATIO: Final = 2.6
SHIFT_UP: Final = 0.06
"""Of the side: the face box ends at the forehead, the hair does not."""
SMALLEST_SIDE_PX: Final = 48
SEARCH_SHARES: Final = (1.0, 0.7, 0.45)
"""Sides of the squares that are looked at, as shares of the picture's smaller side."""
REFINEMENTS: Final = 3
CENTRE_ADVANTAGE: Final = 0.01
"""How much less sure of a face the networks may be in the centre square than in the best one."""


@dataclass(frozen=True)
class Face:
    """What the networks see in a crop: score in [0,1], and the face box in crop units ([-1,1], x right, y down)."""

    score: float
    centre_x: float
    centre_y: float
    side: float

    @property
    def ratio(self) -> float:
        """Side of the crop / larger side of the face box."""
        return 2.0 / max(self.side, 1e-6)


Look = Callable[[Image], Face]
"""Finds the face in a crop uint8 RGB [S,S,3]."""


@dataclass(frozen=True)
class Square:
    """A square of a picture, in its pixels."""

    left: int
    top: int
    side: int


class Cropper:
    """Cuts one square out of every frame and resizes it to the networks' size."""

    def __init__(self, square: Square, size: int) -> None:
        self.square = square
        self.size = size

    def crop(self, image: Image) -> Image:
        """Cut uint8 RGB [H,W,3] to [size,size,3]."""
        return cut(image, self.square, self.size)


def cut(image: Image, square: Square, size: int) -> Image:
    """Cut a square out of [H,W,3] and resize it to [size,size,3]; area averaging where it shrinks."""
    part = image[square.top : square.top + square.side, square.left : square.left + square.side]
    if square.side == size:
        return np.ascontiguousarray(part)
    method = cv2.INTER_AREA if square.side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=method), np.uint8)


def centre_square(height: int, width: int) -> Square:
    """Return the largest square in the middle of a picture."""
    side = min(height, width)
    return Square((width - side) // 2, (height - side) // 2, side)


def candidate_squares(height: int, width: int) -> list[Square]:
    """Return overlapping squares of three sizes all over a picture, large ones first: 20 in a 16:9 picture."""
    squares = []
    for share in SEARCH_SHARES:
        side = max(1, round(min(height, width) * share))
        lefts, tops = _steps(width, side), _steps(height, side)
        squares += [Square(left, top, side) for top in tops for left in lefts]
    return squares


def _steps(length: int, side: int) -> list[int]:
    """Return places of a window along one direction, about half a window apart, both ends included."""
    room = length - side
    count = 1 + round(room / (0.5 * side) + 0.49) if room > 0 else 1
    return [round(place) for place in np.linspace(0, room, count)] if count > 1 else [room // 2]


def find_square(image: Image, size: int, threshold: float, look: Look) -> tuple[Square | None, float]:
    """Choose the square for a picture [H,W,3].

    A square picture with a face of the right size is a head crop that somebody made, and is taken at once. In others
    the networks may see a face where there is half of one, so the centre must stand against all other squares.

    Returns: the square, None where no crop holds a face, and the best score that was seen.
    """
    height, width = image.shape[:2]
    centre = centre_square(height, width)
    there = look(cut(image, centre, size))
    fits = there.score >= threshold and SMALLEST_RATIO <= there.ratio <= LARGEST_RATIO
    if fits and width == height:
        return centre, there.score
    seen = [(square, look(cut(image, square, size))) for square in candidate_squares(height, width)]
    square, face = max([(centre, there), *seen], key=lambda pair: pair[1].score)
    if face.score < threshold:
        return None, face.score
    if fits and there.score >= face.score - CENTRE_ADVANTAGE:
        return centre, there.score
    return _refine(image, square, face, size, threshold, look)


def _refine(image: Image, square: Square, face: Face, size: int, threshold: float, look: Look) -> tuple[Square, float]:
    """Move and scale a square until it fits the face in it; stop where the face is lost on the way."""
    for _ in range(REFINEMENTS):
        better = fit_square(square, face, image.shape[0], image.shape[1])
        seen = look(cut(image, better, size))
        if better == square or seen.score < threshold:
            break
        square, face = better, seen
    return square, face.score


def fit_square(square: Square, face: Face, height: int, width: int) -> Square:
    """Return the square around a face that was seen in another one, pushed into the picture where it leaves it."""
    px = square.side / 2  # pixels in a crop unit
    centre_x = square.left + (face.centre_x + 1) * px
    centre_y = square.top + (face.centre_y + 1) * px
    smallest = min(SMALLEST_SIDE_PX, height, width)
    side = min(max(round(WANTED_RATIO * face.side * px), smallest), height, width)
    left = round(centre_x - side / 2)
    top = round(centre_y - side * (0.5 + SHIFT_UP))
    return Square(min(max(left, 0), width - side), min(max(top, 0), height - side), side)
