"""When the crop moves: not at all while the head is about where it is in the source picture, smoothly after it, at once
to where it comes back.

    HOLD ── the head stays away from its place in the source picture ──> MOVE, until it is there again
    HOLD ── the face comes close to the border, or has become too small or too large ──> MOVE
    MOVE ── the square is where it should be ──> HOLD           the face moves on meanwhile: the square follows it
    a face that was lost and is found outside of the square: nobody saw it go there, and the square is put around it

A head that is drawn far from its place in the source picture leaves a hole there, and its neck behind: from a tenth of
the side on this is seen. A square that follows it takes head and body along, as somebody with a camera would.

Plain: what finder and networks saw and the time of each frame come in, the square of each frame comes out.
"""

import math
from enum import Enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.face_finder import FaceBox
from sender.crop_square import (
    LARGEST_RATIO,
    SMALLEST_RATIO,
    SMALLEST_SIDE_PX,
    Square,
    first_square,
    place_square,
)

MARGIN: Final = 0.04
"""Of the side: a face that is nearer to the border than this leaves."""
SLACK: Final = 1.15
"""How far outside of the usual ratios of crop and face the size may be before the crop grows or shrinks."""
NOT_WORTH_IT: Final = 0.03
"""A square that would move by less than this, in sides, stays: the border of the picture is in the way."""
AWAY: Final = 0.08
"""Of the side: a head that is further from its place in the source picture is away from it."""
AWAY_SIZE: Final = 0.2
"""Of its size, as a natural logarithm: the networks are off by half of that."""
AWAY_S: Final = 0.3
"""A head that comes back sooner has nodded, or was seen wrongly."""
SEEN_S: Final = 0.5
"""For so long what the networks saw counts."""
MIDDLE: Final = 0.3
"""Of the side: a face that the finder sees further from the middle is not where the networks see it."""
SPEED: Final = 0.8
"""Sides a second (and octaves of size, in natural logarithms) at most."""
ACCELERATION: Final = 2.5
"""Sides a second, a second."""
BRAKE: Final = 0.6 * ACCELERATION
"""Braking begins earlier than it must: a frame is not a moment, and the target may move."""
RETURN: Final = 3.0
"""Of the way back to its place, a second: a head that sways is followed as a person with a camera would."""
SLOWEST: Final = 0.04
"""Sides a second on that way, so that it ends."""
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


class Drift(NamedTuple):
    """Where a head is in the square against where it is in the source picture: to the right and down in sides, and the
    natural logarithm of its size's ratio.
    """

    x: float
    y: float
    size: float

    @property
    def away(self) -> bool:
        """Whether it is further from its place than it may be."""
        return math.hypot(self.x, self.y) > AWAY or abs(self.size) > AWAY_SIZE

    @property
    def far(self) -> bool:
        """Whether it is so far from its place that there is no waiting."""
        return math.hypot(self.x, self.y) > 2 * AWAY


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
        self._home_s, self._away_s = -math.inf, math.inf
        """When the networks saw the head in its place last, and since when they see it away from there."""
        self._returning = False
        """Whether the move under way takes the head back to its place."""
        self._resizing = False
        """Whether it does so to its size as well."""

    def head(self, drift: Drift, time_s: float, height: int, width: int) -> None:
        """Hear where the networks saw the head in the square of the frame of this time, of [height,width]."""
        if not drift.away:
            self._home_s, self._away_s = time_s, math.inf
        elif self._away_s > time_s:
            self._away_s = time_s
        waited = time_s - self._away_s >= AWAY_S or drift.far
        if not self._returning and (self.state is State.MOVE or not waited):
            return
        self._resizing = self._resizing or abs(drift.size) > AWAY_SIZE
        target = self._at_home(drift, height, width)
        if self._returning or self._far(target):
            self._target, self.state, self._returning = target, State.MOVE, True

    def see(self, face: FaceBox | None, time_s: float, height: int, width: int) -> None:
        """Hear what the finder saw in a frame of [height,width]: the face, or None where there is none."""
        if face is None:
            self._lost_s = time_s if self._lost_s is None else self._lost_s
            return
        lost = self._lost_s is not None and time_s - self._lost_s >= LOST_S
        self._lost_s = None
        target = self._wanted(face, time_s, height, width)
        if target is None:
            return
        if lost and not _holds(self.square, face.centre_x, face.centre_y):
            self._put(target, time_s)
        elif self.state is State.MOVE or self._far(target):
            self._target, self.state, self._returning = target, State.MOVE, False

    def square_at(self, time_s: float) -> Square:
        """Return the square of the frame captured at this time, and be there from now on."""
        step_s = 0.0 if self._time_s is None else min(max(time_s - self._time_s, 0.0), LONGEST_STEP_S)
        self._time_s = time_s
        if self.state is State.MOVE and step_s > 0:
            self._step(step_s, time_s)
        return self.square

    def _wanted(self, face: FaceBox, time_s: float, height: int, width: int) -> Square | None:
        """Where the square should be; None where it is well as it is. The size changes only when it must."""
        ratio = self._target.side / max(face.side, 1e-6)
        fits = SMALLEST_RATIO / SLACK <= ratio <= LARGEST_RATIO * SLACK
        known = self._returning or time_s - self._home_s < SEEN_S
        if known and _distance(self.square, face) < MIDDLE:
            return None  # the networks see it, and know its place better
        if fits and self.state is State.HOLD and _inside(self.square, face):
            return None
        if fits:
            return place_square(face, round(self._target.side), height, width)
        return first_square(face, height, width)

    def _at_home(self, drift: Drift, height: int, width: int) -> Square:
        """The square in which the head is where it is in the source picture, as far as the picture goes."""
        square = self.square
        side = round(square.side * math.exp(drift.size if self._resizing else 0.0))
        side = min(max(side, min(SMALLEST_SIDE_PX, height, width)), height, width)
        x, y = square.centre
        x, y = x + drift.x * square.side, y + drift.y * square.side
        left, top = round(x - side / 2), round(y - side / 2)
        return Square(min(max(left, 0), width - side), min(max(top, 0), height - side), side)

    def _far(self, target: Square) -> bool:
        return float(np.linalg.norm(_between(self.square, target))) > NOT_WORTH_IT

    def _put(self, square: Square, time_s: float) -> None:
        self._target, self._velocity, self.state, self._returning = square, np.zeros(3), State.HOLD, False
        self._resizing, self._away_s = False, math.inf
        self._go(square, time_s)

    def _step(self, step_s: float, time_s: float) -> None:
        """Speed up, keep the speed, and brake in time, all in sides; the last step ends on the target exactly."""
        way = _between(self.square, self._target)
        distance = float(np.linalg.norm(way))
        speed = min(SPEED, math.sqrt(2 * BRAKE * distance))
        if self._returning:
            speed = min(speed, max(RETURN * distance, SLOWEST))
        wanted = way / max(distance, 1e-9) * speed
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


def _distance(square: Square, face: FaceBox) -> float:
    """Of a face from the middle of a square, in sides."""
    x, y = square.centre
    return max(abs(face.centre_x - x), abs(face.centre_y - y)) / square.side


def _inside(square: Square, face: FaceBox) -> bool:
    """Whether the whole face box lies in the square, away from its border."""
    room = square.side / 2 * (1 - 2 * MARGIN)
    x, y = square.centre
    return abs(face.centre_x - x) + face.width / 2 <= room and abs(face.centre_y - y) + face.height / 2 <= room
