"""Whether the camera stood still. A moving one asks the networks for a background that moves by itself: it is flagged.

Two signs must agree, since each alone is fooled: the path of the background, followed from frame to frame (fooled by
hair, hands and shoulders), and how much the pixels of the upper border change (by a head that reaches the border).
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.landmarker import Picture

SIZE = 128  # pictures are followed at this size
STILL_CAMERA_PX = 10.0  # at 256 px; following drifts by some px where little can be followed
STILL_CAMERA_LEVELS = 3.0  # of 255
_STEP = 3  # frames between looks: slow pans then move more than the noise
_POINTS = 120
_FEWEST_POINTS = 8  # below, the background has nothing to hold on to and the picture does not mind a pan either

Array = NDArray[np.float64]


class CameraMotion(NamedTuple):
    """How far the background strays, in px at 256, and how much the upper border changes, in grey levels of 255."""

    path_px: float
    border_levels: float

    @property
    def still(self) -> bool:
        """Whether this is a camera that stands still."""
        return self.path_px < STILL_CAMERA_PX or self.border_levels < STILL_CAMERA_LEVELS


class CameraWatch:
    """Looks at what lies around the head through a clip; `motion` says what came of it."""

    def __init__(self) -> None:
        self._count = 0
        self._before: NDArray[np.uint8] | None = None
        self._path = [np.eye(3)]
        self._borders: list[Array] = []

    def add(self, crop: Picture, box: Array) -> None:
        """Take in one frame, uint8 RGB [H,H,3], and the box [4] of its face in [-1,1] (NaN: no face)."""
        self._count += 1
        if (self._count - 1) % _STEP:
            return
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        small = np.asarray(cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
        self._borders.append(small[_BORDER].astype(np.float64))
        if self._before is not None:
            self._path.append(_step(self._before, small, _background(box)) @ self._path[-1])
        self._before = small

    def motion(self) -> CameraMotion:
        """What was seen up to now; no motion before the second look."""
        if len(self._borders) < 2:
            return CameraMotion(0.0, 0.0)
        corners = np.array([[0.0, 0.0, 1.0], [SIZE, 0.0, 1.0], [SIZE / 2, 0.0, 1.0]]).T
        places = np.stack([(transform @ corners)[:2] for transform in self._path])  # [n,2,3]
        strayed = np.linalg.norm(places - np.median(places, 0), axis=1).mean(1)
        borders = np.stack(self._borders)
        borders -= np.median(borders, 1, keepdims=True)  # a change of exposure is no camera motion
        return CameraMotion(float(np.percentile(strayed, 95)) * 256 / SIZE, float(np.median(borders.std(0))))


def _border() -> NDArray[np.bool_]:
    strip = np.zeros((SIZE, SIZE), bool)
    edge, down = SIZE * 2 // 25, SIZE * 7 // 16  # shoulders move, so only the upper part of both sides
    strip[:edge], strip[:down, :edge], strip[:down, -edge:] = True, True, True
    return strip


_BORDER = _border()


def _background(box: Array) -> NDArray[np.uint8]:
    """Mask [SIZE,SIZE] of what is no head and no shoulder: beside and above a widened face box, upper two thirds."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[: SIZE * 2 // 3] = 255
    if np.isfinite(box).all():
        left, top, right, bottom = (box + 1) / 2 * SIZE
        side, up = 0.3 * (right - left), 0.5 * (bottom - top)
        mask[max(int(top - up), 0) :, max(int(left - side), 0) : max(int(right + side), 0)] = 0
    return mask


def _step(before: NDArray[np.uint8], after: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Array:
    """Shift, turn and zoom [3,3] of the background between two pictures; identity where nothing can be followed."""
    start = cv2.goodFeaturesToTrack(before, _POINTS, 0.02, 3, mask=mask)
    if start is None or len(start) < _FEWEST_POINTS:
        return np.eye(3)
    end, found, _ = cv2.calcOpticalFlowPyrLK(before, after, start, np.empty_like(start), winSize=(13, 13), maxLevel=3)
    kept = found.ravel() == 1
    if kept.sum() < _FEWEST_POINTS:
        return np.eye(3)
    fit, inliers = cv2.estimateAffinePartial2D(start[kept], end[kept], ransacReprojThreshold=1.0)
    if fit is None or inliers.mean() < 0.5:
        return np.eye(3)
    return np.vstack((fit, (0.0, 0.0, 1.0)))
