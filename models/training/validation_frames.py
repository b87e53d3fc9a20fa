"""The pictures of one clip that `facewire validate` looks at: frame 0 as source, later frames to be redrawn."""

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.resize import resize
from models.training.clip_files import read_frames
from models.training.crop import landmark_boxes
from models.training.dataset_index import Clip, read_track
from models.training.errors import ClipRejected, DataError
from models.training.landmarker import Picture

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frames:
    """Which frames are measured, and how large: each `every`-th of the first `first`, but for frame 0, the source.

    size: side of the pictures. originals: folder of the clips from which the prepared ones were cut, for pictures
    larger than those; None takes the prepared ones.
    """

    every: int
    first: int
    size: int
    originals: Path | None = None


class ClipPictures(NamedTuple):
    """source [1,3,S,S], driving [N,3,S,S] in [0,1]; boxes [N,4] of the driving faces in [-1,1]; frame numbers [N]."""

    source: Tensor
    driving: Tensor
    boxes: Array
    numbers: list[int]


def read_clip(data: Path, clip: Clip, frames: Frames) -> ClipPictures:
    """Read a clip's pictures. Raises `DataError` when its files do not agree with the index, or hold too few frames."""
    boxes = _fill(landmark_boxes(read_track(data, clip).landmarks))
    path = _original(frames.originals, clip) if frames.originals else data / clip.video
    try:
        pictures = list(islice(read_frames(path), frames.first))
    except ClipRejected as error:
        raise DataError(f"expected the clip {clip.name} at {path}: {error}") from None
    expected = min(clip.frames, frames.first)
    if len(pictures) != expected or expected <= frames.every:
        raise DataError(f"expected {expected} frames, more than {frames.every}, in {path}, got {len(pictures)}")
    if frames.originals:
        left, top, side = clip.crop
        pictures = [picture[top : top + side, left : left + side] for picture in pictures]
    numbers = list(range(frames.every, len(pictures), frames.every))
    driving = to_tensor([pictures[n] for n in numbers], frames.size)
    return ClipPictures(to_tensor(pictures[:1], frames.size), driving, boxes[numbers], numbers)


def to_tensor(pictures: list[Picture], size: int) -> Tensor:
    """Square pictures uint8 RGB [H,H,3] -> [N,3,size,size] in [0,1]."""
    return resize(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255, size)


def bicubic(pictures: Tensor, size: int) -> Tensor:
    """Pictures [N,3,S,S] in [0,1] scaled up as a video player would: what larger pictures must beat."""
    scaled = [
        cv2.resize(picture.permute(1, 2, 0).cpu().numpy(), (size, size), interpolation=cv2.INTER_CUBIC)
        for picture in pictures
    ]
    return torch.from_numpy(np.stack(scaled)).permute(0, 3, 1, 2).clamp(0.0, 1.0)


def _original(folder: Path, clip: Clip) -> Path:
    path = next((path for path in sorted(folder.glob("*")) if path.stem == clip.name), None)
    if path is None:
        raise DataError(f"expected the clip {clip.name} in {folder}, found none")
    if hashlib.sha256(path.read_bytes()).hexdigest() != clip.source_sha256:
        raise DataError(f"expected the clip from which {clip.video} was cut at {path}, got another one")
    return path


def _fill(boxes: Array) -> Array:
    """Boxes [N,4] with those of frames without a face taken from the nearest frame that has one."""
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    nearest = known[np.abs(np.arange(len(boxes))[:, None] - known[None]).argmin(1)]
    return np.asarray(boxes[nearest])
