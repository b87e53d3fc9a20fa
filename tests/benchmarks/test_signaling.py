"""The signaling benchmark, small, with real servers; and the calls that a killed server must not lose."""

import asyncio
import json
import shutil

import pytest

from benchmarks import signaling
from benchmarks.signaling_kill import kill_in_the_midst
from benchmarks.signaling_load import percentile

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None,
    reason="expected redis-server: `make test` installs it where it can, or install Debian's redis-server",
)


@pytest.mark.network
@pytest.mark.slow
@needs_redis
def test_a_hundred_calls_are_all_set_up_though_one_of_two_servers_is_killed() -> None:
    outcome = asyncio.run(kill_in_the_midst(100))
    assert outcome.set_up_s is not None
    assert outcome.before < 100
    assert outcome.broken > 0


@pytest.mark.network
@pytest.mark.slow
@needs_redis
def test_rooms_are_opened_joins_counted_and_memory_measured(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--rooms 20 --instances 2 --seconds 0.5 --at-once 4 --rate 20 --tokens --json"
    signaling.main(words.split())
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["instances"], result["rooms"], result["tokens"]) == (2, 20, True)
    assert result["joins_per_s"] > 0
    assert result["joins_per_cpu_s"] > 0
    assert 0 < result["join_ms_p50"] <= result["join_ms_p95"]


def test_percentile_is_the_nearest_rank() -> None:
    assert [percentile([3.0, 1.0, 2.0, 4.0], percent) for percent in (1, 50, 75, 100)] == [1.0, 2.0, 3.0, 4.0]
