"""What a camera gives, and what was found in it."""

from dataclasses import dataclass
from typing import NamedTuple

from codec.motion import Motion
from sender.camera import Image
from sender.crop_square import Square


@dataclass(frozen=True)
class Picture:
    """What a camera gives: a JPEG, or uint8 RGB [H,W,3], and when it was captured in seconds of the engine's clock."""

    content: bytes | Image
    time_s: float


class Still(NamedTuple):
    """A square of the camera's picture that did not follow the head, and the crop in it [P,P,3], P = likeness.SIDE."""

    square: Square
    crop: Image


@dataclass(frozen=True)
class Seen:
    """What was found in one picture: score of the face in [0,1]; its square in camera px, motion and crop, or None."""

    score: float
    square: Square | None
    motion: Motion | None
    crop: Image | None
    time_s: float
    large: Image | None = None
    """The crop at twice the size, where it is wanted and the camera has that detail."""
    still: Still | None = None
    """What the camera shows where the source picture was taken; None where the square is still there."""
