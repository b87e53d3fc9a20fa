"""When the crop moves: not at all while the head is inside, smoothly when it leaves, at once to where it comes back.

    HOLD ── the face comes close to the border, or has become too small or too large ──> MOVE
    MOVE ── the square is where it should be ──> HOLD           the face moves on meanwhile: the square follows it
    a face that was lost and is found outside of the square: nobody saw it go there, and the square is put around it

Plain: what the finder saw and the time of each frame come in, the square of each frame comes out.
"""

import math
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.face_finder import FaceBox
from sender.crop_square import LARGEST_RATIO, SMALLEST_RATIO, Square, first_square, place_square

MARGIN: Final = 0.04
"""Of the side: a face that is nearer to the border than this leaves."""
SLACK: Final = 1.15
"""How far outside of the usual ratios of crop and face the size may be before the crop grows or shrinks."""
NOT_WORTH_IT: Final = 0.03
"""A square that would move by less than this, in sides, stays: the border of the picture is in the way."""
SPEED: Final = 0.8
"""Sides a second (and octaves of size, in natural logarithms) at most."""
ACCELERATION: Final = 2.5
"""Sides a second, a second."""
BRAKE: Final = 0.6 * ACCELERATION
"""Braking begins earlier than it must: a frame is not a moment, and the target may move."""
LONGEST_STEP_S: Final = 0.1
"""A gap in the frames is no reason for a longer step than this allows."""
LOST_S: Final = 0.5
"""Without a face for so long, a call shows no motion that could jump."""
MOST_STEPS: Final = 20_000
"""Squares that are remembered for the report: ten minutes of movement without a rest."""

Vector = NDArray[np.float64]
"""Middle (x, y) in pixels and log of the side."""


class State(Enum):
    """What the crop does."""

    HOLD = "hold"
    MOVE = "move"


class Follower:
    """The square of one call. Times are capture times in seconds and do not fall."""

    def __init__(self, square: Square) -> None:
        self.square = square
        self.state = State.HOLD
        self.path: list[tuple[float, Square]] = [(0.0, square)]
        """Every change: from this time on, this square."""
        self._target = square
        self._velocity = np.zeros(3)
        self._time_s: float | None = None
        self._lost_s: float | None = None

    def see(self, face: FaceBox | None, time_s: float, height: int, width: int) -> None:
        """Hear what the finder saw in a frame of [height,width]: the face, or None where there is none."""
        if face is None:
            self._lost_s = time_s if self._lost_s is None else self._lost_s
            return
        lost = self._lost_s is not None and time_s - self._lost_s >= LOST_S
        self._lost_s = None
        target = self._wanted(face, height, width)
        if target is None:
            return
        if lost and not _holds(self.square, face.centre_x, face.centre_y):
            self._put(target, time_s)
        elif self.state is State.MOVE or self._far(target):
            self._target, self.state = target, State.MOVE

    def square_at(self, time_s: float) -> Square:
        """Return the square of the frame captured at this time, and be there from now on."""
        step_s = 0.0 if self._time_s is None else min(max(time_s - self._time_s, 0.0), LONGEST_STEP_S)
        self._time_s = time_s
        if self.state is State.MOVE and step_s > 0:
            self._step(step_s, time_s)
        return self.square

    def _wanted(self, face: FaceBox, height: int, width: int) -> Square | None:
        """Where the square should be; None where it is well as it is. The size changes only when it must."""
        ratio = self._target.side / max(face.side, 1e-6)
        fits = SMALLEST_RATIO / SLACK <= ratio <= LARGEST_RATIO * SLACK
        if fits and self.state is State.HOLD and _inside(self.square, face):
            return None
        if fits:
            return place_square(face, round(self._target.side), height, width)
        return first_square(face, height, width)

    def _far(self, target: Square) -> bool:
        return float(np.linalg.norm(_between(self.square, target))) > NOT_WORTH_IT

    def _put(self, square: Square, time_s: float) -> None:
        self._target, self._velocity, self.state = square, np.zeros(3), State.HOLD
        self._go(square, time_s)

    def _step(self, step_s: float, time_s: float) -> None:
        """Speed up, keep the speed, and brake in time, all in sides; the last step ends on the target exactly."""
        way = _between(self.square, self._target)
        distance = float(np.linalg.norm(way))
        wanted = way / max(distance, 1e-9) * min(SPEED, math.sqrt(2 * BRAKE * distance))
        change = wanted - self._velocity
        most = ACCELERATION * step_s
        self._velocity = self._velocity + change * min(1.0, most / max(float(np.linalg.norm(change)), 1e-9))
        self._velocity *= min(1.0, SPEED / max(float(np.linalg.norm(self._velocity)), 1e-9))
        moved = self._velocity * step_s
        if distance <= max(float(np.linalg.norm(moved)), 0.5 * ACCELERATION * step_s**2):
            self._put(self._target, time_s)
            return
        side = self.square.side * math.exp(moved[2])
        x, y = (middle + part * self.square.side for middle, part in zip(self.square.centre, moved[:2], strict=True))
        self._go(Square(x - side / 2, y - side / 2, side), time_s)

    def _go(self, square: Square, time_s: float) -> None:
        self.square = square
        if len(self.path) < MOST_STEPS:
            self.path.append((time_s, square))


def _between(start: Square, end: Square) -> Vector:
    """From one square to another: middle (x, y) in sides of the first, and log of the sides' ratio."""
    (x0, y0), (x1, y1) = start.centre, end.centre
    return np.array([(x1 - x0) / start.side, (y1 - y0) / start.side, math.log(end.side / start.side)])


def _holds(square: Square, x: float, y: float) -> bool:
    return square.left <= x <= square.left + square.side and square.top <= y <= square.top + square.side


def _inside(square: Square, face: FaceBox) -> bool:
    """Whether the whole face box lies in the square, away from its border."""
    room = square.side / 2 * (1 - 2 * MARGIN)
    x, y = square.centre
    return abs(face.centre_x - x) + face.width / 2 <= room and abs(face.centre_y - y) + face.height / 2 <= room
