"""What the receiver is told of a crop that moves: few messages, between which it may draw straight lines."""

from typing import Final

from sender.crop_square import Square
from signaling.control_messages import CropMoved

TELL_EACH_S: Final = 0.25
"""While the crop moves. A message costs some 180 B on the wire: 6 kbps for as long as the move lasts."""


class CropReporter:
    """Turns the square of each frame into messages: where a move begins, on the way, and where it ends."""

    def __init__(self, first: Square) -> None:
        self._first = first
        self._last, self._last_s = first, 0.0
        self._told, self._told_s = first, 0.0

    def add(self, square: Square, time_s: float) -> list[CropMoved]:
        """Take the square of the frame captured at `time_s`; returns what to say now, in the order of time."""
        messages = []
        if square != self._last:
            if self._last == self._told and self._last_s > self._told_s:  # it stood still until the frame before
                messages.append(self._message(self._last, self._last_s))
            if messages or time_s - self._told_s >= TELL_EACH_S:
                messages.append(self._message(square, time_s))
        elif square != self._told:  # it has come to rest
            messages.append(self._message(self._last, self._last_s))
        self._last, self._last_s = square, time_s
        return messages

    def _message(self, square: Square, time_s: float) -> CropMoved:
        self._told, self._told_s = square, time_s
        first = self._first
        return CropMoved(
            capture_time_s=round(time_s, 3),
            left=round((square.left - first.left) / first.side, 4),
            top=round((square.top - first.top) / first.side, 4),
            side=round(square.side / first.side, 4),
        )
