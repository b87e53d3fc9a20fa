"""Oneself as the other side sees one: our own messages decoded and rendered here, on request and at a low rate."""

import asyncio
from typing import Final

from call.front import Front
from call.own_source import OwnSource
from call.screen import Screen
from codec.codec_tables import CodecTables
from codec.decoder import Decoder
from codec.errors import WireError
from codec.motion import Motion
from models.weights import Model
from receiver.look import Look
from receiver.render import FaceRenderer

EACH_S: Final = 0.125


class Mirror:
    """Shares the render thread with the screen, which it holds up by one picture each eighth of a second."""

    def __init__(self, model: Model, screen: Screen, front: Front) -> None:
        self.on = False
        self._model = model
        self._screen = screen
        self._front = front
        self._decoder: Decoder | None = None
        self._motion: Motion | None = None
        self._source: OwnSource | None = None
        self._renderer: FaceRenderer | None = None

    def begin(self, tables: CodecTables) -> None:
        """Forget the messages of the connection before."""
        self._decoder = Decoder(tables)

    def take(self, message: bytes) -> None:
        """Take a message of ours as it leaves. Each is decoded: the next ones build on it."""
        if self._decoder is None:
            return
        try:
            decoded = self._decoder.decode(message)
        except WireError:
            return  # it was made before we began to listen
        if decoded.motions:
            self._motion = decoded.motions[-1]

    def restate(self, most: int) -> list[bytes]:
        """Messages by which a decoder that begins now comes to hold what this one does."""
        return self._decoder.restate(most) if self._decoder is not None else []

    def use(self, source: OwnSource) -> None:
        """Take the picture that the other side renders from."""
        self._source, self._renderer = source, None

    async def run(self) -> None:
        """Show pictures while it is wanted, until cancelled."""
        while True:
            await asyncio.sleep(EACH_S)
            motion, source = self._motion, self._source
            if self.on and motion is not None and source is not None:
                self._motion = None
                await self._screen.in_thread(lambda m=motion, s=source: self._render(m, s))  # type: ignore[misc]

    def _render(self, motion: Motion, source: OwnSource) -> None:
        if self._renderer is None:
            self._renderer = FaceRenderer(self._model, look=Look())
            self._renderer.set_source_now(source.image)
        self._front.show_self(self._renderer.render_now(motion), motion.capture_time_s)
