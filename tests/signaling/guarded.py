"""A server with secrets, and what one needs to knock at its doors."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signaling.messages import Join, Joined, Refused, ServerMessage, parse_server_message
from signaling.tokens import Signer
from tests.signaling.running import running_server

TOKEN_SECRET, API_KEY, TURN_SECRET = (secrets.token_hex(32) for _ in range(3))
SECRETS = {"token_secret": TOKEN_SECRET, "api_key": API_KEY}
TURN = {"turn_secret": TURN_SECRET, "turn_urls": "turn:192.0.2.9:3478?transport=udp,turns:192.0.2.9:5349?transport=tcp"}


@dataclass
class Guarded:
    """A running server's address, and its secret."""

    url: str
    signer: Signer

    @property
    def http(self) -> str:
        """Its address over HTTP."""
        return self.url.replace("ws", "http", 1)

    def token(self, seat: Any = "1", room: str = "r", lifetime_s: int = 60) -> str:
        """A token as the server signs them."""
        return self.signer.sign(room, seat, lifetime_s)

    async def make_room(self, **asked: Any) -> httpx.Response:
        """Ask for a room as an operator does."""
        return await self.ask("POST", "/rooms", API_KEY, json=asked or None)

    async def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        """Ask over HTTP."""
        headers = {"Authorization": f"Bearer {key}".encode()} if key is not None else {}
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.request(method, self.http + path, headers=headers | more.pop("headers", {}), **more)

    async def knock(self, join: Join, room: str = "r", **options: Any) -> tuple[ServerMessage, int | None]:
        """Join by hand; returns the first answer and, where it was a refusal, the close code."""
        async with connect(f"{self.url}/rooms/{room}", proxy=None, **options) as socket:
            with suppress(ConnectionClosed):  # refused at the door, before the join message
                await socket.send(join.model_dump_json())
            answer = parse_server_message(await socket.recv())
            return answer, await close_code(socket) if isinstance(answer, Refused) else None


@asynccontextmanager
async def guarded_server(**settings: Any) -> AsyncIterator[Guarded]:
    """Run a server with a token secret and an API key."""
    async with running_server(**SECRETS, **settings) as url:
        yield Guarded(url, Signer(SecretStr(TOKEN_SECRET)))


async def close_code(socket: ClientConnection) -> int | None:
    """Wait until the server has closed; returns how. Fails where something else comes first."""
    try:
        surprise = await socket.recv()
    except ConnectionClosed:
        return socket.close_code
    raise AssertionError(f"expected the server to close, got {surprise!r}")


async def seated(socket: ClientConnection, token: str | None = None, role: Any = "call") -> Joined:
    """Take a seat by hand. Fails where it is refused."""
    await socket.send(Join(role=role, token=token).model_dump_json())
    joined = parse_server_message(await socket.recv())
    assert isinstance(joined, Joined), joined
    return joined
