"""Pictures for the face finder: faces of any size, place and tilt on any background, and pictures without one.

    background -> [smaller face ->] face -> light, blur, noise, JPEG -> letterbox

The border of what is pasted must not give the face away. So pictures without a face are pasted in the same way with
their face painted over, borders are soft and of many shapes, and a part of the pictures is nothing but a head crop
that fills the frame, with its own surroundings.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.finder_backgrounds import Random, draw_background, headless
from models.training.finder_faces import Face, People
from models.training.landmarker import Picture

ASPECTS: Final = (1.0, 4 / 3, 16 / 9, 3 / 4, 9 / 16, 1.22)
SMALLEST: Final = 0.075
"""Larger side of the smallest faces, of the longer side of the picture."""
LARGEST: Final = 0.95
"""Larger side of the largest faces, of the shorter side of the picture."""
VISIBLE: Final = 0.7
"""Share of a face's box that lies in the picture at least."""

Boxes = NDArray[np.float32]


@dataclass(frozen=True)
class Composite:
    """A letterboxed picture uint8 RGB [S,S,3] and the boxes [n,4] of its faces (left, top, right, bottom, in px)."""

    picture: Picture
    boxes: Boxes


class Composer:
    """Draws pictures without end; the same seed draws the same ones."""

    def __init__(self, people: People, size: int, seed: int) -> None:
        self._people = people
        self._size = size
        self._random = np.random.default_rng(seed)

    def draw(self) -> Composite:
        """Draw a picture with no face (one in five), one, or two."""
        random, size = self._random, self._size
        aspect = float(random.choice(ASPECTS)) if random.random() < 0.7 else float(np.exp(random.uniform(-0.7, 0.7)))
        width, height = (size, round(size / aspect)) if aspect >= 1 else (round(size * aspect), size)
        kind = random.random()
        picture = draw_background(self._people, width, height, random)
        boxes: list[NDArray[np.float32]] = []
        if kind < 0.2:
            for _ in range(int(random.integers(0, 3))):
                decoy = self._people.draw(random)
                paste(
                    picture, Face(headless(decoy, random), decoy.landmarks), random, Paste.draw(width, height, random)
                )
        else:
            for _ in range(2 if kind > 0.88 else 1):
                where = Paste.draw(width, height, random)
                box = paste(picture, self._people.draw(random), random, where, boxes)
                boxes += [] if box is None else [box]
        picture = disturb(picture, random)
        left, top = (size - width) // 2, (size - height) // 2
        canvas = np.full((size, size, 3), 128, np.uint8)
        canvas[top : top + height, left : left + width] = picture
        moved = np.array(boxes, np.float32).reshape(-1, 4) + np.array([left, top, left, top], np.float32)
        return Composite(canvas, moved)


@dataclass(frozen=True)
class Paste:
    """How a face lies in the picture: larger side of its box in pixels, tilt, stretch in height, mirrored or not, and
    whether something covers a part of it.
    """

    side: float
    roll_deg: float
    stretch: float
    mirrored: bool
    covered: bool = False

    @classmethod
    def draw(cls, width: int, height: int, random: Random) -> "Paste":
        smallest, largest = SMALLEST * max(width, height), LARGEST * min(width, height)
        # half of the sizes even in octaves, half even in pixels: calls show large faces more than small ones
        if random.random() < 0.5:
            side = np.exp(random.uniform(np.log(smallest), np.log(largest)))
        else:
            side = random.uniform(smallest, largest)
        roll = random.normal(0, 13) if random.random() < 0.9 else random.uniform(-50, 50)
        return cls(
            float(side),
            float(roll),
            float(random.uniform(0.92, 1.08)),
            *(bool(random.random() < p) for p in (0.5, 0.25)),
        )

    def matrix(self, face: Face, centre: NDArray[np.float64]) -> NDArray[np.float64]:
        """Affine map [2,3] from the face's picture to the canvas; the middle of the face box goes to `centre`."""
        left, top, right, bottom = face.box.astype(np.float64)
        scale = self.side / max(right - left, bottom - top)
        turn = np.deg2rad(self.roll_deg)
        flip = -1.0 if self.mirrored else 1.0
        linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = scale * linear @ np.diag((flip, self.stretch))
        middle = np.array(((left + right) / 2, (top + bottom) / 2))
        return np.column_stack((linear, centre - linear @ middle))


def paste(
    picture: Picture, face: Face, random: Random, where: Paste, others: list[NDArray[np.float32]] | None = None
) -> NDArray[np.float32] | None:
    """Paste a head into a picture, in place; returns the box [4] of its landmarks, None where it did not fit in."""
    height, width = picture.shape[:2]
    middle = np.array((width / 2, height / 2))
    for _ in range(6):
        reach = where.side * (0.5 if random.random() < 0.8 else 0.3)
        matrix = where.matrix(face, random.uniform(np.minimum(reach, middle), np.maximum(2 * middle - reach, middle)))
        points = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
        box = np.concatenate((points.min(0), points.max(0))).astype(np.float32)
        if _visible(box, width, height) >= VISIBLE and not any(_touch(box, other) for other in others or ()):
            break
    else:
        return None
    source, shrink = cover(face, random) if where.covered else face.picture, _scale(matrix)
    if shrink < 0.7:  # a warp alone would skip pixels
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.35 / shrink), np.uint8)
    border = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)[int(random.integers(2))]
    warped = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)
    mask = _mask(face, matrix, width, height, random)[..., None]
    picture[:] = (warped * mask + picture * (1 - mask)).astype(np.uint8)
    return box


def cover(face: Face, random: Random) -> Picture:
    """Return the picture with a hat down to the brows, or a hand or a cup before another part of the face."""
    picture = face.picture.copy()
    left, top, right, bottom = (float(value) for value in face.box)
    across, down = right - left, bottom - top
    light = random.uniform(20, 250)
    colour = tuple(float(value) for value in np.clip(light + random.normal(0, 25, 3), 0, 255))
    if random.random() < 0.6:
        middle = ((left + right) / 2 + across * random.normal(0, 0.05), top - down * random.uniform(0.0, 0.25))
        rim = top + down * random.uniform(0.0, 0.25)  # landmarks begin at the forehead, brows are a quarter below
        axes = (across * random.uniform(0.55, 0.85), rim - middle[1])
    else:
        middle = (left + across * random.uniform(-0.1, 1.1), top + down * random.uniform(0.5, 1.1))
        axes = (across * random.uniform(0.1, 0.3), down * random.uniform(0.1, 0.3))
    whole = [int(value) for value in (*middle, *axes)]
    tilt = float(random.uniform(-20, 20))
    cv2.ellipse(picture, whole[:2], [max(1, side) for side in whole[2:]], tilt, 0, 360, colour, -1)
    return picture


def _scale(matrix: NDArray[np.float64]) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def _mask(face: Face, matrix: NDArray[np.float64], width: int, height: int, random: Random) -> NDArray[np.float32]:
    """Draw how much of the pasted picture is seen [H,W] in [0,1]: all of it, the crop, or an oval around the head."""
    size = face.picture.shape[0]
    scale = _scale(matrix)
    left, top, right, bottom = face.box
    larger = float(max(right - left, bottom - top))
    mask = np.zeros((size, size), np.uint8)
    kind = random.random()
    if kind < 0.55:  # the crop, drawn in by a little and with round corners
        inset = int(random.uniform(0.0, 0.1) * size)
        below = inset if random.random() < 0.5 else 0
        cv2.rectangle(mask, (inset, inset), (size - 1 - inset, size - 1 - below), 255, -1)
    else:  # an oval around head and hair, with or without what is below the chin
        middle = (int((left + right) / 2), int((top + bottom) / 2 - 0.1 * larger))
        axes = (int(larger * random.uniform(0.55, 0.85)), int(larger * random.uniform(0.7, 0.95)))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
        if random.random() < 0.7:
            waist = int(larger * random.uniform(0.5, 1.0))
            cv2.rectangle(mask, (middle[0] - waist, int(bottom)), (middle[0] + waist, size - 1), 255, -1)
    placed = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    softness = float(random.uniform(0.3, 0.07 * size * scale + 0.8))
    return np.asarray(cv2.GaussianBlur(placed, (0, 0), softness).astype(np.float32) / 255, np.float32)


def _visible(box: NDArray[np.float32], width: int, height: int) -> float:
    seen_w = max(0.0, min(box[2], width) - max(box[0], 0.0))
    seen_h = max(0.0, min(box[3], height) - max(box[1], 0.0))
    return float(seen_w * seen_h / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6))


def _touch(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool((np.minimum(one[2:], other[2:]) > np.maximum(one[:2], other[:2])).all())


def disturb(picture: Picture, random: Random) -> Picture:
    """Change light and colour, blur, add noise, and code as JPEG, each by chance, over the whole picture."""
    height, width = picture.shape[:2]
    levels = np.arange(256, dtype=np.float32) / 255
    curves = levels[:, None] ** np.exp(random.normal(0, 0.3)) * np.exp(random.normal(0, 0.12, 3))
    curves = (curves - 0.5) * np.exp(random.normal(0, 0.2)) + 0.5 + random.normal(0, 0.06)
    table = (curves.clip(0, 1) * 255).astype(np.uint8)
    picture = np.stack([table[picture[..., channel], channel] for channel in range(3)], -1)
    if random.random() < 0.12:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, -1)
    if random.random() < 0.25:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(random.uniform(0.3, 1.3))), np.uint8)
    if random.random() < 0.15:
        small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if random.random() < 0.35:
        noise = random.normal(0, random.uniform(1, 12), (height, width, 1 if random.random() < 0.5 else 3))
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))]
        picture = np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    return picture
