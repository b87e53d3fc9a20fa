"""The soak: a call of a few seconds in which everything happens that happens in an hour, and how it is judged."""

import os
from typing import Any

import numpy as np
import pytest

from benchmarks import long_call
from benchmarks import soak as measured
from benchmarks.footprint import Footprint, growth, handles
from benchmarks.two_engines import Material
from call.own_source import from_crop
from call.settings import CallSettings
from codec.sound import PACKET_SAMPLES
from models.face_finder import FaceFinder
from models.weights import build_model
from sender.opus import OpusEncoder
from tests.call.fronts import picture
from tests.models.finders import central_finder

BEFORE = {"tasks": 0, "threads": 0, "handles": 0}


def row(minute: int, pictures: tuple[int, int], packets: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    return {"minute": minute, "pictures": list(pictures), "packets": [minute + packets[0], minute + packets[1]]}


def result(**changed: Any) -> dict[str, Any]:
    rows = [row(1, (5, 5)), row(2, (10, 10))]
    return {
        "rss_growth": 0.01,
        "left_over": BEFORE,
        "handles_left_over": [],
        "threads_left_over": [],
        "rows": rows,
        **changed,
    }


def test_growth_is_of_the_largest_value_after_the_one_it_is_measured_from() -> None:
    assert growth([50.0, 100.0, 108.0, 102.0], 1) == pytest.approx(0.08)
    assert growth([50.0, 100.0, 90.0], 1) == 0.0
    with pytest.raises(ValueError, match="expected more than 2 values, got 2"):
        growth([50.0, 100.0], 1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rss_growth": 0.06}, "expected memory to grow by 5% at most, it grew by 6.0%"),
        ({"left_over": {**BEFORE, "handles": 1}, "handles_left_over": ["socket:[7]"]}, "no handles to be left over, 1"),
        ({"left_over": {**BEFORE, "tasks": 2}}, "no tasks to be left over, 2"),
        ({"left_over": {**BEFORE, "threads": 1}, "threads_left_over": ["watch_0"]}, "over, 1 are: .'watch_0'"),
        ({"rows": [row(1, (5, 5)), row(2, (9, 5))]}, r"pictures and sound in every minute, none came in \[2\]"),
        ({"rows": [row(1, (5, 5)), row(2, (9, 9), (-1, 0))]}, r"none came in \[2\]"),
    ],
)
def test_failures_are_said_in_words(changed: dict[str, Any], words: str) -> None:
    assert measured.failures(result()) == []
    (found,) = measured.failures(result(**changed))
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(found)


async def test_footprint_sees_a_handle_that_is_left_open() -> None:
    before = Footprint.now()
    left = os.open("/dev/null", os.O_RDONLY)
    assert Footprint.now().handles == before.handles + 1
    assert "/dev/null" in handles()
    os.close(left)
    assert Footprint.now().handles == before.handles
    assert before.rss_mb > 10
    assert before.tasks >= 1


@pytest.mark.network
@pytest.mark.slow
async def test_soak_of_seconds_with_a_lost_network_leaves_nothing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_call, "GONE_EACH_MINUTES", 3)  # gone in the second of four
    monkeypatch.setattr(long_call, "GONE_S", 6.0)
    opus = OpusEncoder()
    sound = [p for _ in range(20) for p in opus.encode((3000 * np.sin(np.arange(PACKET_SAMPLES))).astype(np.int16))]
    frames = [picture(step) for step in range(30)]
    material = Material(frames, [], from_crop(frames[0], 80), sound)
    settings = CallSettings(source_cache=None, face_threshold=0.0, frame_rate=10, show_rate=5)
    found = await measured.soak(
        build_model("tiny"), FaceFinder(central_finder()), material, 4, minute_s=1.5, settings=settings
    )
    assert found["left_over"] == BEFORE, found["threads_left_over"] + found["handles_left_over"]
    assert len(found["rows"]) == 4
    assert found["rss_growth"] is None
    assert all("reconnecting" in states for states in found["states"])
    assert all(states["in_call"] >= 2 for states in found["states"])
    for name in ("pictures", "packets"):
        assert all(late > early for early, late in zip(found["rows"][0][name], found["rows"][-1][name], strict=True))
