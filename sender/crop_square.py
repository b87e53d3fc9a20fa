"""Squares of a picture: which one the networks see at the start of a call, and how one is cut out.

The head composes in a fixed crop (FV2V, FOMM): a square whose side is 1.9 times the face's, with room for the hair.
A square picture in which the face already has about that size is taken as it is. crop_follow.py says when the square
moves after that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.face_finder import FaceBox
from sender.camera import Image

WANTED_RATIO: Final = 1.9
"""Side of the crop / larger side of the face box."""
SMALLEST_RATIO: Final = 1.4
LARGEST_RATIO: Final = 2.6
SHIFT_UP: Final = 0.06
"""Of the side: the face box ends at the forehead, the hair does not."""
SMALLEST_SIDE_PX: Final = 48

Find = Callable[[Image], FaceBox]
"""Finds the face to follow in a picture uint8 RGB [H,W,3], however unlikely (models.face_finder)."""
Confirm = Callable[[Image], float]
"""Says how surely the networks that read the motion see a face in a crop uint8 RGB [S,S,3], in [0,1]."""


@dataclass(frozen=True)
class Square:
    """A square of a picture, in its pixels; whole numbers unless it is moving."""

    left: float
    top: float
    side: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle (x, y)."""
        return self.left + self.side / 2, self.top + self.side / 2


def cut(image: Image, square: Square, size: int) -> Image:
    """Cut a square out of [H,W,3] and resize it to [size,size,3]; area averaging where it shrinks.

    A square on whole pixels is cut exactly; one between them is sampled there, so that a slow move is a smooth one.
    """
    side = max(1, round(square.side))
    if square == Square(int(square.left), int(square.top), side):
        left, top = int(square.left), int(square.top)
        part = image[top : top + side, left : left + side]
    else:
        part = _sample(image, square, side)
    if side == size:
        return np.ascontiguousarray(part)
    method = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=method), np.uint8)


def _sample(image: Image, square: Square, side: int) -> Image:
    """Sample a square that lies between pixels, as [side,side,3]; pixel i covers [i, i+1)."""
    step = square.side / side
    matrix = np.array([[step, 0, square.left + step / 2 - 0.5], [0, step, square.top + step / 2 - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def centre_square(height: int, width: int) -> Square:
    """Return the largest square in the middle of a picture."""
    side = min(height, width)
    return Square((width - side) // 2, (height - side) // 2, side)


def first_square(face: FaceBox, height: int, width: int) -> Square:
    """Choose the square of a call: the whole picture where it is a head crop already, else around the face."""
    ratio = width / max(face.side, 1e-6)
    if width == height and SMALLEST_RATIO <= ratio <= LARGEST_RATIO:
        return centre_square(height, width)
    smallest = min(SMALLEST_SIDE_PX, height, width)
    side = min(max(round(WANTED_RATIO * face.side), smallest), height, width)
    return place_square(face, side, height, width)


def place_square(face: FaceBox, side: int, height: int, width: int) -> Square:
    """Return the square of `side` around a face, on whole pixels, pushed into the picture where it leaves it."""
    left, top = round(face.centre_x - side / 2), round(face.centre_y - side * (0.5 + SHIFT_UP))
    return Square(min(max(left, 0), width - side), min(max(top, 0), height - side), side)


def find_square(image: Image, size: int, threshold: float, find: Find, confirm: Confirm) -> tuple[Square | None, float]:
    """Choose the square for a picture [H,W,3]: around the face that is found, if the networks see it there, too.

    Returns: the square, None where there is no face, and the score: the lower one of the two.
    """
    face = find(image)
    if face.score < threshold:
        return None, face.score
    square = first_square(face, *image.shape[:2])
    score = min(face.score, confirm(cut(image, square, size)))
    return (square if score >= threshold else None), score
