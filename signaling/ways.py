"""Where a peer looks for its way to the other side: STUN and TURN servers, given by the user or told by signaling.

aiortc uses one TURN server at a time. So the first is tried first, usually by UDP, and after an attempt that failed the
next one, usually by TLS, which passes where UDP does not.
"""

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri
from pydantic import ValidationError

from signaling.errors import ServerUnreachable, SettingError
from signaling.ice_hooks import Impair
from signaling.peer import Peer
from signaling.settings import TransportSettings, read_settings
from signaling.turn import IceServers

log = logging.getLogger("facewire.ice")

ASK_TIMEOUT_S = 5.0
MOST_BYTES = 65536


class Ways:
    """The servers of one program, from call to call. Raises SettingError for one that is none."""

    def __init__(self, settings: TransportSettings | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings or read_settings(TransportSettings)
        self._given = [parse_ice_server(text) for text in self._settings.ice_servers]
        self._told: list[RTCIceServer] = []
        self._good_until_s = -1.0
        self._turn = 0
        self._now = now

    async def learn(self, server: str, token: str | None) -> None:
        """Ask the signaling server for its servers, for a link with a token; what is still good is not asked for again.

        Where it does not answer what is known is used: many calls need no such server.
        """
        if token is None or self._now() < self._good_until_s:
            return
        try:
            told = await ask_ice_servers(server, token)
        except ServerUnreachable as error:
            log.warning("%s", error)
            return
        self._told = [
            RTCIceServer([url], entry.username, entry.credential) for entry in told.ice_servers for url in entry.urls
        ]
        self._good_until_s = self._now() + told.good_for_s / 2

    def failed(self) -> None:
        """An attempt found no way: try the next TURN server."""
        self._turn += 1

    def servers(self) -> list[RTCIceServer]:
        """Return the STUN servers and the TURN server whose turn it is; those of the user come first."""
        usable = [server for server in self._given + self._told if _kind(server) is not None]
        stun = [server for server in usable if _kind(server) == "stun"]
        wanted = self._settings.turn_transport
        turn = [
            server for server in usable if _kind(server) in (("udp", "tcp", "tls") if wanted is None else (wanted,))
        ]
        return stun + ([turn[self._turn % len(turn)]] if turn else [])

    def make_peer(self, impair: Impair | None = None) -> Peer:
        """Make one end of a connection. Raises SettingError where only a relay may be used and none is known."""
        servers = self.servers()
        if self._settings.relay_only and all(_kind(server) == "stun" for server in servers):
            raise SettingError(
                "expected a TURN server to relay the call, none is known: give --ice-server "
                "turn:USER:PASSWORD@HOST:PORT, or a link with a token of a server that has one"
            )
        return Peer(servers, impair, relay_only=self._settings.relay_only)


def parse_ice_server(text: str) -> RTCIceServer:
    """Read stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT?transport=udp or turns:... Raises SettingError."""
    scheme, _, rest = text.partition(":")
    who, _, place = rest.rpartition("@")
    user, colon, password = who.partition(":")
    server = RTCIceServer([f"{scheme}:{place}"], unquote(user) or None, unquote(password) or None)
    if _kind(server) is None or (scheme == "stun") == bool(who) or (scheme != "stun" and not colon):
        raise SettingError(
            "expected an ICE server like stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT?transport=udp (or tcp), or "
            f"turns:USER:PASSWORD@HOST:PORT, got one that begins with {scheme[:16]!r}"
        )
    return server


async def ask_ice_servers(server: str, token: str) -> IceServers:
    """Ask a signaling server for the STUN and TURN servers of a seat. Raises ServerUnreachable."""
    address = f"{server.rstrip('/').replace('ws', 'http', 1)}/ice-servers"
    local = (urlsplit(server).hostname or "") in ("localhost", "127.0.0.1", "::1")
    # certificates of this machine, as for the WebSocket, not those that httpx brings
    options: dict[str, Any] = {"verify": ssl.create_default_context(), "timeout": ASK_TIMEOUT_S, "trust_env": not local}
    try:
        async with httpx.AsyncClient(**options) as client:
            async with client.stream("GET", address, headers={"Authorization": f"Bearer {token}"}) as answer:
                body = await _read_some(answer)
        if answer.status_code != 200:
            raise ValueError(f"HTTP status {answer.status_code}")
        return IceServers.model_validate_json(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, OSError) as error:
        why = "an answer that is none" if isinstance(error, ValidationError) else str(error) or type(error).__name__
        raise ServerUnreachable(f"expected STUN and TURN servers from {address}, got {why}") from None


async def _read_some(answer: httpx.Response) -> bytes:
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return body


def _kind(server: RTCIceServer) -> str | None:
    """Say whether it is `stun`, or TURN by `udp`, `tcp` or `tls`; None for what aiortc cannot use."""
    try:
        parsed = parse_stun_turn_uri(server.urls[0])
    except ValueError:
        return None
    if parsed["scheme"] == "turns":
        return "tls" if parsed["transport"] == "tcp" else None
    if parsed["scheme"] == "turn":
        return str(parsed["transport"]) if parsed["transport"] in ("udp", "tcp") else None
    return "stun" if parsed["scheme"] == "stun" else None
