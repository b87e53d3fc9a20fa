"""One page on its WebSocket: what comes from it goes to the engine, what the engine shows goes to it.

Whatever waits for the page is bounded: pictures and sound that it does not take in time are dropped, the oldest first.
"""

import asyncio
import base64
import binascii
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect

from call.errors import CallError, PageError, PictureError
from call.own_source import OwnSource
from call.page_binary import ToEngine, ToPage, pack, unpack
from call.page_messages import (
    EngineMessage,
    ErrorMessage,
    PageCamera,
    PageChat,
    PageFrontalise,
    PageHello,
    PageKeepFresh,
    PageLeave,
    PageMute,
    PageRecord,
    PageSelfView,
    PageSource,
    PageStart,
    PageTakeSource,
    PageView,
    SourcePreview,
    VoiceMessage,
    parse,
)
from call.seen import Picture
from codec.errors import SoundError
from codec.sound import SAMPLE_RATE
from receiver.opus import OpusDecoder
from sender.voice import Voice
from signaling.errors import LinkError

if TYPE_CHECKING:
    from call.engine import Engine

log = logging.getLogger("facewire.page")

PICTURES_WAITING: Final = 2
PACKETS_WAITING: Final = 10
MESSAGES_WAITING: Final = 64


class PageClock:
    """Turns the page's times into the engine's. A page that is loaded again begins at 0: its times go on here."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._offset_s: float | None = None

    def engine_s(self, page_ms: float) -> float:
        """The engine's time of a page's time; what is ahead of now, or far from it, begins the clock anew."""
        now_s = self._now()
        if self._offset_s is None or not -5.0 < page_ms / 1000 + self._offset_s - now_s < 0.05:
            self._offset_s = now_s - page_ms / 1000
        return page_ms / 1000 + self._offset_s


class PageLink:
    """One page's socket, from its first message to its last."""

    def __init__(self, socket: WebSocket, engine: "Engine") -> None:
        self.dropped = 0
        self._socket = socket
        self._engine = engine
        self._clock = PageClock(engine.now)
        self._loop = asyncio.get_running_loop()
        self._texts: deque[str] = deque(maxlen=MESSAGES_WAITING)
        self._pictures: dict[ToPage, deque[bytes]] = {
            kind: deque(maxlen=PICTURES_WAITING) for kind in (ToPage.PICTURE, ToPage.SELF)
        }
        self._sounds: deque[bytes] = deque(maxlen=PACKETS_WAITING)
        self._changed = asyncio.Event()
        self._opus = True
        self._voice = Voice()
        self._decoder: OpusDecoder | None = None
        self._preview: OwnSource | None = None

    def put(self, message: EngineMessage) -> None:
        """Leave a JSON message."""
        if isinstance(message, VoiceMessage):
            self._voice.bit_rate = message.bit_rate  # for a page that sends samples
        self._texts.append(message.model_dump_json(by_alias=True))
        self._changed.set()

    def put_picture_threadsafe(self, message: bytes, kind: ToPage) -> None:
        """Leave a picture, from another thread; the oldest that waits goes."""
        self._loop.call_soon_threadsafe(self._put_binary, self._pictures[kind], message)

    def put_sound(self, opus: bytes, time_s: float, sequence: int) -> None:
        """Leave a packet, as samples where the page has no decoder."""
        if self._opus:
            self._put_binary(self._sounds, pack(ToPage.OPUS, 1000 * time_s, opus, sequence))
            return
        self._decoder = self._decoder or OpusDecoder()
        try:
            samples = self._decoder.decode(opus)
        except SoundError:
            return
        if len(samples):
            content = samples.astype("<i2").tobytes()
            self._put_binary(self._sounds, pack(ToPage.PCM, 1000 * time_s, content, sequence))

    def _put_binary(self, queue: deque[bytes], message: bytes) -> None:
        self.dropped += len(queue) == queue.maxlen
        queue.append(message)
        self._changed.set()

    async def serve(self) -> None:
        """Read and write until the page closes."""
        writer = asyncio.create_task(self._write(), name="write to the page")
        try:
            await self._read()
        except WebSocketDisconnect:
            pass
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            self._changed.clear()
            while (item := self._next()) is not None:
                if isinstance(item, str):
                    await self._socket.send_text(item)
                else:
                    await self._socket.send_bytes(item)
            await self._changed.wait()

    def _next(self) -> str | bytes | None:
        """What is to be sent next: sound first, it cannot wait."""
        queues: tuple[deque[Any], ...] = (self._sounds, self._texts, *self._pictures.values())
        return next((queue.popleft() for queue in queues if queue), None)

    async def _read(self) -> None:
        while True:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                if (text := event.get("text")) is not None:
                    await self._take(text)
                elif (data := event.get("bytes")) is not None:
                    self._take_binary(data)
            except PageError as error:
                log.warning("the page: %s", error)
                self.put(ErrorMessage(words=str(error), what_to_do="load the page again"))
            except (CallError, LinkError, SoundError) as error:
                self.put(ErrorMessage(words=str(error), what_to_do="try again"))

    def _take_binary(self, data: bytes) -> None:
        message = unpack(data)
        time_s = self._clock.engine_s(message.time_ms)
        match message.kind:
            case ToEngine.CAMERA:
                self._engine.take_picture(Picture(message.content, time_s))
            case ToEngine.OPUS:
                self._engine.take_sound(message.content, time_s)
            case ToEngine.PCM:
                self._take_pcm(message.content, time_s)

    def _take_pcm(self, content: bytes, time_s: float) -> None:
        if len(content) % 2 or len(content) > 2 * SAMPLE_RATE:
            raise PageError(f"expected up to a second of s16le, got {len(content)} bytes")
        for packet_s, packet in self._voice.take(np.frombuffer(content, "<i2").astype(np.int16), time_s):
            self._engine.take_sound(packet, packet_s)

    async def _take(self, text: str) -> None:
        engine, message = self._engine, parse(text)
        match message:
            case PageHello():
                self._opus = message.codecs.opus
                engine.own.approve = engine.own.renewed = self._show_preview
            case PageStart():
                engine.start(message.consent, message.room_link)
            case PageView():
                engine.screen.look(message.yaw_deg, message.pitch_deg, engine.screen.frontalise)
            case PageFrontalise():
                engine.screen.look(*engine.screen.view_deg, message.on)
            case PageMute():
                engine.mute(message.on)
            case PageCamera():
                engine.camera(message.on)
            case PageSelfView():
                engine.self_view(message.on)
            case PageChat():
                engine.chat(message.text)
            case PageSource():
                await self._take_source(message)
            case PageTakeSource():
                engine.own.preview(self._show_preview)
            case PageRecord():
                engine.record(message.on)
            case PageKeepFresh():
                engine.freshness.keep = message.on
            case PageLeave():
                engine.leave()

    async def _take_source(self, message: PageSource) -> None:
        """Make a source picture of a file, or of the preview that the page sends back, and use it if that is wanted."""
        try:
            content = base64.b64decode(message.jpeg, validate=True)
        except binascii.Error:
            raise PictureError("expected a picture in base64, got something else") from None
        preview = self._preview
        if preview is None or preview.picture != content:
            preview = await self._engine.own.from_file(content)
        if message.apply:
            self._engine.set_source(preview)
        else:
            self._show_preview(preview)

    def _show_preview(self, source: OwnSource) -> None:
        self._preview = source
        self.put(SourcePreview(jpeg=base64.b64encode(source.picture).decode()))
