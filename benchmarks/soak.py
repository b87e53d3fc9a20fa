"""Two engines in one process for an hour: does what they hold grow, and is anything left over when they are done?

Each films a clip as a page would (JPEG, 10 a second), speaks all the time and shows 5 pictures a second, with the
shipped networks: half a core. As in a long call things happen meanwhile: the network goes for eight seconds each
quarter of an hour, a new source picture is sent each ten minutes, a line is written each minute, somebody looks at
himself or turns the other's face.

    python -m benchmarks.soak [--minutes 60] [--json]

The bars, and the exit code 1: memory grows by no more than 5 % after the first ten minutes; when the call is over there
are as many tasks, threads and open handles as before it (a short call before that has loaded what stays loaded).
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.call import CLIP, SPOKEN, Material, read_material, until
from benchmarks.footprint import Footprint, growth, handles
from benchmarks.impaired import Impaired
from call.engine import Engine
from call.hosting import hosted_server
from call.page_link import to_jpeg
from call.page_messages import EngineMessage, StateMessage
from call.room_link import RoomLink
from call.settings import CallSettings
from call.states import State
from call.watching import Picture
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
SETTLED_MINUTES: Final = 10
MOST_GROWTH: Final = 0.05
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
        a.set_source(await a.source_from_file(to_jpeg(frame)))
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


async def soak(
    model: Model,
    finder: FaceFinder,
    material: Material,
    minutes: int,
    minute_s: float = 60.0,
    settings: CallSettings = SETTINGS,
) -> dict[str, Any]:
    """Make the call; returns a row a minute and what was left over."""
    async with talking(model, finder, material, settings):
        await asyncio.sleep(min(3.0, minute_s))
    before, held = Footprint.now(), handles()
    rows: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    async with talking(model, finder, material, settings) as sides:
        begin_s = loop.time()
        for minute in range(minutes):
            await live(sides, material, minute, minute_s)
            await asyncio.sleep(max(0.0, begin_s + (minute + 1) * minute_s - loop.time()))
            rows.append(_row(minute + 1, sides))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        states = [dict(side.front.states) for side in sides]
    await asyncio.sleep(1)
    after, more = Footprint.now(), Counter(handles())
    more.subtract(held)
    left = {name: getattr(after, name) - getattr(before, name) for name in ("tasks", "threads", "handles")}
    memory = [row["rss_mb"] for row in rows]
    return {
        "minutes": minutes,
        "rss_growth": round(growth(memory, SETTLED_MINUTES - 1), 4) if minutes > SETTLED_MINUTES else None,
        "left_over": left,
        "handles_left_over": sorted((+more).elements()),
        "before": asdict(before),
        "after": asdict(after),
        "states": states,
        "rows": rows,
    }


def _row(minute: int, sides: list[Side]) -> dict[str, Any]:
    return {
        "minute": minute,
        **asdict(Footprint.now()),
        "states": [str(side.engine.progress.state) for side in sides],
        "pictures": [side.front.pictures for side in sides],
        "packets": [side.front.packets for side in sides],
    }


def failures(result: dict[str, Any]) -> list[str]:
    """What of the bars is not met, in words."""
    found = []
    if result["rss_growth"] is not None and result["rss_growth"] > MOST_GROWTH:
        found.append(f"expected memory to grow by {MOST_GROWTH:.0%} at most, it grew by {result['rss_growth']:.1%}")
    for name, count in result["left_over"].items():
        if count > 0:
            found.append(f"expected no {name} to be left over, {count} are: {result['handles_left_over']}")
    rows = result["rows"]
    still = [late["minute"] for early, late in zip(rows, rows[1:], strict=False) if _stands(early, late)]
    if still:
        found.append(f"expected pictures and sound in every minute, none came in {still}")
    return found


def _stands(early: dict[str, Any], late: dict[str, Any]) -> bool:
    return any(late[name][side] <= early[name][side] for name in ("pictures", "packets") for side in (0, 1))


def main() -> None:
    """Read the arguments, run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--minute-s", type=float, default=60.0, help="seconds of a minute: less to try it out")
    parser.add_argument("--input", type=Path, default=CLIP, help="clip with a face")
    parser.add_argument("--sound", type=Path, default=SPOKEN, help="clip with a voice; noise where it is missing")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    result = run(arguments)
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"memory grew by {result['rss_growth']} after minute {SETTLED_MINUTES}; left over: {result['left_over']}")
    found = failures(result)
    for words in found:
        print(words, file=sys.stderr)
    sys.exit(1 if found else 0)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Load the networks as `facewire call` does, and make the call."""
    from models.face_finder_weights import load_finder
    from models.runtime.prepare import prepare
    from models.weights import load_model

    torch.set_num_threads(1)
    model = prepare(load_model(), ["extract", "render"], say=lambda line: print(line, file=sys.stderr)).model
    finder = load_finder(model.folder)
    material = read_material(model, arguments.input, arguments.sound, finder)
    return asyncio.run(soak(model, finder, material, arguments.minutes, arguments.minute_s))


if __name__ == "__main__":
    main()
