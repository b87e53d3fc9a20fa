"""The peer's side of signaling: join a room, say and hear typed messages."""

import asyncio
import ssl
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from signaling.errors import MessageError, NobodyCame, Refusal, ServerLost, ServerUnreachable, SignalingError
from signaling.messages import (
    MAX_MESSAGE_BYTES,
    Description,
    Join,
    Joined,
    Message,
    PeerJoined,
    PeerLeft,
    Refused,
    Report,
    Role,
    ServerMessage,
    Wish,
    other_role,
    parse_server_message,
)
from signaling.rooms import check_room_name

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0


class SignalingClient:
    """One seat in one room, from `join` to `close`. Also an async context manager."""

    def __init__(self, socket: ClientConnection, joined: Joined, server: str) -> None:
        self._socket = socket
        self._server = server
        self.room = joined.room
        self.role: Role = joined.role
        self.peer_present = joined.peer_present
        self.seat = joined.seat
        """The secret with which the seat of a call can be had back."""
        self.report_each_s = joined.report_each_s
        """Seconds between two reports that the server would like; None: it wants none."""

    @classmethod
    async def join(
        cls,
        server: str,
        room: str,
        role: Wish,
        timeout_s: float = OPEN_TIMEOUT_S,
        seat: str | None = None,
        token: str | None = None,
    ) -> Self:
        """Take a seat, or have the one with this secret back; `token` is what the link has after its #.

        Raises ServerUnreachable, Refusal (bad name, room full, role taken, ...), ServerLost.
        """
        check_room_name(room)
        socket = await _open(server, room, timeout_s)
        try:
            with suppress(ServerLost):  # who is refused at the door is told why before anything is asked
                await _send(socket, Join(role=role, seat=seat, token=token), server)
            async with asyncio.timeout(timeout_s):
                answer = await _receive(socket, server)
            if not isinstance(answer, Joined):
                raise MessageError(f"expected 'joined' from the signaling server at {server}, got '{answer.type}'")
        except TimeoutError:
            await socket.close()
            raise ServerUnreachable(
                f"expected an answer from the signaling server at {server} within {timeout_s:g} s, none came"
            ) from None
        except BaseException:
            await socket.close()
            raise
        return cls(socket, answer, server)

    async def send(self, message: Description | Report) -> None:
        """Pass a description to the other seat, or a report to the server. Raises ServerLost."""
        await _send(self._socket, message, self._server)

    async def receive(self) -> ServerMessage:
        """Wait for the next message; keeps `peer_present`. Raises Refusal, ServerLost, MessageError."""
        message = await _receive(self._socket, self._server)
        if isinstance(message, PeerJoined | PeerLeft):
            self.peer_present = isinstance(message, PeerJoined)
        return message

    async def wait_for_peer(self, limit_s: float) -> None:
        """Wait until the other seat is taken. Raises NobodyCame, and what `receive` raises."""
        try:
            async with asyncio.timeout(limit_s):
                while not self.peer_present:
                    await self.receive()
        except TimeoutError:
            raise self.nobody_came(limit_s) from None

    def nobody_came(self, limit_s: float) -> NobodyCame:
        """Build the error for an empty other seat."""
        return NobodyCame(
            f"expected a {other_role(self.role)} in room '{self.room}' within {limit_s:g} s, nobody came: "
            "does the other side name the same room and server?"
        )

    async def close(self) -> None:
        """Give the seat back."""
        await self._socket.close()

    async def __aenter__(self) -> Self:
        """Hold the seat."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the seat back."""
        await self.close()


def _is_this_machine(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


async def _open(server: str, room: str, timeout_s: float) -> ClientConnection:
    if urlsplit(server).scheme not in ("ws", "wss"):
        raise ServerUnreachable(f"expected a server like ws://host:port or wss://host, got {server!r}")
    hint = "; start one with `facewire signal`" if _is_this_machine(server) else ""
    try:
        return await connect(
            f"{server.rstrip('/')}/rooms/{quote(room)}",
            open_timeout=timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=4 * MAX_MESSAGE_BYTES,
            compression=None,
            proxy=None if _is_this_machine(server) else True,
        )
    except (TimeoutError, ssl.SSLError, InvalidURI, InvalidStatus, InvalidHandshake, ValueError, OSError) as error:
        raise ServerUnreachable(
            f"expected a signaling server at {server}, got no answer there: {_why(error)}{hint}"
        ) from None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, InvalidStatus):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error) or type(error).__name__


async def _send(socket: ClientConnection, message: Message, server: str) -> None:
    try:
        await socket.send(message.model_dump_json())
    except ConnectionClosed:
        raise _lost(server) from None


async def _receive(socket: ClientConnection, server: str) -> ServerMessage:
    try:
        message = parse_server_message(await socket.recv())
    except ConnectionClosed:
        raise _lost(server) from None
    if isinstance(message, Refused):
        raise Refusal(message.code, message.reason)
    return message


def _lost(server: str) -> SignalingError:
    return ServerLost(f"expected the signaling server at {server} to stay, its connection closed")
