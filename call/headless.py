"""A call without a page: a clip is the camera and the microphone, what is seen and heard goes into a file."""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from call.engine import Engine
from call.errors import NoPicture
from call.film import FilmWriter
from call.page_messages import (
    ChatMessage,
    EngineMessage,
    ErrorMessage,
    RecordMessage,
    StateMessage,
    Stats,
    VoiceMessage,
)
from call.seen import Picture
from call.states import State
from receiver.show import Image
from sender.camera import FrameSource, open_source
from sender.clip_sound import play_sound
from sender.voice import Voice


class FileFront:
    """Writes what it is shown and told; one of the two outputs may be missing."""

    def __init__(self, output: Path | None, frame_rate: float, say: Callable[[str], None]) -> None:
        self.pictures = 0
        self.packets = 0
        self.voice = Voice()
        """What codes the clip's sound."""
        self.stats: deque[Stats] = deque(maxlen=7200)
        self.states: list[tuple[State, str]] = []
        self._say = say
        self._film = FilmWriter(output, frame_rate) if output is not None else None

    def show(self, image: Image, time_s: float) -> None:
        """Write a picture."""
        self.pictures += 1
        if self._film is not None:
            self._film.write(image, time_s)

    def show_self(self, image: Image, time_s: float) -> None:
        """Leave it: nobody looks."""

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Write a packet of sound; what is none is left out."""
        self.packets += 1
        if self._film is not None:
            self._film.hear(opus, time_s)

    def figures(self) -> dict[str, Any]:
        """What was seen and heard, as JSON has it; `sound_after_picture` as in the receiver's report."""
        in_step = self._film.in_step.figures() if self._film is not None else None
        return {"pictures": self.pictures, "sound_packets_in": self.packets, "sound_after_picture": in_step}

    def tell(self, message: EngineMessage) -> None:
        """Print what a person would want to know."""
        match message:
            case StateMessage():
                self.states.append((message.state, message.reason))
                words = message.state.replace("_", " ")
                self._say(f"{words}: {message.reason}" if message.reason else words)
            case Stats():
                self.stats.append(message)
            case ChatMessage():
                self._say(f"{message.from_}: {message.text}")
            case RecordMessage() if message.who == "them":
                self._say(f"the other side {'records' if message.on else 'no longer records'} this call")
            case ErrorMessage():
                self._say(f"{message.words}: {message.what_to_do}")
            case VoiceMessage():
                self.voice.bit_rate = message.bit_rate
            case _:
                pass

    def close(self) -> None:
        """Finish the file. Raises OutputError."""
        if self._film is not None:
            self._film.close()


async def play(engine: Engine, source: FrameSource, name: str, voice: Voice, loop_clip: bool = False) -> None:
    """Play a clip, or a camera, into an engine at its own pace, with its sound, and hang up at its end."""
    begin_s = engine.now()
    while True:
        frames = asyncio.create_task(_play_frames(engine, source, begin_s), name="frames")
        sound = asyncio.create_task(_play_sound(engine, name, voice, begin_s, source.live), name="sound")
        try:
            await frames
        finally:
            for task in (frames, sound):
                task.cancel()
            await asyncio.gather(frames, sound, return_exceptions=True)
            source.close()
        if not loop_clip or source.live:
            return
        begin_s, source = engine.now(), open_source(name)


async def _play_frames(engine: Engine, source: FrameSource, begin_s: float) -> None:
    while (frame := await asyncio.to_thread(source.read)) is not None:
        time_s = begin_s + frame.capture_time_s
        if not source.live:
            await asyncio.sleep(max(0.0, time_s - engine.now()))
        engine.take_picture(Picture(frame.image, time_s))


async def _play_sound(engine: Engine, name: str, voice: Voice, begin_s: float, live: bool) -> None:
    if live:
        return  # a camera has no microphone
    began: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    began.set_result(begin_s)

    def take(opus: bytes, time_s: float) -> None:
        engine.take_sound(opus, begin_s + time_s)

    await play_sound(Path(name), voice, began, take, engine.now)


async def until_connected(engine: Engine) -> None:
    """Wait until the first connection stands."""
    while engine.joined_s is None:  # noqa: ASYNC110, a state without an event
        await asyncio.sleep(0.02)


async def call_headless(engine: Engine, front: FileFront, input_name: str, loop_clip: bool = False) -> str:
    """Make a call with a clip; it is played from the moment that both are connected. Returns why the call ended.

    `loop_clip`: play it again and again, until the other side leaves.

    Raises NoPicture where nothing of the other side came, and what Engine.run raises.
    """
    engine.freshness.keep = True  # nobody is there to be asked
    engine.start(consent=True)
    playing = asyncio.create_task(_play_then_leave(engine, input_name, front.voice, loop_clip), name="play")
    try:
        reason = await engine.run()
    finally:
        playing.cancel()
        outcome = (await asyncio.gather(playing, return_exceptions=True))[0]
        front.close()
    if isinstance(outcome, Exception):
        raise outcome
    if not front.pictures and not front.packets:
        raise NoPicture(f"expected to see or hear the other side, nothing came: {reason}")
    return reason


async def _play_then_leave(engine: Engine, input_name: str, voice: Voice, loop_clip: bool) -> None:
    source = await asyncio.to_thread(open_source, input_name)
    first = await asyncio.to_thread(source.read)
    if first is not None and not source.live:
        # the picture of oneself is taken while nobody is there yet, so that the call begins with it
        while engine.own_source is None and engine.joined_s is None:
            engine.take_picture(Picture(first.image, engine.now()))
            await asyncio.sleep(0.1)
        source.close()
        source = await asyncio.to_thread(open_source, input_name)
    await until_connected(engine)
    await play(engine, source, input_name, voice, loop_clip)
    await asyncio.sleep(1.0)  # what is under way is still to be seen on the other side
    engine.leave("came to the end of its clip")
