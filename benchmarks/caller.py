"""One side of a call in a process of its own: the smallest networks, a clip as camera, a voice; told in lines of JSON.

    python -m benchmarks.caller LINK

Each line has `at_s`, seconds of the machine's monotonic clock, which all its processes share, and either `state` with
its `reason`, or what was seen and heard so far. Ends with the call, or with SIGTERM, and says goodbye then.
`Caller` starts such a process and follows what it says, for the outages and the tests of sudden ends.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import numpy as np

from call.engine import Engine
from call.page_messages import EngineMessage, StateMessage
from call.room_link import RoomLink
from call.seen import Picture
from call.settings import CallSettings
from codec.sound import PACKET_SAMPLES, SAMPLE_RATE
from receiver.show import Image
from sender.camera import open_source
from sender.opus import OpusEncoder

ROOT: Final = Path(__file__).parents[1]
CLIP: Final = ROOT / "replay/assets/demo.mp4"
RATE: Final = 6.0
COUNT_EACH_S: Final = 0.1


@dataclass
class Telling:
    """A front that prints."""

    pictures: int = 0
    packets: int = 0

    def show(self, image: Image, time_s: float) -> None:
        """Count."""
        self.pictures += 1

    def show_self(self, image: Image, time_s: float) -> None:
        """Leave it."""

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Count."""
        self.packets += 1

    def tell(self, message: EngineMessage) -> None:
        """Print states."""
        if isinstance(message, StateMessage):
            _print(state=str(message.state), reason=message.reason)


def _print(**values: Any) -> None:
    print(json.dumps({"at_s": time.monotonic(), **values}), flush=True)


async def call(link: RoomLink) -> None:
    """Call until somebody hangs up, or this process is told to end."""
    from models.weights import build_model

    front = Telling()
    settings = CallSettings(source_cache=None, face_threshold=0.0, frame_rate=RATE, show_rate=RATE)
    engine = Engine(settings, link, build_model("tiny"), front)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.leave, "was told to end")
    engine.start(consent=True)
    plays = [asyncio.create_task(play(engine, front)) for play in (_film, _speak, _count)]
    try:
        await engine.run()
    finally:
        for task in plays:
            task.cancel()
        await asyncio.gather(*plays, return_exceptions=True)


async def _film(engine: Engine, front: Telling) -> None:
    clip = open_source(str(CLIP))
    frames = [frame.image for frame in iter(clip.read, None)][::5]
    clip.close()
    for image in cycle(frames):
        engine.take_picture(Picture(image, engine.now()))
        await asyncio.sleep(1 / RATE)


async def _speak(engine: Engine, front: Telling) -> None:
    tone = 8000 * np.sin(np.arange(PACKET_SAMPLES) * 2 * math.pi * 200 / SAMPLE_RATE)
    packet = next(iter(OpusEncoder().encode(tone.astype(np.int16))))
    begin_s = engine.now()
    for number in range(1 << 31):
        time_s = begin_s + number * PACKET_SAMPLES / SAMPLE_RATE
        await asyncio.sleep(max(0.0, time_s + PACKET_SAMPLES / SAMPLE_RATE - engine.now()))
        engine.take_sound(packet, time_s)


async def _count(engine: Engine, front: Telling) -> None:
    while True:
        await asyncio.sleep(COUNT_EACH_S)
        _print(pictures=front.pictures, packets=front.packets)


@dataclass
class Caller:
    """Such a process, and what it has said so far. `before`: words before the command, as `ip netns exec NAME`."""

    link: str
    before: Sequence[str] = ()
    states: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=lambda: {"at_s": 0.0, "pictures": 0, "packets": 0})

    def __post_init__(self) -> None:
        command = [*self.before, sys.executable, "-m", "benchmarks.caller", self.link]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "state" in said:
                self.states.append(said)
            else:
                self.counts = said

    @property
    def state(self) -> str:
        """What it said last."""
        return str(self.states[-1]["state"]) if self.states else ""

    @property
    def reasons(self) -> list[str]:
        """Why, of all that it said."""
        return [str(said["reason"]) for said in self.states]

    def flows_since(self, at_s: float) -> Callable[[], bool]:
        """Return what asks whether new pictures and new sound came after this time, in a call that stands."""
        start = dict(self.counts)

        def flows() -> bool:
            count = self.counts
            more = all(count[name] > start[name] + 2 for name in ("pictures", "packets"))
            return bool(more and count["at_s"] > at_s and self.state == "in_call")

        return flows

    def kill(self) -> None:
        """End it as the kernel does: nobody is told."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it well, if it still runs."""
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.kill()
            self._reader.join(5)


def wait_for(condition: Callable[[], bool], limit_s: float, what: str) -> float:
    """Wait until something is so; returns when it was. Raises TimeoutError naming it."""
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"expected {what} within {limit_s:g} s, waited in vain")
        time.sleep(0.02)
    return time.monotonic()


def main() -> None:
    """Read the link, call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("link", help="ws://host:port/rooms/name")
    import torch

    torch.set_num_threads(1)
    asyncio.run(call(RoomLink.parse(parser.parse_args().link)))


if __name__ == "__main__":
    main()
