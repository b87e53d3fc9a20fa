"""The engine's side of the page's WebSocket, for tests: it plays a clip as the other person and keeps what it is told.

It knows the seam from call/page_messages.py, so a page that passes here speaks to the real engine.
"""

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from call.local_page import HEADERS
from call.page_binary import FromPage, ToEngine, ToPage, pack, unpack
from call.page_messages import parse
from tests.page.clips import Clip

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = Path(__file__).resolve().parents[2] / "call" / "page"
LINK = "ws://192.168.1.20:8765/rooms/kR3vTq9sYw0a"
IN_CALL = {"type": "state", "state": "in_call", "reason": "", "room_link": LINK}


STATS = {
    "type": "stats",
    "wire_kbps_in": 23.4,
    "wire_kbps_out": 24.8,
    "payload_kbps_in": 13.9,
    "payload_kbps_out": 15.1,
    "loss": 0.01,
    "delay_ms": 143.0,
    "fps_in": 29.8,
    "fps_out": 30.0,
    "h264_kbps": 312.0,
}


class _Page(StaticFiles):
    """The page's files with the headers of the real server, so that what they forbid is found out."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


class EngineDouble:
    """A server in a thread of its own. Every method may be called from the test."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(12)
        self.said: list[dict[str, Any]] = []
        """JSON of the page, in order."""
        self.binary: list[FromPage] = []
        self.refuse_with: int | None = None
        """Close code for every page that comes."""
        self.on_message: Callable[[dict[str, Any]], None] = lambda message: None
        self._sockets: list[WebSocket] = []
        self._playing: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        app = FastAPI()
        app.add_api_websocket_route("/ws", self._serve)
        app.mount("/", _Page(directory=PAGE, html=True))
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="auto"))
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """The page's address with its token."""
        return f"{self.origin}/?token={self.token}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Serve."""
        self._thread.start()
        self.wait_for(lambda: self._server.started, "the server to start")

    def stop(self) -> None:
        """Stop serving."""
        self.stop_playing()
        self._server.should_exit = True
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._server.serve())

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        code = self.refuse_with or (None if socket.query_params.get("token") == self.token else 4401)
        if code is not None:
            await socket.close(code)
            return
        self._sockets.append(socket)
        try:
            while True:
                event = await socket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                self._take(event)
        except WebSocketDisconnect:
            return
        finally:
            self._sockets.remove(socket)

    def _take(self, event: Any) -> None:
        if event.get("bytes") is not None:
            self.binary.append(unpack(event["bytes"]))
            return
        parse(event["text"])  # raises where the page says what the engine would refuse
        message = json.loads(event["text"])
        self.said.append(message)
        self.on_message(message)

    @property
    def pages(self) -> int:
        """Pages that are connected."""
        return len(self._sockets)

    def tell(self, **message: Any) -> None:
        """Send a JSON message to every page."""
        self._do(lambda socket: socket.send_text(json.dumps(message)))

    def send(self, content: bytes) -> None:
        """Send a binary message to every page."""
        self._do(lambda socket: socket.send_bytes(content))

    def drop(self, code: int = 1011) -> None:
        """Close the link to every page."""
        self._do(lambda socket: socket.close(code))

    def _do(self, act: Callable[[WebSocket], Awaitable[None]]) -> None:
        async def each() -> None:
            for socket in list(self._sockets):
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await act(socket)

        asyncio.run_coroutine_threadsafe(each(), self._loop)

    def said_of(self, kind: str) -> list[dict[str, Any]]:
        """The page's messages of a type."""
        return [message for message in list(self.said) if message["type"] == kind]

    def got(self, kind: ToEngine) -> list[FromPage]:
        """The page's binary messages of a kind."""
        return [message for message in list(self.binary) if message.kind == kind]

    def play(self, clip: Clip, **link: Any) -> None:
        """Send the clip again and again as the other side's picture and sound. See `_play` for the link."""

        def begin() -> None:
            self._playing = self._loop.create_task(self._play(clip, **link))

        self._loop.call_soon_threadsafe(begin)

    def stop_playing(self) -> None:
        """Send nothing more of the clip."""
        if self._playing is not None:
            self._loop.call_soon_threadsafe(self._playing.cancel)

    async def _play(self, clip: Clip, picture_late_ms: float = 60.0, lose_each: int = 0, pcm: bool = False) -> None:
        """Picture and sound at their pace; pictures late by so many ms, each so many-th packet lost, sound as PCM."""
        begin = self._loop.time()
        frame = packet = 0
        while True:
            now_ms = (self._loop.time() - begin) * 1000
            while (packet + 1) * 60 <= now_ms:
                if not lose_each or packet % lose_each != lose_each - 1:
                    index = packet % len(clip.packets)
                    content = clip.pcm(index) if pcm else clip.packets[index]
                    kind = ToPage.PCM if pcm else ToPage.OPUS
                    await self._each(pack(kind, 5e6 + packet * 60, content, packet % 65536))
                packet += 1
            while frame * 1000 / clip.frame_rate + picture_late_ms <= now_ms:
                time_ms = 5e6 + frame * 1000 / clip.frame_rate
                await self._each(pack(ToPage.PICTURE, time_ms, clip.jpegs[frame % len(clip.jpegs)]))
                frame += 1
            await asyncio.sleep(0.005)

    async def _each(self, content: bytes) -> None:
        for socket in list(self._sockets):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.send_bytes(content)

    def wait_for(self, true: Callable[[], Any], what: str, timeout_s: float = 15.0) -> None:
        """Wait until something holds. Raises AssertionError naming it."""
        end = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < end, f"waited {timeout_s:g} s in vain for {what}"
            time.sleep(0.02)


def begin(page: "Page", engine: EngineDouble) -> None:
    """From the lobby into a call."""
    page.click("#start:enabled")
    engine.wait_for(lambda: engine.said_of("start"), "the page to start")
    engine.tell(**IN_CALL)
    page.wait_for_selector("body[data-state=in_call]")


def until(page: "Page", expression: str, timeout_s: float = 30.0) -> None:
    """Wait until an expression holds in the page; unlike wait_for_function this works under the page's own CSP."""
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"waited {timeout_s:g} s in vain for {expression}"
        page.wait_for_timeout(30)
