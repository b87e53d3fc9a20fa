"""The link by which a call is found: the address of a room on a signaling server, and the token of one of its seats.

    wss://calls.example/rooms/NAME#TOKEN

What follows the # is not sent when an address is asked for, so no server or proxy on the way writes it into its log; it
travels in the `join` message. A server without a token secret needs none.
"""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from signaling.errors import LinkError, Refusal
from signaling.messages import MAX_TOKEN_CHARS
from signaling.rooms import check_room_name

PREFIX = "/rooms/"


@dataclass(frozen=True)
class RoomLink:
    """A room on a server, and what opens a seat in it."""

    server: str
    room: str
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return the room's address. The token is for one person and is not repeated."""
        return f"{self.server.rstrip('/')}{PREFIX}{quote(self.room)}"

    @property
    def to_share(self) -> str:
        """What the other person needs; empty where they have a link with a token of their own."""
        return "" if self.token is not None else str(self)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a link as `facewire call` prints it, or `POST /rooms` gives it. Raises LinkError."""
        try:
            parts = urlsplit(text)
            room = unquote(parts.path.removeprefix(PREFIX)) if parts.path.startswith(PREFIX) else ""
            if parts.scheme not in ("ws", "wss") or not parts.hostname or (parts.port is not None and parts.port < 1):
                raise ValueError
            if parts.query or len(parts.fragment) > MAX_TOKEN_CHARS:
                raise ValueError
            check_room_name(room)
        except (ValueError, Refusal):
            shown = text.split("#")[0]
            raise LinkError(
                "expected a link like ws://192.168.1.5:8765/rooms/NAME, as `facewire call` prints it, or one with a "
                f"token, .../rooms/NAME#TOKEN, got {shown!r}"
            ) from None
        return cls(f"{parts.scheme}://{parts.netloc}", room, parts.fragment or None)

    @classmethod
    def of(cls, room: str, server: str) -> Self:
        """Read the name of a room on this server, or a link. Raises LinkError for what looks like one."""
        return cls.parse(room) if "/" in room else cls(server, room)
