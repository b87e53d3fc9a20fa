"""Who sits where: rooms of two seats, one for the sender and one for the receiver. No HTTP, no clock, no sockets."""

import re
from dataclasses import dataclass, field

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Role, other_role

ROOM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEATS = 2


@dataclass(frozen=True, eq=False)
class Seat:
    """One taken seat. Seats are compared by identity: a seat given back is never the same seat again."""

    room: str
    role: Role


@dataclass
class Rooms:
    """All open rooms. A room opens with its first peer and closes with its last."""

    max_rooms: int
    _seats: dict[str, dict[Role, Seat]] = field(default_factory=dict)

    def join(self, room: str, role: Role) -> Seat:
        """Take a seat. Raises Refusal: bad_room_name, too_many_rooms, room_full, role_taken."""
        check_room_name(room)
        seats = self._seats.get(room)
        if seats is None:
            if len(self._seats) >= self.max_rooms:
                raise Refusal(
                    RefusalCode.TOO_MANY_ROOMS,
                    f"expected fewer than {self.max_rooms} open rooms, all are taken: try again later",
                )
            seats = self._seats[room] = {}
        if len(seats) >= SEATS:
            raise Refusal(RefusalCode.ROOM_FULL, f"room '{room}' is full: it has {SEATS} seats and a third peer came")
        if role in seats:
            raise Refusal(
                RefusalCode.ROLE_TAKEN, f"room '{room}' has a {role} already: expected a {other_role(role)} to join"
            )
        seat = seats[role] = Seat(room, role)
        return seat

    def other(self, seat: Seat) -> Seat | None:
        """Return the seat beside this one, if it is taken."""
        return self._seats.get(seat.room, {}).get(other_role(seat.role))

    def leave(self, seat: Seat) -> None:
        """Give a seat back. Giving it back twice does nothing."""
        seats = self._seats.get(seat.room, {})
        if seats.get(seat.role) is seat:
            del seats[seat.role]
            if not seats:
                del self._seats[seat.room]

    @property
    def rooms_open(self) -> int:
        """Rooms with at least one peer."""
        return len(self._seats)

    @property
    def seats_taken(self) -> int:
        """Peers in all rooms."""
        return sum(len(seats) for seats in self._seats.values())


def check_room_name(room: str) -> None:
    """Raise Refusal(bad_room_name) unless the name is 1 to 64 letters, digits, `-` or `_`."""
    if not ROOM_NAME.fullmatch(room):
        shown = room if len(room) <= 32 else room[:32] + "..."
        raise Refusal(
            RefusalCode.BAD_ROOM_NAME, f"expected a room name of 1 to 64 letters, digits, '-' or '_', got {shown!r}"
        )
