"""lean_socket.py: uvicorn's WebSocket does what it did, and its handshake is gone."""

import asyncio
import gc

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.http11 import Request
from websockets.uri import parse_uri

from signaling.client import SignalingClient
from signaling.lean_socket import Flag, LeanWebSocket, Line
from tests.signaling.running import running_server

pytestmark = pytest.mark.network


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...


@pytest.mark.parametrize("early", [0, 3, None])
async def test_frame_that_comes_before_the_socket_is_accepted_is_read_whole(early: int | None) -> None:
    """Some clients do not wait for the answer; `early` bytes of the frame come before it, None: all."""
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        heard.set_result((await receive())["text"])

    config = Config(app, lifespan="off", log_config=None)
    config.load()
    socket, transport = LeanWebSocket(config, ServerState(), {}), Transport()
    socket.connection_made(transport)
    web = ClientProtocol(parse_uri("ws://127.0.0.1/rooms/r"))
    web.send_request(web.connect())
    socket.data_received(b"".join(web.data_to_send()))
    frame = masked(b"hello")
    if early != 0:
        socket.data_received(frame[:early])
    async with asyncio.timeout(10):
        while b"101" not in transport.written:  # noqa: ASYNC110, the transport has no event
            await asyncio.sleep(0.001)
        if early is not None:
            socket.data_received(frame[early:])
        assert await heard == "hello"


async def test_request_and_headers_are_forgotten_once_a_peer_sits() -> None:
    async with running_server() as url, await SignalingClient.join(url, "r", "sender"):
        gc.collect()
        sockets = [each for each in gc.get_objects() if isinstance(each, LeanWebSocket)]
        assert [each.scope["headers"] for each in sockets] == [[]]
        requests = [each for each in gc.get_objects() if type(each) is Request and each.path == "/rooms/r"]
        assert len(requests) == 1  # the client's own


async def test_line_gives_what_comes_in_order_and_waits() -> None:
    line = Line()
    assert line.empty()
    getting = asyncio.create_task(line.get())
    await asyncio.sleep(0)
    first, second = ({"type": "websocket.receive", "text": word} for word in "ab")
    line.put_nowait(first)  # type: ignore[arg-type]
    line.put_nowait(second)  # type: ignore[arg-type]
    assert (await getting, await line.get()) == (first, second)
    assert line.empty()


async def test_line_loses_nothing_to_a_reader_that_was_cancelled() -> None:
    line = Line()
    getting = asyncio.create_task(line.get())
    await asyncio.sleep(0)
    line.put_nowait({"type": "websocket.connect"})
    getting.cancel()
    await asyncio.gather(getting, return_exceptions=True)
    assert not line.empty()


async def test_flag_holds_up_whoever_waits_until_it_is_set() -> None:
    flag = Flag()
    await flag.wait()
    flag.clear()
    waiting = [asyncio.create_task(flag.wait()) for _ in range(2)]
    waiting[0].cancel()
    await asyncio.sleep(0)
    assert not waiting[1].done()
    flag.set()
    await asyncio.wait_for(waiting[1], 5)


def masked(text: bytes) -> bytes:
    """One text frame of a client, under a mask of zeros."""
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
