"""What the head did between the frames that came: bridged where one is missing, held and eased where many are.

    frames no further apart than BRIDGE_S   the way between them (between.py)
    further apart                           the older one stands still; for the last EASE_S it eases to the newer one
    nothing newer there                     the newest stands still

A held face keeps its expression. One that relaxed by itself would say something that the person did not do; a still
picture is read as what it is, a link that stalls.

A frame that comes after the picture has gone past the one before it changes the way already shown. The picture then
does not jump but eases from where it is to where it should be, for twice the time that it was without the frame and
no longer than EASE_S. Plain; times are capture times.
"""

from bisect import bisect_right
from enum import Enum
from typing import Final, NamedTuple

from codec.motion import Motion
from receiver.between import between

BRIDGE_S: Final = 0.25
"""A single message lost leaves a gap of 120 to 160 ms, two at 15 frames a second one of 200."""
EASE_S: Final = 0.15
"""As long as a blink: quicker is seen as a jump, slower as a face that drifts."""
SAME_S: Final = 0.0006
"""Times on the wire are whole milliseconds: what is no further off is that frame."""
MOST_FRAMES: Final = 512
"""Frames ahead of the picture; more than any delay holds."""


class How(Enum):
    """Where a motion that is shown comes from."""

    RECEIVED = "received"
    INTERPOLATED = "interpolated"
    HELD = "held"
    EASING = "easing"


class Shown(NamedTuple):
    """A motion to show and how it came about. Its capture time is the one asked for; that of a held one is its own."""

    motion: Motion
    how: How


class _Ease(NamedTuple):
    start: Motion
    began_s: float
    length_s: float


class MotionPath:
    """Frames in, in any order; motion out, at times that do not fall but while it is held: then they may go back to
    where the hold began, and the picture goes on from there.
    """

    def __init__(self) -> None:
        self._frames: list[Motion] = []
        self._shown: Shown | None = None
        self._time_s = 0.0
        self._ease: _Ease | None = None

    @property
    def newest_s(self) -> float | None:
        """Capture time of the newest frame."""
        return self._frames[-1].capture_time_s if self._frames else None

    @property
    def shown_s(self) -> float | None:
        """The time asked for last; None before there was something to show."""
        return self._time_s if self._shown else None

    def push(self, motion: Motion) -> float | None:
        """Take a frame. Returns from when on it is wanted: the capture time of the frame before it, or its own less
        EASE_S after a longer gap. None where it is of no use any more: shown already, or older than what is.
        """
        time_s = motion.capture_time_s
        index = bisect_right(self._frames, time_s - SAME_S, key=_time)
        known = index < len(self._frames) and self._frames[index].capture_time_s <= time_s + SAME_S
        if known or (index == 0 and self._shown is not None) or len(self._frames) >= MOST_FRAMES:
            return None
        before_s = self._frames[index - 1].capture_time_s if index else time_s
        if index == 1 and self._shown is not None:
            self._begin_to_ease(self._shown.motion, before_s)
        self._frames.insert(index, motion)
        return before_s if time_s - before_s <= BRIDGE_S else time_s - EASE_S

    def at(self, time_s: float) -> Shown | None:
        """The motion at a time, which counts as the last one's where it is less; None before the first frame's."""
        if self._shown is not None:
            time_s = self._not_before(time_s)
        index = bisect_right(self._frames, time_s + SAME_S, key=_time)
        if index == 0:
            return None
        time_s = max(time_s, 0.0)  # a frame captured at 0 is the same a moment before, where there is no time
        del self._frames[: index - 1]
        self._shown = self._eased(self._between(time_s), time_s)
        self._time_s = time_s
        return self._shown

    def _not_before(self, time_s: float) -> float:
        held = self._shown is not None and self._shown.how is How.HELD
        time_s = max(time_s, self._frames[0].capture_time_s if held else self._time_s)
        if self._ease is not None and time_s < self._time_s:
            self._ease = self._ease._replace(began_s=self._ease.began_s + time_s - self._time_s)
        return time_s

    def _begin_to_ease(self, shown: Motion, before_s: float) -> None:
        """The way that is being shown, which began at `before_s`, is about to change."""
        gone_s = self._time_s - before_s
        if gone_s > SAME_S or self._ease is not None:
            self._ease = _Ease(shown, self._time_s, min(EASE_S, 2 * gone_s) or EASE_S)

    def _between(self, time_s: float) -> Shown:
        """The first frame, which is not after the time, and the way to the second, which is."""
        a = self._frames[0]
        if abs(time_s - a.capture_time_s) <= SAME_S:
            return Shown(between(a, a, 0.0, time_s), How.RECEIVED)
        if len(self._frames) == 1:
            return Shown(a, How.HELD)
        b = self._frames[1]
        gap_s = b.capture_time_s - a.capture_time_s
        if gap_s <= BRIDGE_S:
            return Shown(between(a, b, (time_s - a.capture_time_s) / gap_s, time_s), How.INTERPOLATED)
        gone = 1 - (b.capture_time_s - time_s) / EASE_S
        return Shown(between(a, b, _soft(gone), time_s), How.EASING) if gone > 0 else Shown(a, How.HELD)

    def _eased(self, wanted: Shown, time_s: float) -> Shown:
        if self._ease is None:
            return wanted
        rest = 1 - _soft((time_s - self._ease.began_s) / self._ease.length_s)
        if rest <= 0:
            self._ease = None
            return wanted
        return Shown(between(wanted.motion, self._ease.start, rest, time_s), How.EASING)


def _time(motion: Motion) -> float:
    return motion.capture_time_s


def _soft(share: float) -> float:
    """From 0 to 1 with no speed at either end (Hermite's 3 s^2 - 2 s^3)."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
