"""People as a measurement sees them: pictures of one clip, with landmarks and, where they can be had, descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.training.landmarker import Landmarker
from models.training.mean_face import PoseTrack, fit_pose, neutral_shape, pose_rotation, remove_pose
from replay.errors import CompareError
from replay.identity import FaceRecogniser

Image = NDArray[np.uint8]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What is found in N pictures. points [N,478,3] in px, NaN without a face; descriptors [N,128], None without a
    recognition network.
    """

    points: Array
    descriptors: Array | None

    @cached_property
    def found(self) -> NDArray[np.bool_]:
        """Whether there is a face, [N]."""
        return np.asarray(np.isfinite(self.points[:, 0, 0]))

    @cached_property
    def pose(self) -> PoseTrack:
        """Pose of each picture's head, NaN without a face."""
        return fit_pose(self.points)

    @cached_property
    def rotations(self) -> Array:
        """R [N,3,3] of each picture's head, NaN without a face."""
        return pose_rotation(self.pose)

    @cached_property
    def neutral(self) -> Array:
        """The median face [478,3] without pose, in the mean face's unit. Raises CompareError where no face is found."""
        if not self.found.any():
            raise CompareError("expected a face in at least one picture of a clip, MediaPipe found none")
        return neutral_shape(self.points, self.pose)

    def expressions(self, neutral: Array) -> Array:
        """How each face [N,478,3] differs from a neutral one, pose removed."""
        return remove_pose(self.points, self.pose) - neutral

    def distances(self, descriptor: Array) -> Array | None:
        """Distance [N] of each face to a descriptor [128]."""
        return None if self.descriptors is None else np.linalg.norm(self.descriptors - descriptor, axis=-1)


@dataclass(frozen=True)
class Looker:
    """Finds landmarks by MediaPipe, each picture on its own, and descriptors where there is a recognition network."""

    landmarker: Landmarker
    recogniser: FaceRecogniser | None = None

    def look(self, pictures: Sequence[Image]) -> Seen:
        """Look at pictures uint8 RGB [H,W,3]."""
        points = np.stack([self.landmarker.find(picture, still=True).astype(np.float64) for picture in pictures])
        if self.recogniser is None:
            return Seen(points, None)
        descriptors = [self.recogniser.describe(*one) for one in zip(pictures, points, strict=True)]
        return Seen(points, np.stack(descriptors))


@dataclass(frozen=True)
class Person:
    """One clip of a person: pictures at capture times in seconds; the first picture is the source. `identity` is equal
    for clips of the same person.
    """

    name: str
    identity: str
    pictures: tuple[Image, ...]
    times_s: tuple[float, ...]
    seen: Seen
