"""The same call on networks of the `paper` preset: nothing in sender, codec or receiver knows which they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from codec.decoder import Decoder
from codec.recording import RecordingReader
from models.paper.config import PAPER_TINY
from models.weights import Model, build_model, build_networks, default_tables, load_model, save_model
from tests.loopback.calls import Call, video_times_s

pytestmark = pytest.mark.network
TIMES_S = [round(index * 0.04, 3) for index in range(25)]


async def shown_and_recorded(url: str, folder: Path, clip: Path, model: Model) -> int:
    """Play the clip through a call; returns how many keypoints each recorded motion has."""
    call = Call(url, folder, clip, model, send_settings={"capture_queue_frames": 100})
    assert await call.run() == (None, None)
    assert video_times_s(call.output) == TIMES_S
    assert call.receiver.report.frames_shown == 25
    decoder = Decoder(model.codec_tables)
    motions = [
        motion for _, message in RecordingReader(call.record).messages() for motion in decoder.decode(message).motions
    ]
    assert len(motions) == 25
    return len(motions[0].delta)


async def test_paper_preset_in_a_call(url: str, tmp_path: Path, clip: Path) -> None:
    assert await shown_and_recorded(url, tmp_path, clip, build_model("paper-tiny")) == 20


async def test_direct_keypoints_and_fewer_of_them_in_a_call(url: str, tmp_path: Path, clip: Path) -> None:
    """An ablation, stored and loaded: ten keypoints of L's own travel as 36 numbers."""
    config = replace(PAPER_TINY, preset="direct", direct=True, jacobians=False, keypoints=10)
    about = {"source": "random weights", "licence": "Apache-2.0"}
    manifest = save_model(build_networks(config), default_tables(config), tmp_path / "weights", about)
    assert await shown_and_recorded(url, tmp_path, clip, load_model(manifest)) == 10
