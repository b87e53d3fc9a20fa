"""The benchmark of calls: a short one with the smallest networks, and how it judges what it measured."""

from typing import Any

import pytest

from benchmarks.call import failures, measure_delay, worst
from benchmarks.two_engines import Material
from call.own_source import from_crop
from models.face_finder import FaceFinder
from models.weights import build_model
from tests.call.fronts import picture
from tests.models.finders import central_finder

ROW = {
    "loss": 0.2,
    "rtt_ms": 100,
    "stayed": True,
    "worst_state": "unstable",
    "wire_kbps_up": 39.0,
    "wire_kbps_down": 45.0,
    "sound_packets_share": 0.96,
    "frames_received_a_second": 29.0,
}


@pytest.mark.network
async def test_delay_from_camera_to_screen() -> None:
    frames = [picture(step) for step in range(30)]
    material = Material(frames, [], from_crop(frames[0], 80), [])
    found = await measure_delay(build_model("tiny"), FaceFinder(central_finder()), material, 3.0, face_threshold=0.0)
    assert 0 < found["camera_to_screen_ms_p50"] <= found["camera_to_screen_ms_p95"] < 20_000
    assert 0 < found["join_to_picture_s"] < 60


def test_worst_state_counts_once_the_call_stood() -> None:
    assert worst(["starting", "waiting", "connecting", "in_call"]) == "in_call"
    assert worst(["starting", "in_call", "unstable", "in_call"]) == "unstable"
    assert worst(["connecting", "in_call", "unstable", "reconnecting", "in_call"]) == "reconnecting"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"worst_state": "reconnecting"},
            "20% lost, 100 ms: expected the connection to stay, the call was reconnecting",
        ),
        ({"stayed": False}, "expected the connection to stay"),
        ({"wire_kbps_up": 45.1}, "expected 45 kbps on the wire at most, it took 45.1"),
        ({"sound_packets_share": 0.0}, "expected motion and sound"),
        ({"frames_received_a_second": 0.0}, "expected motion and sound"),
    ],
)
def test_failures_of_a_case_are_said_in_words(changed: dict[str, Any], words: str) -> None:
    assert failures(ROW) == []
    (found,) = failures({**ROW, **changed})
    assert words in found
