"""Oneself as the other side sees one: our own messages decoded and rendered here, on request and at a low rate."""

import asyncio
from collections import deque
from dataclasses import replace
from typing import Final, NamedTuple

from call.front import Front
from call.own_source import OwnSource
from call.screen import Screen
from codec.codec_tables import CodecTables
from codec.decoder import Decoder
from codec.errors import WireError
from codec.motion import Motion
from models.placing import Points
from models.rotations import Array
from models.weights import Model
from receiver.look import Look
from receiver.render import FaceRenderer
from receiver.show import Image

EACH_S: Final = 0.125
MOST_RECENT: Final = 12
"""Frames that are kept for `reflect`: more than leave while one of them is looked for."""


class Reflection(NamedTuple):
    """One frame as the other side has it: its motion, rendered uint8 RGB [S,S,3], and from which picture: its canonical
    keypoints [K,3], the pose [3,3] in it and its hash.
    """

    motion: Motion
    image: Image
    x_c: Points
    R_s: Array
    sha256: str


class Mirror:
    """Shares the render thread with the screen, which it holds up by one picture each eighth of a second."""

    def __init__(self, model: Model, screen: Screen, front: Front) -> None:
        self.on = False
        self._model = model
        self._screen = screen
        self._front = front
        self._decoder: Decoder | None = None
        self._begin_s = 0.0
        self._motion: Motion | None = None
        self._recent: deque[Motion] = deque(maxlen=MOST_RECENT)
        self._source: OwnSource | None = None
        self._renderer: FaceRenderer | None = None
        self._rendered: OwnSource | None = None

    def begin(self, tables: CodecTables, begin_s: float) -> None:
        """Forget the messages of the connection before. `begin_s`: when the new one's clock began, by the engine's."""
        self._decoder = Decoder(tables)
        self._begin_s = begin_s
        self._recent.clear()

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
            self._recent.extend(
                replace(motion, capture_time_s=motion.capture_time_s + self._begin_s) for motion in decoded.motions
            )

    def restate(self, most: int) -> list[bytes]:
        """Messages by which a decoder that begins now comes to hold what this one does."""
        return self._decoder.restate(most) if self._decoder is not None else []

    def use(self, source: OwnSource) -> None:
        """Take the picture that the other side renders from."""
        self._source = source
        self._motion = None
        self._recent.clear()

    @property
    def sha256(self) -> str | None:
        """Of the picture that the other side renders from."""
        return self._source.sha256 if self._source is not None else None

    @property
    def recent(self) -> tuple[Motion, ...]:
        """The last frames that left, as they left; times are the engine's."""
        return tuple(self._recent)

    async def reflect(self, motion: Motion) -> Reflection | None:
        """Render one of the recent frames; None where the picture has been changed meanwhile."""
        source = self._source
        if source is None:
            return None
        return await self._screen.in_thread(lambda: self._reflect(motion, source))

    def _reflect(self, motion: Motion, source: OwnSource) -> Reflection | None:
        if source is not self._source:
            return None
        renderer = self._ready(source)
        image = renderer.render_now(motion)
        return Reflection(motion, image, renderer.canonical, renderer.source_rotation, source.sha256)

    async def run(self) -> None:
        """Show pictures while it is wanted, until cancelled."""
        while True:
            await asyncio.sleep(EACH_S)
            motion, source = self._motion, self._source
            if self.on and motion is not None and source is not None:
                self._motion = None
                await self._screen.in_thread(lambda m=motion, s=source: self._render(m, s))  # type: ignore[misc]

    def _render(self, motion: Motion, source: OwnSource) -> None:
        self._front.show_self(self._ready(source).render_now(motion), motion.capture_time_s)

    def _ready(self, source: OwnSource) -> FaceRenderer:
        """The renderer of a picture, in the render thread."""
        if self._renderer is None or self._rendered is not source:
            self._renderer, self._rendered = FaceRenderer(self._model, look=Look()), source
            self._renderer.set_source_now(source.image)
        return self._renderer
