"""The duplex benchmark: pacing by hand, and both halves of a tiny model."""

import json
from pathlib import Path

import pytest

from benchmarks import duplex


class Clock:
    """Seconds, moved by sleeping and by running."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s

    def pass_s(self, seconds: float) -> None:
        self.time_s += seconds


def test_paced_keeps_the_rate_when_frames_are_short() -> None:
    clock = Clock()
    result = duplex.paced(lambda frame: clock.pass_s(0.25), 8.0, 1.0, clock, clock.pass_s, clock)
    assert result == {"frames": 8, "dropped": 0, "fps": 1.0, "p95_ms": 250.0, "cpu_ms": 250.0}


def test_paced_drops_what_it_misses() -> None:
    """Frames are due at 0, 1, 2, ... and take 2.5 s: it takes those of 0, 2, 5 and 7."""
    clock = Clock()
    result = duplex.paced(lambda frame: clock.pass_s(2.5), 10.0, 1.0, clock, clock.pass_s, clock)
    assert result == {"frames": 4, "dropped": 4, "fps": 0.4, "p95_ms": 2500.0, "cpu_ms": 2500.0}


def test_without_a_rate_it_never_pauses() -> None:
    clock = Clock()
    result = duplex.paced(lambda frame: clock.pass_s(0.5), 10.0, 0.0, clock, lambda seconds: pytest.fail("slept"))
    assert result["frames"] == 20
    assert result["fps"] == pytest.approx(2.0)


@pytest.mark.slow
def test_both_halves_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    duplex.main(["--preset", "tiny", "--seconds", "0.3", "--json"])
    halves = json.loads(capsys.readouterr().out)
    assert [half["path"] for half in halves] == ["extract", "render"]
    assert all(half["frames"] > 0 and half["way"] == "torch" for half in halves)
