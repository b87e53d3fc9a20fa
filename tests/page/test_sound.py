"""Sound in a real browser: echo cancellation, other rates, browsers that lack something, and what silence saves."""

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from call.page_binary import FromPage, ToEngine
from tests.page.clips import Clip
from tests.page.conftest import Open
from tests.page.engine_double import EngineDouble, begin, until
from tests.page.test_media import decode_opus, figures, rms

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.network, pytest.mark.slow]

WATCH_SOUND = """
globalThis.asked = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (constraints) => {
  asked.push(constraints.audio ?? null);
  const both = constraints.audio && constraints.video;
  if (globalThis.refuseBoth && both) return Promise.reject(new DOMException("", "NotFoundError"));
  return ask(constraints);
};
globalThis.contexts = [];
globalThis.AudioContext = class extends AudioContext {
  constructor(options) { super(options); contexts.push({ context: this, options }); }
  setSinkId() { throw new Error("Chromium cancels no echo of what plays elsewhere"); }
};
globalThis.played = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  if (to === this.context.destination) played.push(this.context);
  return connect.call(this, to, ...more);
};
"""
"""Notes what the page asks of the microphone, and where it plays."""
TALK = """
globalThis.talking = null;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
  const stream = await ask(constraints);
  if (!constraints.audio) return stream;
  const context = new AudioContext({ sampleRate: 48000 });
  globalThis.talking = new GainNode(context, { gain: 0.3 });
  const voice = new OscillatorNode(context, { type: "sawtooth", frequency: 150 });
  const to = context.createMediaStreamDestination();
  voice.connect(talking).connect(to);
  voice.start();
  await context.resume();
  return new MediaStream([...stream.getVideoTracks(), ...to.stream.getAudioTracks()]);
};
"""
"""A microphone into which somebody speaks, or does not."""


@pytest.mark.parametrize("apart", [False, True])
def test_echo_cancellation_is_asked_for_and_hears_what_is_played(
    open_page: Open, engine: EngineDouble, clip: Clip, apart: bool
) -> None:
    """Also where camera and microphone are opened one after the other."""
    page = open_page(script=f"globalThis.refuseBoth = {str(apart).lower()};" + WATCH_SOUND)
    begin(page, engine)
    engine.play(clip)
    until(page, "facewire.loudness > 0.01")
    asked = [audio for audio in page.evaluate("asked") if audio]
    assert asked
    for audio in asked:
        assert audio["echoCancellation"] is True
        assert audio["noiseSuppression"] is True
        assert audio["autoGainControl"] is True
        assert audio["channelCount"] == 1
    got = page.evaluate("document.querySelector('#preview-video').srcObject && facewire.microphoneSettings")
    assert got["echoCancellation"] is True, "the browser does it"
    # one context for both directions, at the device's own rate, on the browser's usual output
    assert page.evaluate("contexts.length") == 1
    assert "sampleRate" not in page.evaluate("contexts[0].options ?? {}")
    assert page.evaluate("played.length > 0 && played.every((context) => context === contexts[0].context)")


def test_microphone_whose_echo_stays_is_told(open_page: Open, engine: EngineDouble) -> None:
    script = """
    const settings = MediaStreamTrack.prototype.getSettings;
    MediaStreamTrack.prototype.getSettings = function () {
      return this.kind === "audio" ? { ...settings.call(this), echoCancellation: false } : settings.call(this);
    };"""
    page = open_page(script=script)
    page.wait_for_selector("#problem:visible")
    assert "echo is not cancelled" in page.inner_text("#problem")
    assert "Use headphones" in page.inner_text("#problem")
    begin(page, engine)
    engine.wait_for(lambda: engine.got(ToEngine.OPUS), "sound all the same")


def test_devices_of_another_rate(open_page: Open, engine: EngineDouble, clip: Clip) -> None:
    """As Firefox has it, whose contexts keep to the device: 44.1 kHz in, 44.1 kHz out, 48 kHz on the wire."""
    script = """
    globalThis.AudioContext = class extends AudioContext {
      constructor(options) { super({ ...options, sampleRate: 44100 }); }
    };"""
    page = open_page(script=script)
    begin(page, engine)
    engine.play(clip)
    engine.wait_for(lambda: len(engine.got(ToEngine.OPUS)) >= 30, "sound")
    packets = engine.got(ToEngine.OPUS)
    steps = np.diff([packet.time_ms for packet in packets])
    assert float(np.median(steps)) == pytest.approx(60, abs=2)
    assert rms(decode_opus(packets)) > 0.01
    until(page, "facewire.loudness > 0.01")
    until(page, "facewire.figures.shown > 20")
    assert -45 <= float(np.median([figures(page)["skewMs"] for _ in range(10)])) <= 125


@pytest.mark.parametrize(
    "lacks",
    [
        "delete globalThis.AudioDecoder",  # as Safari before 26, which has neither
        "delete globalThis.AudioEncoder; delete globalThis.AudioDecoder",
        # as a browser that passes over the options of Opus: 20 ms a packet
        """const Encoder = AudioEncoder;
        globalThis.AudioEncoder = class {
          static isConfigSupported({ opus, ...config }) { return Encoder.isConfigSupported(config); }
          #encoder; constructor(init) { this.#encoder = new Encoder(init); }
          configure({ opus, ...config }) { this.#encoder.configure(config); }
          encode(data) { this.#encoder.encode(data); } flush() { return this.#encoder.flush(); }
          close() { this.#encoder.close(); } get state() { return this.#encoder.state; }
          get encodeQueueSize() { return this.#encoder.encodeQueueSize; } };""",
        # as Firefox, which has no such thing
        "delete globalThis.MediaStreamTrackProcessor; delete globalThis.AudioEncoder",
    ],
)
def test_browser_without_opus_sends_and_plays_samples(
    open_page: Open, engine: EngineDouble, clip: Clip, lacks: str
) -> None:
    page = open_page(script=lacks)
    page.wait_for_selector("#problem:visible")
    assert "sound is coded by facewire instead" in page.inner_text("#problem")
    begin(page, engine)
    engine.wait_for(lambda: len(engine.got(ToEngine.PCM)) >= 15, "samples")
    assert engine.said_of("hello")[0]["codecs"] == {"opus": False}
    assert not engine.got(ToEngine.OPUS)
    steps = np.diff([packet.time_ms for packet in engine.got(ToEngine.PCM)])
    assert float(np.median(steps)) == pytest.approx(60, abs=2)
    engine.play(clip, pcm=True)
    until(page, "facewire.loudness > 0.01")
    until(page, "facewire.figures.shown > 5")


def test_browser_without_sound_worklets_still_shows_and_chats(
    open_page: Open, engine: EngineDouble, clip: Clip
) -> None:
    page = open_page(script="delete globalThis.AudioWorkletNode")
    page.wait_for_selector("#problem:visible")
    assert "picture and chat work" in page.inner_text("#problem")
    begin(page, engine)
    engine.play(clip)
    until(page, "facewire.figures.shown > 5")
    page.keyboard.press("c")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    engine.wait_for(lambda: engine.said_of("chat"), "the line")


def sent_in(page: "Page", engine: EngineDouble, seconds: float) -> list[FromPage]:
    """Packets of the next seconds, after what the encoder still has."""
    page.wait_for_timeout(900)
    before, until_s = len(engine.got(ToEngine.OPUS)), time.monotonic() + seconds
    while time.monotonic() < until_s:
        page.wait_for_timeout(50)
    return engine.got(ToEngine.OPUS)[before:]


def test_silence_saves_packets_and_bytes(open_page: Open, engine: EngineDouble) -> None:
    page = open_page(script=TALK)
    begin(page, engine)
    engine.wait_for(lambda: engine.got(ToEngine.OPUS), "sound")
    spoken = sent_in(page, engine, 2.4)
    page.evaluate("talking.gain.value = 0")
    silent = sent_in(page, engine, 2.4)
    page.evaluate("talking.gain.value = 0.3")
    again = sent_in(page, engine, 1.2)
    counted = [(len(packets), sum(len(packet.content) for packet in packets)) for packets in (spoken, silent, again)]
    assert counted[0][0] >= 25, counted
    assert counted[1][0] <= 0.4 * counted[0][0], f"a packet each 400 ms keeps the other side's noise going: {counted}"
    assert counted[1][1] <= 0.1 * counted[0][1], counted
    assert counted[2][0] >= 10, counted


def test_engine_lowers_the_voice(open_page: Open, engine: EngineDouble) -> None:
    page = open_page(script=TALK)
    begin(page, engine)
    sizes = {}
    for bit_rate in (12000, 9000, 6000, 12000):
        engine.tell(type="voice", bit_rate=bit_rate)
        until(page, f"facewire.figures.sound.bitrate === {bit_rate}")
        sizes[bit_rate] = np.mean([len(packet.content) for packet in sent_in(page, engine, 1.2)])
    assert sizes[6000] < 0.85 * sizes[9000] < 0.85 * 0.95 * sizes[12000], sizes
