"""server.py: who gets the page and its WebSocket, and what passes over it."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from call.engine import Engine
from call.page_front import PageFront
from call.room_link import RoomLink
from call.server import ANOTHER_PAGE, OTHER_ORIGIN, TOKEN_WRONG, PageServer
from models.weights import Model
from tests.call.engines import make_engine
from tests.call.engines import until as wait_until

pytestmark = pytest.mark.network


@asynccontextmanager
async def serving(engine: Engine, front: PageFront, gone_s: float = 5.0) -> AsyncIterator[str]:
    """Run an engine and its page; yields the page's address with the token."""
    page = PageServer(engine, front, gone_s)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(page.run(0, ready.set_result)), asyncio.create_task(engine.run())]
    try:
        yield await asyncio.wait_for(ready, 10)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def page(tiny: Model, url: str) -> AsyncIterator[tuple[str, Engine]]:
    """A page's address and the engine behind it."""
    front = PageFront()
    engine = make_engine(tiny, RoomLink(url, "r"), front)
    async with serving(engine, front) as address:
        yield address, engine


def socket_of(address: str, token: str | None = None, origin: str | None = None) -> Any:
    """Open the page's WebSocket as a browser does."""
    base, _, own = address.partition("/?token=")
    ws = base.replace("http://", "ws://")
    return connect(f"{ws}/ws?token={own if token is None else token}", origin=base if origin is None else origin)  # type: ignore[arg-type]


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Read until a JSON message of this type comes."""
    async with asyncio.timeout(20):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                found: dict[str, Any] = json.loads(message)
                return found


def camera(time_ms: float) -> bytes:
    """A camera message with a JPEG in it."""
    good, jpeg = cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))
    assert good
    return struct.pack(">Bd", 1, time_ms) + bytes(jpeg)


async def test_page_tells_state_and_link_and_looks_at_frames_before_the_call(page: tuple[str, Engine]) -> None:
    address, engine = page
    async with socket_of(address) as socket:
        await socket.send(json.dumps({"type": "hello", "codecs": {"opus": True}}))
        state = await until(socket, "state")
        assert (state["state"], state["room_link"]) == ("starting", str(engine.link))
        await socket.send(camera(1000.0))
        face = await until(socket, "face")
        assert face["found"]
        crop = await until(socket, "crop")
        assert 0 < crop["side"] <= 64
        await socket.send(json.dumps({"type": "start", "consent": True}))
        while (await until(socket, "state"))["state"] != "waiting":
            pass


async def close_code(opening: Any) -> int:
    """The code with which a WebSocket is closed on us."""
    async with opening as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_page_wrong_token_other_origin_and_second_page_are_refused(page: tuple[str, Engine]) -> None:
    address, _ = page
    assert await close_code(socket_of(address, token="guess")) == TOKEN_WRONG
    assert await close_code(socket_of(address, origin="http://evil.example")) == OTHER_ORIGIN
    async with socket_of(address) as first:
        await until(first, "state")
        assert await close_code(socket_of(address)) == ANOTHER_PAGE
    async with httpx.AsyncClient() as http:
        base = address.partition("/?")[0]
        assert (await http.get(base + "/?token=old")).status_code == 403
        assert (await http.get(address, headers={"host": "evil.example"})).status_code == 421
        assert (await http.get(base + "/messages.js")).status_code == 200
        assert (await http.get(base + "/../engine.py")).status_code == 404
        assert (await http.get(base + "/%2e%2e/engine.py")).status_code == 404


@pytest.mark.parametrize("bad", ["{", '{"type": "king"}', b"\x09" + bytes(9), b"\x01", b"\x01" + bytes(8) + b"no jpeg"])
async def test_page_bad_messages_are_answered_in_words_and_the_page_stays(
    page: tuple[str, Engine], bad: str | bytes
) -> None:
    address, engine = page
    async with socket_of(address) as socket:
        await socket.send(bad)
        if bad[-4:] != b"jpeg":
            error = await until(socket, "error")
            assert error["words"].startswith("expected")
            assert error["what_to_do"]
        await socket.send(camera(0.0))
        await until(socket, "face")
    assert engine.watching.bad_pictures == (bad[-4:] == b"jpeg")


async def test_page_closed_ends_the_call_and_loading_it_again_does_not(tiny: Model, url: str) -> None:
    front = PageFront()
    engine = make_engine(tiny, RoomLink(url, "r"), front)
    async with serving(engine, front, gone_s=0.3) as address:
        async with socket_of(address) as socket:
            await socket.send(json.dumps({"type": "start", "consent": True}))
            while (await until(socket, "state"))["state"] != "waiting":
                pass
        async with socket_of(address) as socket:
            assert (await until(socket, "state"))["state"] == "waiting"
            await asyncio.sleep(0.5)
            assert engine.progress.state == "waiting"
        await wait_until(lambda: engine.progress.state == "ended")
    assert engine.progress.reason == "this side closed its page"


async def test_page_file_source_is_shown_before_it_is_sent(page: tuple[str, Engine], tmp_path: Path) -> None:
    address, engine = page
    good, jpeg = cv2.imencode(".jpg", np.full((80, 100, 3), 120, np.uint8))
    assert good
    async with socket_of(address) as socket:
        await socket.send(json.dumps({"type": "start", "consent": True}))
        content = base64.b64encode(bytes(jpeg)).decode()
        await socket.send(json.dumps({"type": "source", "jpeg": content, "apply": False}))
        preview = await until(socket, "source_preview")
        picture = base64.b64decode(preview["jpeg"])

        def sent() -> bool:
            return engine.own_source is not None and engine.own_source.picture == picture

        assert not sent()
        await socket.send(json.dumps({"type": "source", "jpeg": preview["jpeg"], "apply": True}))
        await wait_until(sent)
        await socket.send(json.dumps({"type": "source", "jpeg": "bm8gcGljdHVyZQ==", "apply": True}))
        assert "expected a picture" in (await until(socket, "error"))["words"]
