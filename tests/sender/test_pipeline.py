"""pipeline.py: the loop with a stand-in for the networks."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pytest

from codec.codec_tables import CodecTables
from codec.decoder import Decoder
from codec.encoder import Encoder
from codec.motion import Motion
from models.face_finder import FaceBox
from sender.camera import Frame, Image
from sender.crop import Cropper
from sender.crop_follow import Drift
from sender.crop_square import Square
from sender.crop_watch import FaceWatch
from sender.extract import Extracted, Extractor
from sender.packetise import Packetiser
from sender.pipeline import SenderPipeline
from sender.rate import RateController
from sender.send import MediaSender
from sender.steady import Steady
from signaling.control_messages import CropMoved
from signaling.dropping_queue import DroppingQueue
from tests.sender.test_send import Line

TABLES = CodecTables.default(20)


class Networks:
    """Finds a face in every bright picture."""

    async def extract(self, crop: Image, capture_time_s: float) -> Extracted:
        await asyncio.sleep(0)
        delta = np.random.default_rng(round(capture_time_s * 1000)).normal(size=(20, 3)).astype(np.float32)
        motion = Motion(1.0, 2.0, 3.0, np.zeros(3, np.float32), delta, capture_time_s)
        return Extracted(motion, float(crop.mean()) / 255)

    def drift(self, motion: Motion) -> Drift:
        return Drift(0.2 * motion.t[0], 0.0, 0.0)


@dataclass
class Bench:
    """A pipeline and what comes out of it; the clock moves only when the test or a wait moves it."""

    line: Line = field(default_factory=Line)
    frames: DroppingQueue[Frame] = field(default_factory=lambda: DroppingQueue(100))
    idle: list[str] = field(default_factory=list)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.pipeline = SenderPipeline(
            frames=self.frames,
            cropper=Cropper(Square(0, 0, 8), 8),
            extractor=cast(Extractor, Networks()),
            packetiser=Packetiser(Encoder(TABLES), 0.06, 0.04),
            channel=MediaSender(self.line),
            face_threshold=0.5,
            say_idle=self.idle.append,
            now=lambda: self.now_s,
        )

    def put(self, index: int, level: int = 255) -> None:
        self.now_s = index * 0.04
        self.frames.put(Frame(np.full((8, 8, 3), level, np.uint8), index * 0.04))

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_run_sends_two_frames_a_message_and_the_rest_at_the_end() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.pipeline.run())
    for index in range(5):
        bench.put(index)
        await bench.settle()
    bench.frames.end()
    await running
    assert [len(bench.line.sent), bench.pipeline.channel.frames] == [3, 5]
    assert bench.idle == []


async def test_run_frames_without_a_face_are_counted_and_not_sent() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.pipeline.run())
    for index in range(6):
        bench.put(index, level=0 if index in (2, 3) else 255)
        await bench.settle()
    bench.frames.end()
    await running
    assert bench.pipeline.frames_no_face == 2
    assert bench.pipeline.channel.frames == 4


async def test_run_without_a_face_says_once_a_second_that_it_is_still_here() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.pipeline.run())
    for index in range(76):  # three seconds
        bench.put(index, level=0)
        await bench.settle()
    bench.frames.end()
    await running
    assert bench.idle == ["no face"] * 3
    assert bench.line.sent == []


async def test_run_on_a_link_that_takes_nothing_drops_and_counts_instead_of_queueing() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.pipeline.run())
    for index in range(20):
        bench.put(index)
        await bench.settle()
    bench.frames.end()
    await running
    assert len(bench.line.sent) == 3  # more than two wait after the third
    assert bench.pipeline.channel.frames == 6
    assert bench.pipeline.frames_congested == 14


async def test_run_follows_the_rate_control_and_leaves_frames_out() -> None:
    bench = Bench()
    rate = RateController(25.0, 20, max_kbps=1.0)
    bench.pipeline = replace(bench.pipeline, rate=rate, wire_sent=lambda: 0)
    await play(bench, 50)
    assert bench.pipeline.frames_thinned == 25
    assert bench.pipeline.channel.frames + bench.pipeline.frames_congested == 25  # this line takes three messages
    assert bench.pipeline.channel.frames == 9
    assert (bench.pipeline.plans[0][0], bench.pipeline.plans[-1][1].interval_s) == (0, 0.24)


async def play(bench: Bench, frames: int, height: int = 8, width: int = 8) -> None:
    """Frames of one bright colour, 25 a second."""
    running = asyncio.create_task(bench.pipeline.run())
    for index in range(frames):
        bench.now_s = index * 0.04
        bench.frames.put(Frame(np.full((height, width, 3), 255, np.uint8), index * 0.04))
        await bench.settle()
    bench.frames.end()
    await running


async def test_run_tells_where_the_crop_moves_to() -> None:
    bench, told = Bench(), list[CropMoved]()
    watch = FaceWatch(lambda image, near: FaceBox(0.9, 300, 60, 50, 60), 0.5)
    cropper = Cropper(Square(0, 3, 114), 8, watch)
    bench.pipeline = replace(bench.pipeline, cropper=cropper, say_crop=told.append)
    await play(bench, 100, 120, 400)
    end = cropper.follower.square
    assert end == Square(243, 0, 114)
    assert (told[-1].left, told[-1].top, told[-1].side) == (round(243 / 114, 4), round(-3 / 114, 4), 1.0)
    assert 4 <= len(told) <= 20
    assert bench.pipeline.frames_no_face == 0


async def test_run_follows_a_head_that_has_left_its_place_in_the_source_picture() -> None:
    class Aside(Networks):
        async def extract(self, crop: Image, capture_time_s: float) -> Extracted:
            found = await super().extract(crop, capture_time_s)
            return replace(found, motion=replace(found.motion, t=np.array([1, 0, 0], np.float32)))

    bench = Bench()
    watch = FaceWatch(lambda image, near: FaceBox(0.9, 120, 120, 50, 60), 0.5)
    cropper = Cropper(Square(63, 50, 114), 8, watch)
    bench.pipeline = replace(bench.pipeline, cropper=cropper, extractor=cast(Extractor, Aside()))
    await play(bench, 30, 240, 400)
    assert cropper.follower.square.left > 63 + 0.1 * 114
    assert bench.pipeline.frames_no_face == 0


async def test_run_nobody_in_the_whole_picture_overrules_a_face_in_the_crop() -> None:
    bench = Bench()
    watch = FaceWatch(lambda image, near: FaceBox(0.0, 4, 4, 4, 4), 0.5)
    bench.pipeline = replace(bench.pipeline, cropper=Cropper(Square(0, 0, 8), 8, watch))
    await play(bench, 75)
    assert 58 <= bench.pipeline.frames_no_face <= 62  # all but those of the first half second or a little more
    assert bench.idle == ["no face"] * 2


async def test_run_sends_motion_made_steady_in_the_crop_that_it_was_seen_in() -> None:
    bench, calls = Bench(), list[tuple[float, Square | None]]()

    class Still(Steady):
        def __call__(self, motion: Motion, square: Square | None = None) -> Motion:
            calls.append((motion.capture_time_s, square))
            return replace(motion, yaw_deg=30.0)

    bench.pipeline.steady = Still(np.zeros((20, 3), np.float32), scaled=True)
    await play(bench, 4)
    assert calls == [(index * 0.04, Square(0, 0, 8)) for index in range(4)]
    decoder = Decoder(TABLES)
    sent = [motion for message in bench.line.sent for motion in decoder.decode(message).motions]
    assert [motion.yaw_deg for motion in sent] == pytest.approx([30.0] * 4, abs=0.3)
