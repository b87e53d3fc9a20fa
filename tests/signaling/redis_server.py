"""A real Redis on a free port of this machine, which tests stop, freeze and start again."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from redis import Redis

from signaling.messages import Description, Message
from signaling.outbox import Outbox
from signaling.redis_rooms import RedisRooms
from signaling.rooms import Seat
from signaling.settings import SignalSettings

START_LIMIT_S = 10.0
OFFER = Description(kind="offer", call="0123456789abcdef", sdp="v=0 " + "x" * 3000)


class RedisServer:
    """One redis-server process that keeps nothing on disk."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def ask(self) -> "Redis":
        """Return a client that looks at what it holds."""
        return Redis(port=self.port, decode_responses=True, socket_timeout=2)

    def start(self, *options: str) -> None:
        """Start it empty, and wait until it answers."""
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        folder = tempfile.gettempdir()
        self._process = subprocess.Popen([*words, "--dir", folder, *options], stdout=subprocess.DEVNULL)
        end_s = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """End it at once; it forgets everything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it hold its connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis for one test."""
    if shutil.which("redis-server") is None:
        pytest.skip("expected redis-server: `make test` installs it where it can, or install Debian's redis-server")
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def shared_settings(redis: RedisServer, **settings: Any) -> SignalSettings:
    """Return the settings of one of several servers; quick to notice things."""
    return SignalSettings(**{"redis_url": redis.url, "redis_timeout_s": 1.0, "server_silent_s": 3.0, **settings})


@asynccontextmanager
async def servers(redis: RedisServer, count: int = 2, **settings: Any) -> AsyncIterator[list[RedisRooms]]:
    """Run the stores of several servers."""
    stores = [RedisRooms(shared_settings(redis, **settings)) for _ in range(count)]
    for store in stores:
        await store.__aenter__()
    try:
        yield stores
    finally:
        for store in stores:
            await store.__aexit__(None, None, None)


async def until(what: str, true: Any, limit_s: float = 15.0) -> None:
    """Wait until `true()`, or fail in words."""
    end_s = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end_s, f"expected {what} within {limit_s:g} s"
        await asyncio.sleep(0.02)


async def call(store: RedisRooms, room: str = "r", secret: str | None = None) -> tuple[Seat, Outbox]:
    """Take a seat of a call."""
    outbox = Outbox(16)
    seat, _ = await store.join(room, "call", secret, outbox)
    return seat, outbox


async def heard(outbox: Outbox) -> Message:
    """What comes next."""
    return await asyncio.wait_for(outbox.get(), 10)


async def last_heard(outbox: Outbox) -> Message:
    """What comes last of what is there."""
    message = await heard(outbox)
    while not outbox._waiting.empty():
        message = await heard(outbox)
    return message


async def assert_silent(outbox: Outbox) -> None:
    """Nothing comes for a while."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.get(), 0.2)


def die(store: RedisRooms) -> None:
    """Have a server go as if it was killed: it gives no sign of life, hears nothing and gives nothing back."""
    assert store._keeping is not None
    store._keeping.cancel()


def seats_of(redis: RedisServer, room: str) -> set[str]:
    """The roles that are taken in a room."""
    held = redis.ask().get(f"facewire:1:room:{room}")
    return {role for role, seat in json.loads(str(held or "{}")).items() if seat["kept_until_ms"] is None}
