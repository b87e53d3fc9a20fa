"""What the camera shows, in words: before a call how to sit well in the picture, in one what the other side sees."""

from typing import Final

import numpy as np

from call.page_messages import FaceMessage
from call.seen import Seen

SMALL_PX: Final = 160
"""Side of the square around a head below which the networks, which see 256 px, would be shown a blur."""
DARK: Final = 45.0
BRIGHT: Final = 215.0
"""Mean of a crop, 0 to 255, beyond which little of a face is left to see."""


def face_message(seen: Seen, on_air: bool) -> FaceMessage:
    """Say what the camera shows, and what to do about it. `on_air`: whether somebody is there who sees it."""
    return FaceMessage(
        found=seen.crop is not None,
        score=round(min(max(seen.score, 0.0), 1.0), 3),
        words=_on_air(seen) if on_air else _before(seen),
    )


def _on_air(seen: Seen) -> str:
    if seen.crop is not None:
        return ""
    if seen.square is None:
        return "no face is seen yet: sit before the camera, in good light"
    return "the face is lost: the other side sees your last picture until you are back"


def _before(seen: Seen) -> str:
    """The one thing to do first; nothing where all is well."""
    if seen.square is None:
        return "no face is seen yet: sit before the camera, in good light"
    if seen.crop is None:
        return "your face is not seen any more: bring it back into the oval"
    light = float(np.mean(seen.crop))
    if light < DARK:
        return "your face is in the dark: turn to a lamp or a window"
    if light > BRIGHT:
        return "there is too much light on your face: turn away from the lamp or the window"
    if seen.square.side < SMALL_PX:
        return "your face is small in the picture: come closer"
    return ""
