"""pipeline.py: from bytes to frames, with a renderer that stands in for the networks."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from codec.decoder import Decoder
from codec.motion import Motion
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
        self.gate = asyncio.Event()
        self.gate.set()

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        await self.gate.wait()
        return work()

    def render_now(self, motion: Motion) -> Image:
        return np.zeros((8, 8, 3), np.uint8)

    def write(self, image: Image, capture_time_s: float) -> None:
        self.times_s.append(round(capture_time_s, 3))


def build(screen: Screen, queue: int = 100, hold_s: float = 0.05) -> ReceiverPipeline:
    return ReceiverPipeline(
        inbox=Inbox(100),
        decoder=CountingDecoder(Decoder(TABLES)),
        collector=Collector(hold_s),
        motions=DroppingQueue(queue),
        renderer=cast(FaceRenderer, screen),
        writer=cast(VideoWriter, screen),
    )


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
