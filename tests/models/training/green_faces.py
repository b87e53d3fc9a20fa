"""Clips in which a green rectangle is the face, and a python that finds it in place of MediaPipe."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.clip_files import VideoWriter, write_still
from models.training.mean_face import MEAN_FACE

Box = tuple[int, int, int, int]  # left, top, right, bottom in px


def stand_in_python(folder: Path) -> Path:
    """An executable to be given where a python with MediaPipe is expected."""
    worker = Path(__file__).with_name("stand_in_worker.py")
    script = folder / "stand-in-python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{worker}" "{MEAN_FACE}"\n')
    script.chmod(0o755)
    return script


def picture(width: int, height: int, box: Box | None) -> NDArray[np.uint8]:
    """A grey picture with stripes, and a green face where there is a box."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[:, ::16] = 140
    image[::16] = 120
    if box:
        image[box[1] : box[3], box[0] : box[2]] = (30, 220, 30)
    return image


def write_clip(path: Path, size: tuple[int, int], boxes: Sequence[Box | None], fps: float = 25.0) -> Path:
    """A clip of one frame a box; width and height must be even."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, fps, size[0], size[1]) as writer:
        for box in boxes:
            writer.write(picture(*size, box))
    return path


def write_picture(path: Path, size: tuple[int, int], box: Box | None) -> Path:
    """A still with a face, or without."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_still(path, picture(*size, box))
    return path
