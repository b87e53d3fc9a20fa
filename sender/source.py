"""The source picture: where the face is, and the one picture of it that crosses the wire as pixels."""

import io
from dataclasses import dataclass, field
from threading import Event
from typing import Final

import numpy as np
from PIL import Image as Pillow

from sender.camera import FrameSource, Image
from sender.crop_square import Confirm, Find, Square, cut, find_square
from sender.errors import NoFace

LOOKS = 8
"""Frames of a clip's first second in which a face is looked for."""
MIME: Final = "image/webp"
LARGE_FROM: Final = 1.5
"""Side of the crop over the networks' size from which a picture of twice that size holds more than the small one."""
LARGE_QUALITY: Final = 80
"""WebP quality of the large picture: four times the pixels in 1.4 times the bytes, 10 kB."""


@dataclass(frozen=True)
class Source:
    """What the call begins with: the square that is cut out of every frame, and the first good crop, encoded."""

    square: Square
    picture: bytes
    large: Image | None = field(default=None, compare=False, repr=False)
    """The same crop at twice the size, RGB, for a receiver that shows pictures so large; None without that detail."""


def find_source(
    frames: FrameSource,
    name: str,
    size: int,
    threshold: float,
    search_s: float,
    find: Find,
    confirm: Confirm,
    quality: int,
    stop: Event | None = None,
) -> Source:
    """Look for a face in the first `search_s` seconds of a clip or camera, in up to 8 frames of them.

    Blocks; belongs into a thread, and ends early when `stop` is set. Raises NoFace, InputError.
    """
    step_s = search_s / LOOKS
    best, seen, due_s = 0.0, 0, 0.0
    while (frame := frames.read()) is not None and frame.capture_time_s <= search_s:
        seen += 1
        if stop is not None and stop.is_set():
            break
        if frame.capture_time_s < due_s:
            continue
        due_s = frame.capture_time_s + step_s
        square, score = find_square(frame.image, size, threshold, find, confirm)
        if square is not None:
            large = cut(frame.image, square, 2 * size) if square.side >= LARGE_FROM * size else None
            return Source(square, encode_picture(cut(frame.image, square, size), quality), large)
        best = max(best, score)
    raise NoFace(
        f"{name}: expected a face in the first {search_s:g} s, found none in {seen} frames "
        f"(best score {best:.2f}, needed {threshold:.2f}): one face, well lit, is wanted"
    )


def encode_picture(crop: Image, quality: int) -> bytes:
    """Encode a crop uint8 RGB [S,S,3] as WebP; 10 to 15 kB at 256 px and quality 90."""
    file = io.BytesIO()
    Pillow.fromarray(crop).save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


def decode_picture(content: bytes) -> Image:
    """Decode what `encode_picture` made, as the receiver will: uint8 RGB [S,S,3]."""
    return np.array(Pillow.open(io.BytesIO(content)).convert("RGB"), np.uint8)
