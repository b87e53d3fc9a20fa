"""How many messages' last frames are sent again in each message, by the losses that were measured.

A message is lost for good where it and the `depth` ones after it, which repeat its last frame, are all lost. That must
hardly ever happen: what is built on it cannot be read either, for a round trip and a message, and the picture stands.
And repeats are cheap, some 7 B where a message costs 93 B of headers, and none of what the receiver has acknowledged.
So those that come too late to be shown are sent as well. An outage is no reason for any. While nothing is known much
loss is expected.
"""

import math
from collections import deque
from itertools import groupby
from typing import Final

WINDOW: Final = 120
"""Messages that are looked back at: 7 s at 60 ms."""
LEAST: Final = 20
"""Messages before which nothing is known."""
DEVIATIONS: Final = 1.5
"""Standard deviations of a count of losses by which more are expected."""
OUTAGE: Final = 8
"""So many lost in a row and more are an outage, which no repeat would have bridged."""
RESIDUAL: Final = 2e-5
"""Share of messages that may be lost for good: one in an hour."""
DEEPEST: Final = 8
AT_FIRST: Final = 6
LATEST_S: Final = 0.5
"""The last repeat of a frame follows it within this time."""
CALM_S: Final = 3.0
"""How long less must have been enough before less is done."""


class LossWindow:
    """The fate of the last messages, in the order of sending, outages left out."""

    def __init__(self) -> None:
        self._lost: deque[bool] = deque(maxlen=WINDOW)
        self._run = 0
        self.count = 0
        """Messages of which the fate is known, since the beginning."""
        self.lost = 0
        """Of these, those that were lost, in outages too."""

    def add(self, lost: bool) -> None:
        """Take the fate of the next message. A run of losses counts when it has ended, and is no outage."""
        self.count += 1
        self.lost += lost
        self._run += lost
        if not lost:
            self._lost.extend([True] * self._run if self._run < OUTAGE else ())
            self._lost.append(False)
            self._run = 0

    @property
    def known(self) -> bool:
        """Whether enough has been seen for a judgement."""
        return len(self._lost) >= LEAST

    @property
    def loss(self) -> float:
        """Share of messages lost."""
        return self.recent(WINDOW)

    def recent(self, messages: int) -> float:
        """Share of the last so many messages that were lost."""
        last = list(self._lost)[-messages:]
        return sum(last) / len(last) if last else 0.0

    def unrepaired(self, depth: int) -> float:
        """Share of messages that `depth` repeats leave lost: as counted, or as independent losses would have it.

        The larger of the two: bursts make the first larger. For the second a window that is short, or was lucky, is
        taken for one with some more losses.
        """
        if not self._lost:
            return 0.0
        runs = [len(list(run)) for lost, run in groupby(self._lost) if lost]
        return max(sum(max(0, run - depth) for run in runs) / len(self._lost), self._feared_loss ** (depth + 1))

    @property
    def _feared_loss(self) -> float:
        lost = sum(self._lost)
        return min(1.0, (lost + DEVIATIONS * math.sqrt(lost)) / len(self._lost))


class LossPolicy:
    """Chooses the depth: more at once, less when less has been enough for five seconds."""

    def __init__(self, window: LossWindow) -> None:
        self._window = window
        self._depth = AT_FIRST
        self._needed_s: float | None = None
        self._seen = -1
        self._needs: list[float] = []

    def depth(self, interval_s: float, now_s: float) -> int:
        """Return how many earlier messages each message repeats, for messages that follow each other so quickly."""
        deepest = min(DEEPEST, int(LATEST_S / interval_s)) if interval_s > 0 else DEEPEST
        if not self._window.known:
            return min(AT_FIRST, deepest)
        if self._seen != self._window.count:
            self._seen = self._window.count
            self._needs = [self._window.unrepaired(depth) for depth in range(DEEPEST)]
        needed = next((depth for depth in range(deepest) if self._needs[depth] <= RESIDUAL), deepest)
        if self._needed_s is None or needed >= self._depth:
            self._needed_s, self._depth = now_s, needed
        elif now_s - self._needed_s >= CALM_S:
            self._needed_s, self._depth = now_s, self._depth - 1
        return min(self._depth, deepest)
