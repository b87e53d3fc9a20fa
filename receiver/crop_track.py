"""Where the sender's crop was at a time: what `crop_moved` messages say, with straight lines between them.

Units: sides of the first crop, from its upper left corner; (0, 0, 1) is the first crop itself, where the source picture
is from. The picture that is rendered shows the crop; what shows it may move it by that much within a larger one.
"""

from bisect import bisect_right, insort
from typing import Final, NamedTuple

from signaling.control_messages import CropMoved

MOST_REMEMBERED: Final = 4096
"""Moves that are kept; the oldest go. A move of a second takes six."""


class CropAt(NamedTuple):
    """The crop at a capture time in seconds."""

    time_s: float
    left: float
    top: float
    side: float


class CropTrack:
    """Plain: messages come in, in any order; asked for a time it answers."""

    def __init__(self) -> None:
        self.moves: list[CropAt] = [CropAt(0.0, 0.0, 0.0, 1.0)]
        self.told = 0

    def add(self, message: CropMoved) -> None:
        """Take what the sender said."""
        self.told += 1
        insort(self.moves, CropAt(message.capture_time_s, message.left, message.top, message.side))
        del self.moves[:-MOST_REMEMBERED]

    def at(self, time_s: float) -> CropAt:
        """Return the crop of the frame captured at this time; what is not known yet is where it was last."""
        after = bisect_right(self.moves, time_s, key=lambda move: move.time_s)
        if after == 0:
            return self.moves[0]._replace(time_s=time_s)
        before = self.moves[after - 1]
        if after == len(self.moves):
            return before._replace(time_s=time_s)
        later = self.moves[after]
        share = (time_s - before.time_s) / (later.time_s - before.time_s)
        left, top, side = (one + share * (other - one) for one, other in zip(before[1:], later[1:], strict=True))
        return CropAt(time_s, left, top, side)
