"""A call of two engines in one process with all that happens in a long one: the soak's (soak.py)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.impaired import Impaired
from benchmarks.two_engines import Material, until
from call.engine import Engine
from call.hosting import hosted_server
from call.page_front import to_jpeg
from call.page_messages import EngineMessage, StateMessage
from call.room_link import RoomLink
from call.seen import Picture
from call.settings import CallSettings
from call.states import State
from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from models.face_finder import FaceFinder
from models.weights import Model
from receiver.show import Image
from signaling.peer import Peer

CAMERA_RATE: Final = 10.0
SHOW_RATE: Final = 5.0
GONE_S: Final = 8.0
GONE_EACH_MINUTES: Final = 15
SOURCE_EACH_MINUTES: Final = 10
SETTINGS: Final = CallSettings(source_cache=None, show_rate=SHOW_RATE, frame_rate=CAMERA_RATE)


@dataclass
class Counting:
    """A front that does what a page's does and keeps nothing but counts."""

    pictures: int = 0
    packets: int = 0
    messages: int = 0
    states: Counter[str] = field(default_factory=Counter)
    _last: str = ""

    def show(self, image: Image, time_s: float) -> None:
        """Encode a picture as for the page."""
        to_jpeg(image)
        self.pictures += 1

    def show_self(self, image: Image, time_s: float) -> None:
        """Encode a picture of oneself."""
        to_jpeg(image)

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Count."""
        self.packets += 1

    def tell(self, message: EngineMessage) -> None:
        """Count, and note how often each state was entered."""
        message.model_dump_json(by_alias=True)
        self.messages += 1
        if isinstance(message, StateMessage) and message.state != self._last:
            self._last = str(message.state)
            self.states[self._last] += 1


@dataclass
class Side:
    """One engine, what it shows to, and its way out of the network."""

    engine: Engine
    front: Counting
    network: Impaired


@asynccontextmanager
async def talking(
    model: Model, finder: FaceFinder, material: Material, settings: CallSettings = SETTINGS
) -> AsyncIterator[list[Side]]:
    """Two engines in a call, filming and speaking; hung up at the end."""
    async with hosted_server("127.0.0.1", 0) as url:
        sides = [_side(model, finder, url, seed, settings) for seed in (1, 2)]
        calls = [asyncio.create_task(side.engine.run()) for side in sides]
        plays = []
        for side, begin in zip(sides, (0, len(material.frames) // 2), strict=True):
            side.engine.start(consent=True)
            plays.append(asyncio.create_task(film(side.engine, material, begin)))
            plays.append(asyncio.create_task(speak(side.engine, material)))
        try:
            await until(lambda: all(side.front.pictures for side in sides), 120, "both sides to see each other")
            yield sides
            sides[0].engine.leave()
            async with asyncio.timeout(10):
                await asyncio.gather(*calls)
        finally:
            for task in (*plays, *calls):
                task.cancel()
            await asyncio.gather(*plays, *calls, return_exceptions=True)


def _side(model: Model, finder: FaceFinder, url: str, seed: int, settings: CallSettings) -> Side:
    network, front = Impaired(seed, 0.0, 0.02), Counting()
    engine = Engine(settings, RoomLink(url, "soak"), model, front, lambda: Peer(impair=network), finder=finder)
    return Side(engine, front, network)


async def film(engine: Engine, material: Material, begin: int) -> None:
    """Give JPEGs at the camera's rate, forwards and backwards."""
    jpegs = [to_jpeg(frame) for frame in material.frames]
    order = [*jpegs, *jpegs[-2:0:-1]]
    begin_s, step = engine.now(), 0
    while True:
        await asyncio.sleep(max(0.0, begin_s + step / CAMERA_RATE - engine.now()))
        # a clip of 30 frames a second is filmed at 10: every third
        engine.take_picture(Picture(order[(begin + 3 * step) % len(order)], engine.now()))
        step += 1


async def speak(engine: Engine, material: Material) -> None:
    """Give packets at their times, again and again."""
    begin_s, number = engine.now(), 0
    while True:
        await asyncio.sleep(max(0.0, begin_s + (number + 1) * PACKET_SAMPLES / SAMPLE_RATE - engine.now()))
        time_s = begin_s + number * PACKET_SAMPLES / SAMPLE_RATE
        engine.take_sound(material.packets[number % len(material.packets)], time_s)
        number += 1


async def live(sides: list[Side], material: Material, minute: int, minute_s: float) -> None:
    """Do what people do in one minute of a call."""
    a, b = (side.engine for side in sides)
    a.chat(f"minute {minute}")
    a.self_view(minute % 4 == 1)
    b.screen.look(10.0 * (minute % 3 - 1), 0.0, minute % 5 == 2)
    b.mute(True)
    await asyncio.sleep(minute_s / 10)
    b.mute(False)
    if minute % SOURCE_EACH_MINUTES == 2:
        frame = material.frames[7 * minute % len(material.frames)]
        a.set_source(await a.own.from_file(to_jpeg(frame)))
    if minute % GONE_EACH_MINUTES == GONE_EACH_MINUTES // 3:
        await lose_network(sides)


async def lose_network(sides: list[Side]) -> None:
    """Let nothing through for a while: both connections are given up, and made anew afterwards."""
    for side in sides:
        side.network.gone = True
    await asyncio.sleep(GONE_S)
    for side in sides:
        side.network.gone = False
    await until(lambda: all(_in_call(side) for side in sides), 30, "the call to come back")


def _in_call(side: Side) -> bool:
    return side.engine.progress.state in (State.IN_CALL, State.UNSTABLE)
