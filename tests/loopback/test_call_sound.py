"""Whole calls with sound: it crosses in the media messages, and is written in step with the picture."""

import itertools
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from codec.sound import SAMPLE_RATE
from models.face_finder_weights import load_finder
from models.weights import Model, default_device, load_model
from receiver.show import VideoWriter
from replay.decompress import decompress_recording
from tests.loopback.bad_network import BadNetwork
from tests.loopback.calls import Call
from tests.receiver.sounds import Samples, beeps, onsets_s, sound_of

pytestmark = pytest.mark.network
PORTRAIT = Path(__file__).parents[2] / "replay/assets/portrait.jpg"
SIZE = (384, 384)
BEEPS_S = [0.4, 1.2, 2.0]


def sounding(path: Path, sound: Samples, rate: float = 25.0) -> Path:
    """A clip with stripes that move, and sound."""
    writer = VideoWriter(path, rate, 12, sound=True)
    for index in range(round(len(sound) / SAMPLE_RATE * rate)):
        stripes = 128 + 90 * np.sin((np.arange(64) + 3 * index) / 6.0)
        image = np.repeat(np.repeat(stripes[None, :, None], 64, axis=0), 3, axis=2)
        writer.write(np.asarray(image, np.uint8), index / rate)
        if index % 5 == 0:
            begin = round(index / rate * SAMPLE_RATE)
            writer.hear(sound[begin : begin + round(5 / rate * SAMPLE_RATE)], index / rate)
    writer.close()
    return path


def has_audio(path: Path) -> bool:
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


async def test_sound_of_the_clip_is_in_the_film_at_its_time(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = sounding(tmp_path / "clip.mp4", beeps(2.6, BEEPS_S))
    call = Call(url, tmp_path, clip, tiny, send_settings={"capture_queue_frames": 200})
    assert await call.run() == (None, None)
    assert onsets_s(sound_of(call.output)) == pytest.approx(BEEPS_S, abs=0.04)
    sent, received = call.sender.report.as_dict(), call.receiver.report.as_dict()
    # three beeps of 0.2 s and what fades out: some 5 packets of 60 ms each, and none for the silence between
    assert 12 <= sent["sound_packets"] == received["sound_packets"] <= 21
    assert 0 < sent["sound_bytes"] == received["sound_bytes"] < sent["payload_bytes"]
    assert received["sound_late"] == 0
    apart = received["sound_after_picture"]
    assert apart["in_window"] == 1.0
    assert -45 <= apart["least_ms"] <= apart["most_ms"] <= 125
    assert json.dumps(received)


async def test_sound_comes_over_a_bad_network(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = sounding(tmp_path / "clip.mp4", beeps(3.0, [0.0], 3.0))
    network = BadNetwork(3, loss=0.15, delay_s=(0.0, 0.05), duplicate=0.05)
    call = Call(url, tmp_path, clip, tiny, to_receiver=network)
    sender, receiver = call.start()
    await call.until_said("receiving from")
    network.bad = True
    await sender
    await receiver
    sent, received = call.sender.report, call.receiver.report
    assert network.lost > 0
    assert received.sound_packets >= 0.75 * sent.sound_packets
    assert received.sound_after_picture is not None
    assert received.sound_after_picture["in_window"] == 1.0


async def test_live_film_has_the_sound_when_its_picture_is_shown(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = sounding(tmp_path / "clip.mp4", beeps(2.6, BEEPS_S))
    call = Call(url, tmp_path, clip, tiny, receive_settings={"live": True})
    assert await call.run() == (None, None)
    assert len(onsets_s(sound_of(call.output))) >= len(BEEPS_S)
    apart = call.receiver.report.sound_after_picture
    assert apart is not None
    assert apart["in_window"] == 1.0


async def test_no_sound_is_sent_where_none_is_wanted(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = sounding(tmp_path / "clip.mp4", beeps(1.0, [0.2]))
    call = Call(url, tmp_path, clip, tiny, send_settings={"sound": False})
    assert await call.run() == (None, None)
    assert not has_audio(call.output)
    assert call.sender.report.sound_packets == call.receiver.report.sound_bytes == 0


async def test_recording_keeps_the_sound(url: str, tmp_path: Path, tiny: Model) -> None:
    clip = sounding(tmp_path / "clip.mp4", beeps(2.6, BEEPS_S))
    call = Call(url, tmp_path, clip, tiny, send_settings={"capture_queue_frames": 200})
    assert await call.run() == (None, None)
    again = tmp_path / "again.mp4"
    decompress_recording(call.record, again, tiny)
    assert onsets_s(sound_of(again)) == pytest.approx(BEEPS_S, abs=0.04)


def clapping(path: Path, claps_s: list[float], seconds: float) -> Path:
    """A portrait that jerks aside for 0.2 s, and a beep that begins with each jerk."""
    portrait = cv2.resize(np.asarray(cv2.imread(str(PORTRAIT))), SIZE, interpolation=cv2.INTER_AREA)
    writer, sound = VideoWriter(path, 25.0, 12, sound=True), beeps(seconds, claps_s)
    for index in range(round(25 * seconds)):
        aside = any(clap_s <= index / 25 + 1e-6 < clap_s + 0.2 for clap_s in claps_s)
        moved = cv2.warpAffine(
            portrait, np.array([[1, 0, 30.0 * aside], [0, 1, 0]]), (512, 512), borderMode=cv2.BORDER_REPLICATE
        )
        writer.write(np.ascontiguousarray(moved[..., ::-1], np.uint8), index / 25)
        writer.hear(sound[index * 1920 : (index + 1) * 1920], index / 25)
    writer.close()
    return path


def jerks_s(path: Path) -> list[float]:
    """When the picture of a film jumps after standing still."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    images = [frame.to_ndarray(format="gray").astype(float) for frame in frames]
    changes = np.array([np.abs(later - earlier).mean() for earlier, later in itertools.pairwise(images)])
    jumps = [float(frames[index + 1].time or 0) for index in np.flatnonzero(changes > 0.4 * changes.max())]
    return [at for at, before in zip(jumps, [-9.0, *jumps[:-1]], strict=True) if at - before > 0.3]


@pytest.mark.slow
@pytest.mark.weights
async def test_clap_is_seen_and_heard_together(url: str, tmp_path: Path) -> None:
    """The shipped networks: what one sees in the film and what one hears begin within -45 to +125 ms."""
    claps_s = [0.6, 1.2]
    clip = clapping(tmp_path / "clap.mp4", claps_s, 1.6)
    assert jerks_s(clip) == pytest.approx(claps_s, abs=0.001)
    model = load_model(None, default_device())
    settings = {"face_threshold": 0.5, "capture_queue_frames": 200, "steady": False}
    call = Call(url, tmp_path, clip, model, finder=load_finder(model.folder), send_settings=settings)
    assert await call.run() == (None, None)
    seen, heard = jerks_s(call.output), onsets_s(sound_of(call.output))
    assert len(seen) == len(heard) == 2
    apart_ms = 1000 * (np.array(heard) - np.array(seen))
    assert (apart_ms >= -45).all(), apart_ms
    assert (apart_ms <= 125).all(), apart_ms
    told = call.receiver.report.sound_after_picture
    assert told is not None
    # the report says what is so
    assert told["least_ms"] - 45 <= apart_ms.min() <= apart_ms.max() <= told["most_ms"] + 45, (
        "the report says what is so"
    )
