"""Which capture time is on the screen now: capture time + transit + a delay that is as short as arrivals allow.

What is needed of a frame is to be there when the picture leaves the one before it. So of each frame it is noted how
long after that moment's capture time it came, by the receiver's clock; nearly all of the last seconds' frames are to be
in time, and the clock runs behind capture by just that. Clocks that drift apart, a longer way, another message
interval, losses that a later message makes good: all show in these numbers, and the delay follows.

It follows unseen: the picture runs at most SLEW faster or slower. Only where it stands still anyway, because nothing
newer is there, it waits at once for as long as is needed: time then goes back as far as the newest frame.
Plain; times are passed in.
"""

import math
from collections import deque
from typing import Final, NamedTuple

MEMORY_S: Final = 10.0
"""Frames that came in this time are counted."""
IN_TIME: Final = 0.995
"""Share of them for which the delay would have been long enough."""
MARGIN_S: Final = 0.004
FIRST_S: Final = 0.1
"""Delay behind the quickest frame until enough have come to tell."""
LEAST_S: Final = 0.02
MOST_S: Final = 0.45
"""No longer than this behind the quickest frame, whatever is late: people talk to each other."""
ENOUGH: Final = 15
SLEW: Final = 0.05
MOST_HEARD: Final = 2048


class _Heard(NamedTuple):
    arrival_s: float
    transit_s: float
    needed_s: float


class PlayoutClock:
    """Turns display times, which do not fall, by the receiver's clock into capture times by the sender's."""

    def __init__(self) -> None:
        self._heard: deque[_Heard] = deque(maxlen=MOST_HEARD)
        self._target_s = 0.0
        self._behind_s: float | None = None
        self._display_s = -math.inf

    @property
    def delay_ms(self) -> float:
        """How far the picture is behind the quickest of the last frames: what this buffer costs."""
        if self._behind_s is None:
            return 0.0
        return 1000 * (self._behind_s - min(heard.transit_s for heard in self._heard))

    def heard(self, capture_s: float, wanted_s: float, arrival_s: float) -> None:
        """Note a frame: captured then, wanted when the picture is at `wanted_s` (a capture time), come then."""
        self._heard.append(_Heard(arrival_s, arrival_s - capture_s, arrival_s - wanted_s))
        while self._heard[0].arrival_s < arrival_s - MEMORY_S:
            self._heard.popleft()
        self._target_s = self._find_target_s()
        if self._behind_s is None:
            self._behind_s = self._target_s

    def capture_time_s(self, display_s: float, newest_s: float) -> float:
        """The capture time to show at a display time, with `newest_s` the newest frame's. Raises RuntimeError before
        the first frame was heard.
        """
        if self._behind_s is None:
            raise RuntimeError("capture_time_s: expected a frame to have been heard first")
        if display_s > self._display_s:
            self._slew(display_s, newest_s)
            self._display_s = display_s
        return self._display_s - self._behind_s

    def _slew(self, display_s: float, newest_s: float) -> None:
        """Come closer to the target; a picture that has run dry waits on the newest frame for it."""
        assert self._behind_s is not None
        most_s = SLEW * min(display_s - self._display_s, 1.0)
        dry_s = max(0.0, display_s - self._behind_s - newest_s)
        up_s = min(max(most_s, dry_s), max(0.0, self._target_s - self._behind_s))
        down_s = min(most_s, max(0.0, self._behind_s - self._target_s))
        self._behind_s += up_s - down_s

    def _find_target_s(self) -> float:
        quickest_s = min(heard.transit_s for heard in self._heard)
        needed_s = sorted(heard.needed_s for heard in self._heard)
        # of few frames the latest one counts, of 200 or more one may be later
        enough_s = needed_s[math.ceil(IN_TIME * len(needed_s)) - 1] + MARGIN_S - quickest_s
        least_s = LEAST_S if len(needed_s) >= ENOUGH else FIRST_S
        return quickest_s + min(max(enough_s, least_s), MOST_S)
