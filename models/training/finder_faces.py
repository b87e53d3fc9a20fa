"""Faces to paste: pictures of prepared clips and stills with their landmarks, small, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.data import read_frames
from models.training.dataset_index import Clip, read_index, read_track
from models.training.errors import DataError
from models.training.landmarker import Picture

SIZE = 192
"""Side of the pictures; a face of 90 % of the finder's 128 pixels is smaller in them than that."""
FRAMES = 16
"""Frames that are kept of a clip, evenly spread."""


@dataclass(frozen=True)
class Face:
    """A head crop uint8 RGB [S,S,3] and its landmarks [478,2] in its pixels."""

    picture: Picture
    landmarks: NDArray[np.float32]

    @property
    def box(self) -> NDArray[np.float32]:
        """Left, top, right, bottom of the landmarks."""
        return np.concatenate((self.landmarks.min(0), self.landmarks.max(0)))


@dataclass(frozen=True)
class People:
    """Faces in groups, one group a clip or still, so that a long clip is not drawn more often than a still."""

    groups: tuple[tuple[Face, ...], ...]

    def draw(self, random: np.random.Generator) -> Face:
        """Draw a face: a group, then one of its frames."""
        group = self.groups[int(random.integers(len(self.groups)))]
        return group[int(random.integers(len(group)))]


def load_people(folder: Path, splits: Sequence[str], frames: int = FRAMES, size: int = SIZE) -> People:
    """Read up to `frames` frames of each clip and every still of `splits`. Raises DataError."""
    chosen = [clip for clip in read_index(folder).clips if clip.split in splits]
    groups = [group for clip in chosen if (group := _faces(folder, clip, frames, size))]
    if not groups:
        raise DataError(f"{folder}: expected clips with faces of {'/'.join(splits)}, found none")
    return People(tuple(groups))


def _faces(folder: Path, clip: Clip, frames: int, size: int) -> tuple[Face, ...]:
    track = read_track(folder, clip)
    there = np.nonzero(track.detected)[0]
    if not len(there):
        return ()
    kept = np.unique(there[np.linspace(0, len(there) - 1, min(frames, len(there))).round().astype(int)])
    pictures = read_frames(folder / clip.video, size, set(kept.tolist()))
    points = (track.landmarks[kept, :, :2] + 1.0) * (size / 2)
    return tuple(Face(picture, where) for picture, where in zip(pictures, points.astype(np.float32), strict=False))
