"""Codecs are told what the anchors were told, and count what travels."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from replay.compare.anchors import ANCHORS, BY_NAME, MEDIUM, Anchor
from replay.compare.clip import find_clips, read_reference
from replay.compare.coding import X264_BANNER, available, counted_bytes, decode, encode
from replay.compare.rates import codec_rates
from replay.errors import CompareError
from tests.replay.compare.moving import reference

HD_AND_VAL = Path(__file__).parents[4] / "shared" / "data" / "talking_heads"


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda anchor: anchor.name)
def test_frames_go_through_and_come_back(anchor: Anchor) -> None:
    if not available(anchor):
        pytest.skip(f"this FFmpeg has no {anchor.encoder} or no {anchor.decoder}")
    clip = reference(128)
    stream = encode(anchor, anchor.steps[0], clip.frames, clip.rate)
    coarse = encode(anchor, anchor.steps[-1], clip.frames, clip.rate)
    assert len(stream.packets) == len(clip.frames)
    assert sum(coarse.counted) < sum(stream.counted)
    pictures = decode(anchor, stream, clip.size, range(len(clip.frames)))
    errors = [np.abs(pictures[number].astype(int) - clip.rgb(number)).mean() for number in pictures]
    assert max(errors) < 6 * anchor.shrink
    assert all(one.shape == (128, 128, 3) for one in pictures.values())


def test_banner_of_x264_does_not_count() -> None:
    clip = reference()
    first = encode(MEDIUM, 30, clip.frames, clip.rate).packets[0]
    assert X264_BANNER in first
    banner = first.index(X264_BANNER)
    begin = first.rindex(b"\x00\x00\x01", 0, banner)
    end = first.index(b"\x00\x00\x01", banner)
    assert len(first) - counted_bytes(first) in range(end - begin - 1, end - begin + 2)
    assert counted_bytes(first) > 20  # parameter sets and the picture are still there


def test_delimiter_of_av1_does_not_count() -> None:
    assert counted_bytes(b"\x12\x00" + b"\x32" * 10) == 10
    assert counted_bytes(b"\x32" * 10) == 10


def test_more_key_frames_are_refused() -> None:
    clip = reference()
    restless = replace(MEDIUM, options={**MEDIUM.options, "g": "4"})
    with pytest.raises(CompareError, match="expected 13 frames, one of them a key frame, got 13 and 4"):
        encode(restless, 30, clip.frames, clip.rate)


def test_codec_that_is_not_there() -> None:
    assert not available(replace(MEDIUM, encoder="libnothing"))


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "crf", "payload", "wire", "steady"),
    [("x264 medium", 36, 30.3, 41.3, 28.0), ("AV1 SVT low delay", 57, 18.0, 29.1, None)],
)
def test_rates_of_the_anchors_come_out(name: str, crf: int, payload: float, wire: float, steady: float | None) -> None:
    """Rows of the measurement that facewire was designed against: 13 val clips, kbit/s."""
    if not HD_AND_VAL.is_dir():
        pytest.skip("no clips in ../shared")
    rates = []
    for file in find_clips([HD_AND_VAL / "val"]):
        clip = read_reference(file, lambda path: pytest.fail(f"{path} is square"), (256, 512))
        stream = encode(BY_NAME[name], crf, clip.frames, clip.rate)
        rates.append(codec_rates(stream.counted, clip.seconds, clip.size))
    assert len(rates) == 13
    assert np.mean([one.payload_kbps for one in rates]) == pytest.approx(payload, abs=0.06)
    assert np.mean([one.wire_kbps for one in rates]) == pytest.approx(wire, abs=0.06)
    if steady is not None:
        assert np.mean([one.steady_kbps for one in rates]) == pytest.approx(steady, abs=0.06)


def test_rate_is_the_clips_own() -> None:
    """x264 looks at the rate, too: the same quality takes other bytes where a frame is shown for longer."""
    clip = reference()
    assert encode(MEDIUM, 40, clip.frames, Fraction(5)).counted != encode(MEDIUM, 40, clip.frames, clip.rate).counted


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="threads have no such priorities here")
def test_no_codec_takes_the_machine_for_itself() -> None:
    """SVT-AV1 gives itself, and us, the priority of real time where it runs as root."""
    anchor = BY_NAME["AV1 SVT low delay"]
    if not available(anchor):
        pytest.skip("this build of FFmpeg has no SVT-AV1")
    before = os.sched_getscheduler(0)
    clip = reference(128)
    encode(anchor, 50, clip.frames, clip.rate)
    assert {os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")} == {before}
