"""pipeline.py: from bytes to frames, with a renderer that stands in for the networks."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import numpy as np
import pytest

from codec.decoder import Decoder
from codec.motion import Motion
from codec.wire import Profile
from receiver.channel import Inbox
from receiver.collect import Collector
from receiver.decode import CountingDecoder
from receiver.pipeline import ReceiverPipeline
from receiver.render import FaceRenderer
from receiver.show import Image, VideoWriter
from signaling.dropping_queue import DroppingQueue
from tests.receiver.motions import TABLES, encode


class Screen:
    """Renderer and writer in one: notes what is shown; `gate` holds it up."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.motions: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        await self.gate.wait()
        return work()

    def render_now(self, motion: Motion) -> Image:
        self.motions.append(motion.capture_time_s)
        return np.zeros((8, 8, 3), np.uint8)

    def write(self, image: Image, capture_time_s: float) -> float:
        self.times_s.append(round(capture_time_s, 3))
        return capture_time_s


def build(screen: Screen, queue: int = 100, hold_s: float = 0.05, **more: Any) -> ReceiverPipeline:
    return ReceiverPipeline(
        inbox=Inbox(100),
        decoder=CountingDecoder(Decoder(TABLES)),
        collector=Collector(hold_s),
        motions=DroppingQueue(queue),
        renderer=cast(FaceRenderer, screen),
        writer=cast(VideoWriter, screen),
        **more,
    )


class Stage(Screen):
    """A screen, and a clock that only waiting and rendering move; messages come at their times meanwhile."""

    def __init__(self, render_s: float = 0.0) -> None:
        super().__init__()
        self.now_s, self.render_s = 100.0, render_s
        self.sent_at_s: list[float] = []
        self.arrivals: list[tuple[float, Callable[[], None]]] = []

    async def sleep(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.arrivals and self.arrivals[0][0] <= end_s:
            at_s, happen = self.arrivals.pop(0)
            self.now_s = max(self.now_s, at_s)
            happen()
            for _ in range(3):
                await asyncio.sleep(0)
        self.now_s = max(self.now_s, end_s)
        await asyncio.sleep(0)

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        await self.sleep(self.render_s)
        return work()

    def write(self, image: Image, capture_time_s: float) -> float:
        self.sent_at_s.append(self.now_s)
        return super().write(image, capture_time_s)

    def build(self, messages: list[bytes], interval_s: float = 0.08, lost: Iterable[int] = (), **more: Any) -> Any:
        pipeline = build(self, live=True, now=lambda: self.now_s, sleep=self.sleep, **more)
        pipeline.inbox._now = lambda: self.now_s
        for index, message in enumerate(messages):
            if index not in lost:
                self.arrivals.append((100.05 + interval_s * (index + 1), partial(pipeline.inbox.take, message)))
        self.arrivals.append((100.1 + interval_s * len(messages), pipeline.inbox.end))
        return pipeline

    async def run(self, pipeline: ReceiverPipeline) -> None:
        await asyncio.wait_for(asyncio.gather(pipeline.collect(), pipeline.show(), pipeline.play()), 20)


async def test_play_shows_thirty_a_second_of_twenty_five() -> None:
    stage = Stage()
    pipeline = stage.build(encode(50))
    await stage.run(pipeline)
    assert np.diff(stage.times_s) == pytest.approx(1 / 30, abs=1.1e-3)  # times are rounded to ms
    assert len(stage.times_s) == pytest.approx(4 * 30, abs=3)
    assert pipeline.frames_shown == len(stage.times_s)
    assert pipeline.smoother.on_time_share == 1.0
    assert stage.motions == sorted(stage.motions)


async def test_play_renders_a_held_picture_once() -> None:
    stage = Stage()
    pipeline = stage.build(encode(50, profile=Profile.PAPER), lost=range(20, 32))
    await stage.run(pipeline)
    assert pipeline.smoother.longest_freeze_s == pytest.approx(12 * 0.08, abs=0.15)
    assert max(np.diff(stage.times_s)) == pytest.approx(12 * 0.08, abs=0.15)
    assert len(stage.times_s) == pytest.approx((4 - 12 * 0.08) * 30, abs=6)


async def test_play_skips_pictures_when_rendering_is_slow_and_stays_up_to_date() -> None:
    stage = Stage(render_s=0.055)
    pipeline = stage.build(encode(50))
    await stage.run(pipeline)
    assert len(stage.times_s) == pytest.approx(4 / 0.055, abs=4)
    assert pipeline.ticker.skipped == pytest.approx(4 * 30 - 4 / 0.055, abs=5)
    first_s = stage.sent_at_s[0] - stage.times_s[0]
    late_s = [at_s - time_s - first_s for at_s, time_s in zip(stage.sent_at_s, stage.times_s, strict=True)]
    assert max(late_s) < 0.034  # a picture's distance; nothing queues


async def test_play_beside_a_file_counts_and_renders_nothing() -> None:
    stage = Stage()
    pipeline = stage.build(encode(50))
    pipeline.live = False
    await stage.run(pipeline)
    assert stage.times_s == [round(index * 0.04, 3) for index in range(100)]
    assert sum(pipeline.smoother.counts.values()) == pytest.approx(4 * 30, abs=6)


async def test_file_at_a_steady_rate_bridges_what_was_lost() -> None:
    screen = Screen()
    pipeline = build(screen, hold_s=0.0, show_fps=50)
    messages = encode(10, profile=Profile.PAPER)
    for index in (0, 1, 2, 4, 5, 6, 7, 8, 9):
        pipeline.inbox.take(messages[index])
    pipeline.inbox.end()
    await asyncio.wait_for(asyncio.gather(pipeline.collect(), pipeline.show()), 5)
    assert screen.times_s == [round(index * 0.02, 3) for index in range(39)]


async def test_frames_come_out_in_order_and_bad_messages_do_no_harm() -> None:
    screen = Screen()
    pipeline = build(screen)
    messages = encode(5)
    loops = asyncio.gather(pipeline.collect(), pipeline.show())
    for index in (0, 2, 1, 3, 4):
        pipeline.inbox.take(messages[index])
        pipeline.inbox.take(b"noise")
    await asyncio.sleep(0)
    pipeline.inbox.end()
    await asyncio.wait_for(loops, 5)
    assert screen.times_s == [round(index * 0.04, 3) for index in range(10)]
    assert pipeline.frames_shown == 10
    assert pipeline.decoder.bad_messages == 5


async def test_missing_message_is_given_up_without_another_one_coming() -> None:
    screen = Screen()
    pipeline = build(screen)
    messages = encode(3, repeat=1)
    loops = asyncio.gather(pipeline.collect(), pipeline.show())
    pipeline.inbox.take(messages[0])
    pipeline.inbox.take(messages[2])
    async with asyncio.timeout(5):
        while len(screen.times_s) < 4:  # noqa: ASYNC110, the screen has no event
            await asyncio.sleep(0.005)
    assert pipeline.collector.missing == 1
    pipeline.inbox.end()
    await asyncio.wait_for(loops, 5)


async def test_slow_renderer_with_room_shows_every_frame_after_the_call() -> None:
    screen = Screen()
    screen.gate.clear()
    pipeline = build(screen)
    loops = asyncio.gather(pipeline.collect(), pipeline.show())
    for message in encode(20):
        pipeline.inbox.take(message)
    await asyncio.sleep(0.01)
    pipeline.inbox.end()
    assert screen.times_s == []
    screen.gate.set()
    await asyncio.wait_for(loops, 5)
    assert len(screen.times_s) == 40


async def test_slow_renderer_without_room_drops_the_oldest_and_counts() -> None:
    screen = Screen()
    screen.gate.clear()
    pipeline = build(screen, queue=5)
    loops = asyncio.gather(pipeline.collect(), pipeline.show())
    for message in encode(20):
        pipeline.inbox.take(message)
        await asyncio.sleep(0)
    pipeline.inbox.end()
    await asyncio.sleep(0.01)
    screen.gate.set()
    await asyncio.wait_for(loops, 5)
    assert pipeline.motions.dropped == 40 - len(screen.times_s)
    assert screen.times_s[-5:] == [round(index * 0.04, 3) for index in range(35, 40)]
