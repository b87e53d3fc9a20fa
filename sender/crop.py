"""The crop that the networks see, cut out of every frame.

crop_square.py  chooses the square      crop_watch.py   looks for the face now and then
crop_follow.py  says when it moves      crop_report.py  says what the receiver is told of that
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from sender.camera import Frame, Image
from sender.crop_follow import Drift, Follower
from sender.crop_square import Square, cut
from sender.crop_watch import FaceWatch


class Crops(Protocol):
    """Whatever cuts frames."""

    def crop(self, frame: Frame) -> Image:
        """Cut uint8 RGB [H,W,3] to [S,S,3]."""


class Cropper:
    """Cuts the square out of every frame and resizes it to the networks' size."""

    def __init__(self, square: Square, size: int, watch: FaceWatch | None = None) -> None:
        """Begin with `square`, where the source picture is from; without a watch it stays there."""
        self.size = size
        self.follower = Follower(square)
        self._watch = watch
        self._seen = (0, 0)

    def crop(self, frame: Frame) -> Image:
        """Cut uint8 RGB [H,W,3] to [size,size,3]. Frames come in the order of capture."""
        self._seen = frame.image.shape[:2]
        if self._watch is not None:
            self._watch.look(frame, self.follower)
        return cut(frame.image, self.follower.square_at(frame.capture_time_s), self.size)

    def head(self, drift: Drift, time_s: float) -> None:
        """Say where the networks saw the head in the last crop, captured at this time."""
        if self._watch is not None:
            self.follower.head(drift, time_s, *self._seen)

    def worry(self) -> None:
        """Say that the networks lost the face in the crop, or see it near the border."""
        if self._watch is not None:
            self._watch.worry()

    @property
    def nobody(self) -> bool:
        """Whether there has been nothing like a face in the whole picture for some time."""
        return self._watch is not None and self._watch.nobody


class RecordedCropper:
    """Cuts what a Cropper cut, from the path that it left."""

    def __init__(self, path: Sequence[tuple[float, Square]], size: int) -> None:
        """Each entry holds from its capture time in seconds on; there is at least one."""
        self._path = path
        self._size = size

    def crop(self, frame: Frame) -> Image:
        """Cut uint8 RGB [H,W,3] to [size,size,3]."""
        index = bisect_right(self._path, frame.capture_time_s + 1e-6, key=lambda entry: entry[0])
        return cut(frame.image, self._path[max(index - 1, 0)][1], self._size)
