"""Where the seats of all rooms are known, and how a message gets from one seat of a room to the other.

The switchboard holds the sockets of one server and asks a store about everything else. `MemoryRooms` knows one server's
rooms; another store may share them among servers.
"""

from types import TracebackType
from typing import Protocol, Self

from signaling.messages import Description, Wish
from signaling.outbox import Outbox
from signaling.rooms import Seat


class RoomStore(Protocol):
    """Seats, and the post between them. An async context manager: it works from entering to leaving."""

    @property
    def rooms_open(self) -> int:
        """Rooms in which a peer of this server sits, or in which a seat is kept for one."""

    @property
    def seats_taken(self) -> int:
        """Peers of this server in all rooms."""

    @property
    def trouble(self) -> str | None:
        """Why nobody can join now, in words; None where all is well."""

    async def join(
        self, room: str, wish: Wish, secret: str | None, outbox: Outbox, holder: str | None = None
    ) -> tuple[Seat, bool]:
        """Take a seat, or have one's own back by its secret or, where it is kept, by its holder; tell the other one.

        From here on messages for the seat come into `outbox`; whoever sat there before is put out through its own.

        Args: holder: which of the room's two tokens the peer showed; only one peer of each sits there at a time.
        Returns: the seat, and whether the other one is taken.
        Raises Refusal: bad_room_name, too_many_rooms, seat_taken, room_full, role_taken, unavailable.
        """

    async def post(self, seat: Seat, message: Description) -> None:
        """Bring a message to the seat beside this one; dropped where nobody sits there."""

    async def leave(self, seat: Seat, keep: bool) -> None:
        """Give a seat back and tell the other one. With `keep` that of a call stays its peer's for a while.

        A seat that its peer has taken again on another connection stays as it is.
        """

    async def first_use(self, key: str, for_s: float) -> bool:
        """Whether nobody showed this key in the last `for_s` seconds, on any server that shares the rooms."""

    async def __aenter__(self) -> Self:
        """Begin to work."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of everything."""
