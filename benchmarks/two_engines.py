"""Two engines in one process, what they film and say, and a front that counts: for what is measured of a call."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.impaired import Impaired
from call.engine import Engine
from call.hosting import hosted_server
from call.own_source import OwnSource, from_crop
from call.page_front import to_jpeg
from call.page_messages import EngineMessage, StateMessage
from call.room_link import RoomLink
from call.seen import Picture
from call.settings import CallSettings
from codec.motion import Motion
from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from models.weights import Model
from receiver.show import Image
from sender.camera import open_source
from sender.clip_sound import clip_sound
from sender.crop_square import cut, find_square
from sender.extract import Extractor
from sender.opus import OpusEncoder
from signaling.peer import Peer

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "replay/assets/demo.mp4"
SPOKEN = ROOT.parent / "shared/data/talking_heads/hd/id097_0.mp4"
RATE = 30.0
MOST_FRAMES = 150


@dataclass
class Watcher:
    """A front that counts."""

    shown: list[tuple[float, float]] = field(default_factory=list)
    """When by the clock, and the capture time."""
    packets: int = 0
    states: list[str] = field(default_factory=list)

    def show(self, image: Image, time_s: float) -> None:
        """Encode as for the page, and note when that is done."""
        to_jpeg(image)
        self.shown.append((time.monotonic(), time_s))

    def show_self(self, image: Image, time_s: float) -> None:
        """Leave it."""

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Count."""
        self.packets += 1

    def tell(self, message: EngineMessage) -> None:
        """Note states."""
        if isinstance(message, StateMessage) and message.state not in self.states[-1:]:
            self.states.append(str(message.state))


@dataclass(frozen=True)
class Material:
    """What is sent: frames of a clip, the motion in them, a source picture, packets of sound."""

    frames: list[Image]
    motions: list[Motion]
    source: OwnSource
    packets: list[bytes]


def read_material(model: Model, clip: Path, spoken: Path | None, finder: Any) -> Material:
    """Read a clip to its end, and its motion, before anything is timed."""
    clip_frames = open_source(str(clip))
    frames: list[Image] = []
    while (frame := clip_frames.read()) is not None and len(frames) < MOST_FRAMES:
        frames.append(frame.image)
    clip_frames.close()
    extractor = Extractor(model)
    square, score = find_square(frames[0], model.config.size, 0.5, finder.find, extractor.face_score)
    if square is None:
        raise SystemExit(f"{clip}: expected a face in the first frame, found none (score {score:.2f})")
    crops = [cut(frame, square, model.config.size) for frame in frames]
    source = from_crop(crops[0], 90)
    extractor.set_source(source.image)
    motions = [extractor.extract_now(crop, index / RATE).motion for index, crop in enumerate(crops)]
    return Material(frames, motions, source, list(_packets(spoken)))


def _packets(spoken: Path | None) -> Iterator[bytes]:
    """The clip's sound, or, where there is none, noise in the rhythm of syllables: dearer than a voice."""
    encoder = OpusEncoder()
    if spoken is not None and spoken.is_file():
        yield from (packet for _, samples in clip_sound(spoken) for packet in encoder.encode(samples))
        return
    chance = np.random.default_rng(1)
    for index in range(100):
        loudness = 6000 * abs(np.sin(index * 0.7))
        yield from encoder.encode(np.asarray(chance.normal(0, loudness, PACKET_SAMPLES).clip(-32768, 32767), np.int16))


@asynccontextmanager
async def two_engines(
    model: Model, finder: Any, loss: float, rtt_s: float, show_rate: float, face_threshold: float = 0.5
) -> AsyncIterator[tuple[list[tuple[Engine, Watcher]], list["asyncio.Task[Any]"]]]:
    """Yield two engines and their fronts; the second one has not begun."""
    async with hosted_server("127.0.0.1", 0) as url:
        sides: list[tuple[Engine, Watcher]] = []
        for seed in (1, 2):
            impaired = Impaired(seed, loss, rtt_s / 2)
            settings = CallSettings(
                source_cache=None, show_rate=show_rate, frame_rate=RATE, face_threshold=face_threshold
            )
            front = Watcher()
            make_peer = lambda impaired=impaired: Peer(impair=impaired)  # noqa: E731
            sides.append((Engine(settings, RoomLink(url, "bench"), model, front, make_peer, finder=finder), front))
        tasks = [asyncio.create_task(sides[0][0].run())]
        try:
            yield sides, tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def play_motion(engine: Engine, material: Material) -> None:
    """Send motion and sound as a camera and a microphone would give them, again and again."""
    begin_s, frame, packet = engine.now(), 0, 0
    while True:
        elapsed_s = engine.now() - begin_s
        while frame / RATE <= elapsed_s:
            motion = material.motions[frame % len(material.motions)]
            if engine.conversation is not None:
                engine.conversation.add_motion(replace(motion, capture_time_s=begin_s + frame / RATE))
            frame += 1
        while (packet + 1) * PACKET_SAMPLES / SAMPLE_RATE <= elapsed_s:
            time_s = begin_s + packet * PACKET_SAMPLES / SAMPLE_RATE
            engine.take_sound(material.packets[packet % len(material.packets)], time_s)
            packet += 1
        await asyncio.sleep(0.004)


async def keep_looking(engine: Engine, material: Material) -> None:
    """Give the engine a picture now and then: a source picture comes into use between two of them."""
    while True:
        engine.take_picture(Picture(material.frames[0], engine.now()))
        await asyncio.sleep(0.5)


async def look_often(engine: Engine) -> None:
    """Ask for the motion of the moment as a screen does, 30 times a second; rendering that often is left out."""
    while True:
        await asyncio.sleep(1 / RATE)
        if engine.conversation is not None:
            engine.conversation.incoming.smoother.sample(engine.now())


async def until(condition: Any, limit_s: float, what: str) -> None:
    """Wait until something is so."""
    try:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise SystemExit(f"expected {what} within {limit_s:g} s, waited in vain") from None


async def film(engine: Engine, material: Material) -> None:
    """Give the clip's frames at their rate, forwards and backwards."""
    order = [*material.frames, *material.frames[::-1]]
    begin_s, step = engine.now(), 0
    while True:
        await asyncio.sleep(max(0.0, begin_s + step / RATE - engine.now()))
        engine.take_picture(Picture(order[step % len(order)], engine.now()))
        step += 1
