"""Camera, microphone, the other's picture and voice, in a real browser with a real clip."""

import base64
import itertools
import time
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from call.page_binary import FromPage, ToEngine, ToPage, pack
from tests.page.clips import RATE, Clip, decode_jpeg, encode_jpeg
from tests.page.conftest import Open
from tests.page.engine_double import EngineDouble, begin, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.network, pytest.mark.slow]


def decode_opus(packets: list[FromPage]) -> NDArray[np.float32]:
    """Decode packets of a page."""
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = RATE, "mono"
    parts = [
        frame.to_ndarray().mean(axis=0) for packet in packets for frame in decoder.decode(av.Packet(packet.content))
    ]
    return np.concatenate(parts).astype(np.float32)


def rms(samples: NDArray[np.float32]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def figures(page: "Page") -> dict[str, Any]:
    """What the page counts."""
    counted: dict[str, Any] = page.evaluate("facewire.figures")
    return counted


def test_frames_and_sound_reach_the_engine(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) >= 5, "frames of the lobby")
    assert engine.said[0] == {"type": "hello", "codecs": {"opus": True}}
    assert not engine.got(ToEngine.OPUS), "nobody is heard before the call"
    begin(page, engine)
    engine.wait_for(lambda: len(engine.got(ToEngine.OPUS)) >= 30, "sound")

    frames = engine.got(ToEngine.CAMERA)
    image = decode_jpeg(frames[-1].content)
    assert image.shape == (480, 640, 3)
    assert image.std() > 20, "a person, no empty picture"
    times = [frame.time_ms for frame in frames]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert abs(times[-1] - page.evaluate("performance.now()")) < 5000
    assert max(len(frame.content) for frame in frames) < 80_000

    packets = engine.got(ToEngine.OPUS)
    steps = np.diff([packet.time_ms for packet in packets])
    assert np.median(steps) == pytest.approx(60, abs=2)
    kbps = sum(len(packet.content) for packet in packets) * 8 / (len(packets) * 60)
    assert 5 < kbps < 15
    assert rms(decode_opus(packets)) > 0.01


def loudest(packets: list[FromPage]) -> float:
    """Of all packets of PCM, the largest RMS, in [0,1]."""
    return max(rms(np.frombuffer(packet.content, "<i2").astype(np.float32) / np.float32(32768)) for packet in packets)


def test_pcm_where_the_browser_codes_no_speech(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page(script="delete globalThis.AudioEncoder")
    assert "cannot code speech" in page.inner_text("#problem")
    begin(page, engine)
    engine.wait_for(lambda: len(engine.got(ToEngine.PCM)) >= 20, "PCM")
    assert engine.said_of("hello")[0]["codecs"] == {"opus": False}
    packets = engine.got(ToEngine.PCM)
    assert {len(packet.content) for packet in packets} == {2 * 2880}
    engine.wait_for(lambda: loudest(engine.got(ToEngine.PCM)) > 0.01, "the voice of the fake microphone")
    engine.play(clip, pcm=True)
    until(page, "facewire.loudness > 0.01")


def test_camera_without_track_processor(open_page: Open, engine: EngineDouble) -> None:
    open_page(script="delete globalThis.MediaStreamTrackProcessor")
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) >= 5, "frames by requestVideoFrameCallback")
    image = decode_jpeg(engine.got(ToEngine.CAMERA)[-1].content)
    assert image.shape == (480, 640, 3)


def test_other_person_is_seen(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    engine.play(clip)
    until(page, "facewire.figures.shown > 20")
    shot = page.evaluate("document.querySelector('#remote').toDataURL('image/png').split(',')[1]")
    seen = decode_jpeg(base64.b64decode(shot))
    assert seen.shape == (256, 256, 3)
    sent = [decode_jpeg(jpeg) for jpeg in clip.jpegs]
    closest = min(float(np.abs(seen.astype(int) - image).mean()) for image in sent)
    assert closest < 3, f"no frame of the clip is like what is on the screen ({closest:.1f})"
    assert page.locator(".mark").inner_text() == "Rendered from motion"
    assert page.locator(".mark").is_visible()


def test_other_person_is_heard_and_in_step(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    engine.play(clip)
    until(page, "facewire.loudness > 0.01")
    until(page, "facewire.figures.shown > 30")
    skews = []
    for _ in range(20):
        skews.append(figures(page)["skewMs"])
        time.sleep(0.1)
    assert -45 <= float(np.median(skews)) <= 125, skews
    counts = figures(page)["sound"]["counts"]
    assert counts["heard"] > RATE
    engine.stop_playing()
    until(page, "facewire.loudness < 0.001")


def test_late_pictures_hold_the_sound(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    engine.play(clip, picture_late_ms=330.0)
    until(page, "facewire.figures.extraMs > 60", timeout_s=60)
    until(page, "facewire.figures.skewMs > -45", timeout_s=60)


def test_lost_sound_is_bridged(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    engine.play(clip, lose_each=10)
    until(page, "facewire.figures.sound.counts?.lost >= 4")
    counts = figures(page)["sound"]["counts"]
    share = counts["concealed"] / (counts["heard"] + counts["concealed"])
    assert 0.02 < share < 0.35, counts
    until(page, "facewire.loudness > 0.01")


def test_mute_stops_the_sound_and_says_so(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    engine.wait_for(lambda: engine.got(ToEngine.OPUS), "sound")
    page.keyboard.press("m")
    engine.wait_for(lambda: {"type": "mute", "on": True} in engine.said, "word of it")
    assert page.inner_text("#do-mute") == "Unmute"
    assert page.get_attribute("#do-mute", "aria-pressed") == "true"
    time.sleep(0.4)  # what the encoder still had
    before = len(engine.got(ToEngine.OPUS))
    time.sleep(0.6)
    assert len(engine.got(ToEngine.OPUS)) == before
    page.click("#do-mute")
    engine.wait_for(lambda: len(engine.got(ToEngine.OPUS)) > before, "sound again")
    engine.tell(type="mute", on=True, who="them")
    page.wait_for_selector("#their-mute:visible")


def test_camera_off_stops_the_frames(open_page: Open, engine: EngineDouble) -> None:
    page = open_page()
    begin(page, engine)
    page.keyboard.press("v")
    engine.wait_for(lambda: {"type": "camera", "on": False} in engine.said, "word of it")
    time.sleep(0.4)
    before = len(engine.got(ToEngine.CAMERA))
    time.sleep(0.6)
    assert len(engine.got(ToEngine.CAMERA)) == before
    assert page.inner_text("#self-off") == "Camera off"
    page.keyboard.press("v")
    engine.wait_for(lambda: len(engine.got(ToEngine.CAMERA)) > before, "frames again")


def test_self_view_shows_what_the_other_sees(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    page.click("#self-view")
    engine.wait_for(lambda: {"type": "self_view", "on": True} in engine.said, "the wish")
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, :128] = (250, 20, 20)
    engine.send(pack(ToPage.SELF, 1.0, encode_jpeg(image)))
    pixel = "[...document.querySelector('#self-canvas').getContext('2d').getImageData(20, 100, 1, 1).data]"
    until(page, f"{pixel}[0] > 230")
    assert page.is_visible("#self-canvas")
    assert page.is_hidden("#self-video")


def test_broken_messages_are_left_out(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    page = open_page()
    begin(page, engine)
    for content in (
        b"",
        b"\x11",
        b"\x7f" * 40,
        pack(ToPage.PICTURE, 1.0, b"no jpeg"),
        pack(ToPage.OPUS, 1.0, b"\xff", 1),
    ):
        engine.send(content)
    engine.tell(type="nonsense")
    engine.play(clip)
    until(page, "facewire.figures.shown > 5")
    until(page, "facewire.loudness > 0.01")
