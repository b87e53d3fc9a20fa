"""How long each stage of a pipeline takes, for the report."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypedDict

REMEMBERED = 18000
"""Samples kept a stage: the last ten minutes at 30 frames a second."""


class Percentiles(TypedDict):
    """Milliseconds; None before the first sample."""

    p50: float | None
    p95: float | None


def no_samples() -> Percentiles:
    """Return the percentiles of a stage that never ran."""
    return {"p50": None, "p95": None}


class StageTimes:
    """Durations by stage."""

    def __init__(self, *stages: str, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._seconds: dict[str, deque[float]] = {stage: deque(maxlen=REMEMBERED) for stage in stages}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time the block as one sample of a stage. Blocks that raise are not counted."""
        start = self._now()
        yield
        self._seconds[stage].append(self._now() - start)

    def percentiles_ms(self, stage: str) -> Percentiles:
        """Median and 95th percentile (nearest rank) in milliseconds."""
        ordered = sorted(self._seconds[stage])
        return {"p50": _rank_ms(ordered, 50), "p95": _rank_ms(ordered, 95)}


def _rank_ms(ordered: list[float], percent: int) -> float | None:
    rank = -(-percent * len(ordered) // 100)  # rounded up, in integers
    return round(ordered[rank - 1] * 1000, 3) if ordered else None
