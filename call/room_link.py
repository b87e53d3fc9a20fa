"""The link by which the other side finds a call: the address of a room on a signaling server."""

import secrets
import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from call.errors import LinkError
from signaling.errors import Refusal
from signaling.rooms import check_room_name

PREFIX = "/rooms/"


@dataclass(frozen=True)
class RoomLink:
    """A room on a server: ws://host:port/rooms/name."""

    server: str
    room: str

    def __str__(self) -> str:
        """As it is given to the other person."""
        return f"{self.server.rstrip('/')}{PREFIX}{quote(self.room)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a link as `facewire call` prints it. Raises LinkError."""
        parts = urlsplit(text)
        room = unquote(parts.path.removeprefix(PREFIX)) if parts.path.startswith(PREFIX) else ""
        try:
            if parts.scheme not in ("ws", "wss") or not parts.hostname or (parts.port is not None and parts.port < 1):
                raise ValueError
            check_room_name(room)
        except (ValueError, Refusal):
            raise LinkError(
                f"expected a link like ws://192.168.1.5:8765/rooms/NAME, as `facewire call` prints it, got {text!r}"
            ) from None
        return cls(f"{parts.scheme}://{parts.netloc}", room)


def new_room() -> str:
    """Choose a name that nobody guesses (72 bits)."""
    return secrets.token_urlsafe(9)


def own_address() -> str:
    """The address of this machine on its network, the loopback one where it has none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: only the routing table is asked
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
