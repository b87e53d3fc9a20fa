"""From frames as they come to a motion at any display time: the way between frames, at the playout clock's pace.

motion_path.py     frames -> motion at a capture time       playout_clock.py   display time -> capture time

Plain: `push` with the time of arrival, `sample` with the time of display, both of the receiver's clock.
"""

from typing import Final

from codec.motion import Motion
from receiver.motion_path import How, MotionPath, Shown
from receiver.playout_clock import PlayoutClock

ANOTHER_CLOCK_S: Final = 5.0
"""A transit that differs by so much from the last one is no delay: the sender's camera began anew."""


class Smoother:
    """One call's motion. Frames may come in any order and twice."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(How, 0)
        """Samples by how they came about. What was held at the end, when nothing came any more, is not counted."""
        self.longest_freeze_s = 0.0
        self.frames_on_time = 0
        """Frames that were there when the picture came to their time."""
        self.frames_late = 0
        self._held = 0
        self._moved_s = 0.0
        self._last: Motion | None = None
        self._transit_s: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._path, self._clock = MotionPath(), PlayoutClock()

    @property
    def delay_ms(self) -> float:
        """How much later than the quickest frame could be, the picture is shown."""
        return self._clock.delay_ms

    @property
    def on_time_share(self) -> float | None:
        """Share of samples that showed the motion of their time: received or between two that were. None without."""
        total = sum(self.counts.values())
        return (self.counts[How.RECEIVED] + self.counts[How.INTERPOLATED]) / total if total else None

    @property
    def dry(self) -> bool:
        """Whether the picture has come to the newest frame, or there is none."""
        shown_s, newest_s = self._path.shown_s, self._path.newest_s
        return newest_s is None or (shown_s is not None and shown_s >= newest_s)

    def push(self, motion: Motion, arrival_s: float) -> None:
        """Take a frame that came at `arrival_s`."""
        transit_s = arrival_s - motion.capture_time_s
        if self._transit_s is not None and abs(transit_s - self._transit_s) > ANOTHER_CLOCK_S:
            self._begin()
        self._transit_s = transit_s
        shown_s = self._path.shown_s
        late = shown_s is not None and motion.capture_time_s < shown_s
        wanted_s = self._path.push(motion)
        self.frames_late += late
        if wanted_s is not None:
            self.frames_on_time += not late
            self._clock.heard(motion.capture_time_s, wanted_s, arrival_s)

    def capture_time_s(self, display_s: float) -> float:
        """What was captured when is on the screen at a display time that was sampled, or would be if it had come."""
        newest_s = self._path.newest_s
        return self._clock.capture_time_s(display_s, newest_s if newest_s is not None else 0.0)

    def sample(self, display_s: float) -> Shown | None:
        """The motion to show at a time that does not fall; None before the first frame's turn."""
        newest_s = self._path.newest_s
        if newest_s is None:
            return None
        shown = self._path.at(self._clock.capture_time_s(display_s, newest_s))
        if shown is not None:
            self._count(shown, display_s)
        return shown

    def _count(self, shown: Shown, display_s: float) -> None:
        """Count a sample; one that is held once it is known that others follow. A new picture ends a freeze."""
        held, stands = shown.how is How.HELD, shown.motion is self._last
        self._last = shown.motion
        if not (held and stands):
            if self._held:
                self.longest_freeze_s = max(self.longest_freeze_s, display_s - self._moved_s)
            self.counts[How.HELD] += self._held
            self._held, self._moved_s = 0, display_s
        if held:
            self._held += 1
        else:
            self.counts[shown.how] += 1
