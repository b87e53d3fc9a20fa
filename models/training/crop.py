"""Which square of a clip is kept."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.errors import ClipRejected
from models.training.landmarker import Picture

SIZE = 256
WANTED_RATIO = 2.0  # crop side / larger side of the median landmark box
SMALLEST_RATIO = 1.4  # a picture that holds the face tighter than this is no head crop
KEPT_RATIOS = (1.25, 2.6)  # a square picture between these is taken for a crop that somebody already made
SHIFT_UP = 0.06  # of the side: hair above the landmarks, which end at the forehead
MAY_LEAVE = 0.05  # of the side: how far the wanted square may lie outside the frame before it is pushed in
SMALLEST_FACE_PX = 40


class Crop(NamedTuple):
    """A square of the source picture in its pixels: left, top, side; `whole` when it is the whole picture."""

    left: int
    top: int
    side: int
    whole: bool

    def cut(self, picture: Picture) -> Picture:
        """The square as uint8 RGB [256,256,3]; area averaging where it shrinks."""
        square = picture[self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side == SIZE:
            return np.ascontiguousarray(square)
        method = cv2.INTER_AREA if self.side > SIZE else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(square, (SIZE, SIZE), interpolation=method), np.uint8)

    def normalise(self, points_px: NDArray[np.float32]) -> NDArray[np.float64]:
        """Landmarks [N,478,3] in picture pixels to [-1,1] over the crop; z in the same unit."""
        origin = np.array([self.left, self.top, 0.0])
        middle = np.array([1.0, 1.0, 0.0])
        return np.asarray((points_px - origin) * (2.0 / self.side) - middle)


def landmark_boxes(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Boxes [N,4] (left, top, right, bottom) around landmarks [N,478,3], in their unit; NaN where there is no face."""
    return np.concatenate((points[..., :2].min(1), points[..., :2].max(1)), 1).astype(np.float64)


def choose_crop(points_px: NDArray[np.float32], width: int, height: int) -> Crop:
    """One square for a whole clip (FV2V: a fixed crop that holds the head).

    Centre = middle of the median landmark box, moved up by 6 % of the side; side = twice the box's larger side. It
    shrinks, to 1.4 times at the least, until no more than 5 % of it lies outside the frame, and is then pushed inside.
    A square picture in which the face already has the size of a head crop is kept whole.

    Args: points_px [N,478,3] in pixels, NaN where there is no face. Raises `ClipRejected`.
    """
    box = np.nanmedian(landmark_boxes(points_px), 0)
    face = float(max(box[2] - box[0], box[3] - box[1]))
    if face < SMALLEST_FACE_PX:
        raise ClipRejected(f"the face is {face:.0f} px large, expected at least {SMALLEST_FACE_PX}")
    if width == height and KEPT_RATIOS[0] <= width / face <= KEPT_RATIOS[1]:
        return Crop(0, 0, width, True)
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for ratio in np.linspace(WANTED_RATIO, SMALLEST_RATIO, 25):
        side = ratio * face
        left, top = centre_x - side / 2, centre_y - side * (0.5 + SHIFT_UP)
        outside = max(-left, -top, left + side - width, top + side - height, side - width, side - height)
        if outside <= MAY_LEAVE * side:
            return _inside(left, top, side, width, height)
    raise ClipRejected(
        f"the head crop leaves the picture by {outside / side:.0%} of its side, expected at most {MAY_LEAVE:.0%}"
    )


def _inside(left: float, top: float, side: float, width: int, height: int) -> Crop:
    whole_side = min(int(round(side)), width, height)
    x = min(max(int(round(left)), 0), width - whole_side)
    y = min(max(int(round(top)), 0), height - whole_side)
    return Crop(x, y, whole_side, whole_side == width == height)
