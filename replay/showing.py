"""Which motion a replay shows when: every frame at its own time, at another rate, or what a screen would have shown."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from codec.motion import Motion
from receiver.smooth import Smoother
from receiver.steady_rate import SteadyRate
from replay.recorded_call import Came

SCREEN_FPS: Final = 30.0


class Shown(NamedTuple):
    """A motion and the time at which it is shown, from 0 on."""

    motion: Motion
    time_s: float


def every_frame(frames: Sequence[Came], rate: float | None = None) -> Iterator[Shown]:
    """Every frame at its capture time; or so many a second, interpolated."""
    first_s = frames[0].motion.capture_time_s
    steady = SteadyRate(rate) if rate else None
    for motion, _ in frames:
        if steady is None:
            yield Shown(motion, motion.capture_time_s - first_s)
        else:
            yield from (Shown(one.motion, one.time_s - first_s) for one in steady.push(motion))


class OnScreen:
    """What a screen shows of frames that arrive when they do; `smoother` counts how well."""

    def __init__(self, frames: Sequence[Came], rate: float = SCREEN_FPS) -> None:
        self.smoother = Smoother()
        self._frames = sorted(frames, key=lambda came: came.arrival_s)
        self._period_s = 1 / rate

    def __iter__(self) -> Iterator[Shown]:
        """Pictures at the screen's own times, from the first one on; what stands still is not given again."""
        place, tick = 0, 0
        begin_s = self._frames[0].arrival_s
        first_s, last = None, None
        while place < len(self._frames) or not self.smoother.dry:
            now_s = begin_s + tick * self._period_s
            tick += 1
            while place < len(self._frames) and self._frames[place].arrival_s <= now_s:
                self.smoother.push(*self._frames[place])
                place += 1
            shown = self.smoother.sample(now_s)
            if shown is None or shown.motion is last:
                continue
            first_s = now_s if first_s is None else first_s
            last = shown.motion
            yield Shown(last, now_s - first_s)
