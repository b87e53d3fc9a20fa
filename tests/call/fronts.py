"""A front that remembers everything, and pictures and sound to call with."""

import asyncio
from dataclasses import dataclass, field

import numpy as np

from call.engine import Engine
from call.page_messages import ChatMessage, EngineMessage, MuteMessage, StateMessage, Stats
from call.seen import Picture
from codec.sound import PACKET_SAMPLES
from receiver.show import Image
from sender.opus import OpusEncoder


@dataclass
class Remembering:
    """What an engine showed and told."""

    pictures: list[tuple[float, Image]] = field(default_factory=list)
    mirrored: list[tuple[float, Image]] = field(default_factory=list)
    sounds: list[tuple[int, float, bytes]] = field(default_factory=list)
    messages: list[EngineMessage] = field(default_factory=list)

    def show(self, image: Image, time_s: float) -> None:
        """Keep a picture."""
        self.pictures.append((time_s, image))

    def show_self(self, image: Image, time_s: float) -> None:
        """Keep a picture of oneself."""
        self.mirrored.append((time_s, image))

    def hear(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Keep a packet."""
        self.sounds.append((sequence, time_s, opus))

    def tell(self, message: EngineMessage) -> None:
        """Keep a message."""
        self.messages.append(message)

    @property
    def states(self) -> list[str]:
        """The states in their order, each once in a row."""
        states = [str(message.state) for message in self.messages if isinstance(message, StateMessage)]
        return [state for state, before in zip(states, [None, *states], strict=False) if state != before]

    @property
    def reasons(self) -> list[str]:
        """The reasons of all states."""
        return [message.reason for message in self.messages if isinstance(message, StateMessage)]

    @property
    def chats(self) -> list[tuple[str, str]]:
        """Who said what."""
        return [(message.from_, message.text) for message in self.messages if isinstance(message, ChatMessage)]

    @property
    def mutes(self) -> list[tuple[str, bool]]:
        """Whose microphone was off."""
        return [(message.who, message.on) for message in self.messages if isinstance(message, MuteMessage)]

    @property
    def stats(self) -> list[Stats]:
        """All figures."""
        return [message for message in self.messages if isinstance(message, Stats)]


def picture(step: int, shade: int = 0) -> Image:
    """A picture uint8 RGB [64,64,3] with stripes that move with each step: tiny networks see motion in it."""
    x = np.arange(64)
    stripes = 128 + 100 * np.sin((x + 3 * step) / 6.0)
    image = np.repeat(np.repeat(stripes[None, :, None], 64, axis=0), 3, axis=2)
    image[:, :, shade % 3] *= 0.5
    return np.asarray(image, np.uint8)


async def act(engine: Engine, shade: int = 0, sound: bool = True, rate: float = 6.0) -> None:
    """Film and talk into an engine, until cancelled."""
    opus, step = OpusEncoder(), 0
    begin_s = said_s = engine.now()
    while True:
        engine.take_picture(Picture(picture(step, shade), engine.now()))
        while sound and engine.now() - said_s >= 0.06:
            wave = (8000 * np.sin(np.arange(PACKET_SAMPLES) * 0.03)).astype(np.int16)
            for packet in opus.encode(wave):
                engine.take_sound(packet, said_s)
            said_s += 0.06
        step += 1
        await asyncio.sleep(max(0.0, begin_s + step / rate - engine.now()))
