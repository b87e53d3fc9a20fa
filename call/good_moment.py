"""When to take the picture of oneself: the head towards the camera, eyes open, nothing blurred.

Each crop that is looked at is marked by its faults; the best of a while is taken. The first picture of a call is wanted
soon, so one that is good enough is taken at once, and after a second the best there is. A picture that is only to
replace another one can wait until a good one comes.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np

from codec.motion import Motion
from models.config import ModelConfig
from models.keypoints import LANDMARKS
from models.placing import Points, shape
from models.rotations import Array
from models.weights import Model
from sender.camera import Image

FRONTAL_DEG: Final = 20.0
"""A head turned by so much is one fault; a picture with less than one in all is good."""
OPEN: Final = 0.32
"""How high an upper lid stands above the line through the corners, in half widths of the eye, in 90 % of frames of 24
clips of people who talk; 0.4 is usual, and 0.1 is a closed eye."""
CLOSED: Final = 0.1
BLURRED: Final = 0.6
"""Of the sharpest crop of the last while: less than this is one fault."""
HALF_CLOSED: Final = 0.6
"""Of the widest that these eyes were of late: one fault, as far as OPEN and CLOSED do not say more."""
FADES_S: Final = 20.0
"""In which the best of late is worth half."""
PATIENCE_S: Final = 1.0
LEISURE_S: Final = 3.0
"""How long the best picture is looked for where there is no hurry; then for as long until it is good."""
MIDDLE: Final = 0.25
"""Of the crop's side: the face is in its middle half, the rest says nothing of how sharp it is."""


class Measured(NamedTuple):
    """What the networks found in a crop: its motion, told against x_c [K,3], and how surely it holds a face."""

    motion: Motion
    x_c: Points
    face_score: float


class Candidate(NamedTuple):
    """A crop uint8 RGB [S,S,3], the same at twice the size or None, when it was captured, and its faults: 0 is best."""

    crop: Image
    large: Image | None
    time_s: float
    faults: float


class GoodMoment:
    """Looks at crops, in the thread of whoever watches the camera, until one is worth taking."""

    def __init__(self, model: Model) -> None:
        self._knows_eyes = isinstance(model.config, ModelConfig) and model.config.keypoints == len(LANDMARKS)
        self._facing = (0.0, 0.0)
        self._began_s: float | None = None
        self._best: Candidate | None = None
        self._sharpest, self._widest = _BestOfLate(), _BestOfLate()

    def face(self, yaw_deg: float, pitch_deg: float) -> None:
        """Take a picture that looks this way instead of towards the camera."""
        self._facing = (yaw_deg, pitch_deg)

    def look(self, seen: Measured, crop: Image, large: Image | None, at_leisure: bool) -> Candidate | None:
        """Look at a crop and what was measured in it; returns the picture to take, or None while a better one may come.

        Frames come in the order of capture.
        """
        time_s = seen.motion.capture_time_s
        faults = self.faults(seen, crop)
        if self._best is None or faults < self._best.faults:
            self._best = Candidate(crop, large, time_s, faults)
        self._began_s = time_s if self._began_s is None else self._began_s
        best, waited_s = self._best, time_s - self._began_s
        good = best.faults < 1.0
        if waited_s < LEISURE_S if at_leisure else not good and waited_s < PATIENCE_S:
            return None
        self.forget()
        return best if good or not at_leisure else None

    def forget(self) -> None:
        """Begin anew with the next crop."""
        self._began_s = self._best = None

    def faults(self, seen: Measured, crop: Image) -> float:
        """What is wrong with a crop uint8 RGB [S,S,3] as a picture of somebody: 0 and up, 1 is as much as may be."""
        motion = seen.motion
        yaw_deg, pitch_deg = self._facing
        turned_deg = max(abs(motion.yaw_deg - yaw_deg), abs(motion.pitch_deg - pitch_deg), abs(motion.roll_deg))
        sharp = self._sharpest.share(sharpness(crop), motion.capture_time_s)
        blurred = max((1.0 - sharp) / (1.0 - BLURRED) - 0.5, 0.0)
        closed = self._closed(seen) if self._knows_eyes else 0.0
        return turned_deg / FRONTAL_DEG + closed + blurred + 1.0 - seen.face_score

    def _closed(self, seen: Measured) -> float:
        wide = eyes_open(seen.motion, seen.x_c)
        share = self._widest.share(max(wide, 0.0), seen.motion.capture_time_s)
        return max((OPEN - wide) / (OPEN - CLOSED), (1.0 - share) / (1.0 - HALF_CLOSED) - 0.5, 0.0)


class _BestOfLate:
    """The largest value of the last while."""

    def __init__(self) -> None:
        self._best, self._best_s = 0.0, 0.0

    def share(self, value: float, time_s: float) -> float:
        """Of the best, this one included, what a value is: in [0,1]."""
        faded = self._best * 0.5 ** (max(time_s - self._best_s, 0.0) / FADES_S)
        if value >= faded:
            self._best, self._best_s = value, time_s
        return float(value / max(value, faded, 1e-6))


def sharpness(crop: Image) -> float:
    """How steep the edges in the middle of a crop uint8 RGB [S,S,3] are: little under motion blur, or out of focus."""
    edge = int(MIDDLE * len(crop))
    middle = cv2.cvtColor(crop[edge : len(crop) - edge, edge : len(crop) - edge], cv2.COLOR_RGB2GRAY)
    grey = middle.astype(np.float32)
    return float(np.sqrt((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean()))


def eyes_open(motion: Motion, x_c: Points) -> float:
    """How far the wider eye is open, in half widths of the eye, by motion and keypoints x_c [20,3] of `compact`."""
    points = shape(motion, x_c)
    return max(_opening(points, 33, 133, 159), _opening(points, 362, 263, 386))


def _opening(points: Array, left: int, right: int, lid: int) -> float:
    """How high a lid stands above the middle between its eye's corners; all by MediaPipe's numbers."""
    a, b, top = (points[LANDMARKS.index(landmark), :2] for landmark in (left, right, lid))
    half = max(float(np.linalg.norm(b - a)) / 2, 1e-6)
    along = (b - a) / (2 * half)
    up = np.array([along[1], -along[0]])
    return float(((top - (a + b) / 2) * up).sum()) / half
