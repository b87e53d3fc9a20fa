"""What benchmarks/signaling.py is made of: server processes, a Redis, and peers that cost little themselves."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import WebSocketURI, parse_uri

from signaling.messages import Join, Message, Refused, ServerMessage, parse_server_message

START_S: Final = 30.0
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")
PLENTY: Final = {"FACEWIRE_JOINS_PER_MIN": "1e9", "FACEWIRE_MAX_SOCKETS": "100000", "FACEWIRE_MAX_ROOMS": "100000"}
"""All peers of a benchmark come from one address, and it asks for more than a server gives by default."""


class Server:
    """One `facewire signal` process of this machine."""

    def __init__(self, core: int | None, environment: Mapping[str, str]) -> None:
        """Start it; `core` is the one that it may use. Raises SystemExit where it does not come up."""
        words = [sys.executable, "-m", "facewire", "signal", "--port", "0"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if "ready on" not in ready:
            raise SystemExit(f"expected the signaling server to say that it is ready, got {ready!r}")
        self.url = ready.split()[-1]

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    @property
    def memory_kb(self) -> float:
        """Memory that is its own, in kB of 1000 bytes."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1.024

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps nothing on disk; yields its address. Raises SystemExit where there is none."""
    if shutil.which("redis-server") is None:
        raise SystemExit("expected redis-server for more than one instance: install Debian's redis-server")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([*words, "--dir", tempfile.gettempdir()], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def wait_for_port(port: int) -> None:
    """Wait until something listens on a port of this machine. Raises OSError."""
    end_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.02)


@contextlib.contextmanager
def running(count: int, shared: bool, core: int | None = None, **environment: str) -> Iterator[list[Server]]:
    """Run so many servers, with a Redis between them where they share rooms."""
    with contextlib.ExitStack() as stack:
        if shared:
            environment["FACEWIRE_REDIS_URL"] = stack.enter_context(redis())
        servers: list[Server] = []
        stack.callback(_stop, servers)
        for _ in range(count):
            servers.append(Server(core, {**PLENTY, **environment}))
        yield servers


def _stop(servers: list[Server]) -> None:
    for server in servers:
        server.stop()


class LeanPeer(asyncio.Protocol):
    """One peer's socket. The protocol is the websockets library's; tasks and time limits of its own it has none."""

    def __init__(self, uri: WebSocketURI) -> None:
        self._web = ClientProtocol(uri, max_size=1 << 20)
        self._transport: asyncio.Transport | None = None
        self._messages: asyncio.Queue[ServerMessage | None] = asyncio.Queue()
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def join(cls, server: str, room: str, wish: str = "call", **more: Any) -> "LeanPeer":
        """Connect, join, and wait until the seat is taken. Raises ConnectionError."""
        uri = parse_uri(f"{server}/rooms/{room}")
        _, peer = await asyncio.get_running_loop().create_connection(lambda: cls(uri), uri.host, uri.port)
        await peer.open
        peer.send(Join.model_validate({"role": wish, "seat": secrets.token_hex(16), **more}))
        answer = await peer.receive()
        if isinstance(answer, Refused):
            raise ConnectionError(answer.reason)
        return peer

    def send(self, message: Message) -> None:
        """Send one message."""
        self._web.send_text(message.model_dump_json(exclude_none=True).encode())
        self._flush()

    async def receive(self) -> ServerMessage:
        """Wait for the next message. Raises ConnectionError at the end."""
        message = await self._messages.get()
        if message is None:
            raise ConnectionError("expected the server to stay, it closed the connection")
        return message

    def leave(self) -> None:
        """Give the seat back."""
        self._web.send_close(1000)
        self._flush()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._web.send_request(self._web.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Read what came; pings are answered by the protocol itself."""
        self._web.receive_data(data)
        for event in self._web.events_received():
            if isinstance(event, Response) and not self.open.done():
                self.open.set_result(None)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._messages.put_nowait(parse_server_message(bytes(event.data)))
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        if not self.open.done():
            self.open.set_exception(ConnectionError("expected a WebSocket, the connection closed"))
        self._messages.put_nowait(None)

    def _flush(self) -> None:
        assert self._transport is not None
        for data in self._web.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()  # the protocol's word for the end


def percentile(values: Sequence[float], percent: int) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
