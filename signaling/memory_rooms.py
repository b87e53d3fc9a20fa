"""The rooms of one server, in its memory: the store of a server that runs alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Description, Message, PeerJoined, PeerLeft, Wish
from signaling.outbox import Outbox
from signaling.rooms import Rooms, Seat
from signaling.settings import SignalSettings


@dataclass
class MemoryRooms:
    """`RoomStore` without any other server."""

    settings: SignalSettings
    now: Callable[[], float] = time.monotonic
    _rooms: Rooms = field(init=False)
    _outboxes: dict[Seat, Outbox] = field(init=False, default_factory=dict)
    _used: dict[str, float] = field(init=False, default_factory=dict)

    trouble: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._rooms = Rooms(self.settings.max_rooms)

    @property
    def rooms_open(self) -> int:
        """Rooms with at least one seat taken or kept."""
        self._rooms.forget(self.now())
        return self._rooms.rooms_open

    @property
    def seats_taken(self) -> int:
        """Peers in all rooms."""
        return self._rooms.seats_taken

    async def join(
        self, room: str, wish: Wish, secret: str | None, outbox: Outbox, holder: str | None = None
    ) -> tuple[Seat, bool]:
        """See RoomStore."""
        sitting = self._rooms.sitting(room)
        seat = self._rooms.join(room, wish, secret, self.now(), holder)
        before = sitting.get(seat.role)
        if before is not None:
            self._outboxes[before].put_out(Refusal(RefusalCode.CAME_BACK, "your seat was taken back with its secret"))
        self._outboxes[seat] = outbox
        other = self._rooms.other(seat)
        self._put(other, PeerJoined(role=seat.role))
        return seat, other is not None

    async def post(self, seat: Seat, message: Description) -> None:
        """See RoomStore."""
        self._put(self._rooms.other(seat), message)

    async def leave(self, seat: Seat, keep: bool) -> None:
        """See RoomStore."""
        del self._outboxes[seat]
        if not self._rooms.taken(seat):
            return  # its peer sits there again, on another connection
        other = self._rooms.other(seat)
        self._rooms.leave(seat, self.now() + self.settings.seat_kept_s if keep else None)
        self._put(other, PeerLeft(role=seat.role))

    async def first_use(self, key: str, for_s: float) -> bool:
        """See RoomStore."""
        now_s = self.now()
        for old in [key for key, until_s in self._used.items() if until_s <= now_s]:
            del self._used[old]
        if key in self._used:
            return False
        self._used[key] = now_s + for_s
        return True

    async def __aenter__(self) -> Self:
        """Begin to work."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def _put(self, seat: Seat | None, message: Message) -> None:
        if seat is not None:
            self._outboxes[seat].put(message)
