"""When pictures are shown: at a steady rate on the clock, or at a steady rate of capture time in a file. Plain."""

import math
from typing import NamedTuple

from codec.motion import Motion
from receiver.motion_path import BRIDGE_S, EASE_S, SAME_S, MotionPath


class Ticker:
    """Times at which a screen shows a picture. Who is slower than that gets fewer of them, never older ones."""

    def __init__(self, rate: float) -> None:
        self._period_s = 1 / rate
        self._last_s: float | None = None
        self.skipped = 0

    def next_s(self, now_s: float) -> float:
        """The time of the next picture: to come, or less than one period ago for those who are behind."""
        if self._last_s is None:
            self._last_s = now_s
        else:
            behind = max(1, math.floor((now_s - self._last_s) / self._period_s + 1e-6))
            self.skipped += behind - 1
            self._last_s += behind * self._period_s
        return self._last_s


class Timed(NamedTuple):
    """A motion and the capture time at which a file shows it."""

    motion: Motion
    time_s: float


class SteadyRate:
    """Frames in the order of capture become motion at the times n / rate, from the first frame's to the last one's.

    What is missing is bridged. While a picture is held over a longer gap, nothing is said: a video shows its last frame
    until the next one, and a gap of days would fill the disk.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._path = MotionPath()
        self._next = 0

    def push(self, motion: Motion) -> list[Timed]:
        """Take a frame; returns what is known with it."""
        time_s, before_s = motion.capture_time_s, self._path.newest_s
        self._path.push(motion)
        if before_s is None:
            self._go_on(time_s)
        elif time_s - before_s > BRIDGE_S:
            self._go_on(time_s - EASE_S)
        known = []
        while (now_s := self._next / self._rate) <= time_s + SAME_S:
            shown = self._path.at(now_s)
            assert shown is not None  # there is a frame no later than `first`
            known.append(Timed(shown.motion, now_s))
            self._next += 1
        return known

    def _go_on(self, time_s: float) -> None:
        self._next = max(self._next, math.ceil((time_s - SAME_S) * self._rate))
