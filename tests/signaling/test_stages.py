"""stages.py: percentiles of stage times."""

import pytest

from signaling.stages import StageTimes


def test_percentiles_before_the_first_sample() -> None:
    assert StageTimes("extract").percentiles_ms("extract") == {"p50": None, "p95": None}


def test_percentiles_are_nearest_ranks() -> None:
    clock = iter([edge for ms in range(1, 101) for edge in (0.0, ms / 1000)])
    times = StageTimes("render", now=lambda: next(clock))
    for _ in range(100):
        with times.measure("render"):
            pass
    assert times.percentiles_ms("render") == {"p50": 50.0, "p95": 95.0}


def test_measure_leaves_out_a_block_that_raises() -> None:
    times = StageTimes("encode")
    with pytest.raises(ZeroDivisionError), times.measure("encode"):
        _ = 1 / 0
    assert times.percentiles_ms("encode")["p50"] is None
