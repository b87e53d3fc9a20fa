"""Whether sound and picture of the same moment are together in what was shown. Plain.

Of each moment it is noted by how much later than captured its picture, and its sound, stand in the film. The difference
is what people notice: from 45 ms early to 125 ms late they do not (ITU-R BT.1359).
"""

from typing import Final

import numpy as np

EARLIEST_MS: Final = -45.0
LATEST_MS: Final = 125.0
MOST_NOTED: Final = 100_000


class InStep:
    """Takes pictures and sound as they are shown and tells how far apart they are. Times of any two clocks."""

    def __init__(self) -> None:
        self._picture_lag_s: float | None = None
        self._apart_ms: list[float] = []

    def picture(self, captured_s: float, shown_s: float) -> None:
        """Note a picture."""
        self._picture_lag_s = shown_s - captured_s

    def sound(self, captured_s: float, heard_s: float) -> None:
        """Note a piece of sound; before the first picture there is nothing to be in step with."""
        if self._picture_lag_s is not None and len(self._apart_ms) < MOST_NOTED:
            self._apart_ms.append(1000 * (heard_s - captured_s - self._picture_lag_s))

    def figures(self) -> dict[str, float] | None:
        """By how much sound is later than its picture, in ms, and which share is in the window; None without sound."""
        if not self._apart_ms:
            return None
        apart_ms = np.array(self._apart_ms)
        within = (apart_ms >= EARLIEST_MS) & (apart_ms <= LATEST_MS)
        return {
            "least_ms": round(float(apart_ms.min()), 1),
            "median_ms": round(float(np.median(apart_ms)), 1),
            "most_ms": round(float(apart_ms.max()), 1),
            "in_window": round(float(within.mean()), 4),
        }
