"""Who sits where: rooms of two seats, a sender's and a receiver's or those of a two-way call. No HTTP, no sockets.

A seat of a call is kept for a while when its peer's connection is lost, and given back to whoever knows its secret.
Time is passed in, in seconds of one monotonic clock.
"""

import re
import secrets
from dataclasses import dataclass, field

from signaling.errors import Refusal, RefusalCode
from signaling.messages import OTHER, Role, Wish, other_role

ROOM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEATS = 2


@dataclass(frozen=True, eq=False)
class Seat:
    """One taken seat. Seats are compared by identity: a seat given back is never the same seat again."""

    room: str
    role: Role
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @property
    def of_a_call(self) -> bool:
        """Whether it is one of the two equal seats of a two-way call."""
        return self.role in ("caller", "callee")


@dataclass(frozen=True)
class _Kept:
    seat: Seat
    until_s: float


@dataclass
class Rooms:
    """All open rooms. A room opens with its first peer and closes when no seat is taken or kept."""

    max_rooms: int
    _seats: dict[str, dict[Role, Seat]] = field(default_factory=dict)
    _kept: dict[str, dict[Role, _Kept]] = field(default_factory=dict)

    def join(self, room: str, wish: Wish, secret: str | None = None, now_s: float = 0.0) -> Seat:
        """Take a seat, or have the one with this secret back. Whoever still sits there is put out by the caller.

        Raises Refusal: bad_room_name, too_many_rooms, room_full, role_taken.
        """
        check_room_name(room)
        self._forget(now_s)
        if not self._known(room) and self.rooms_open >= self.max_rooms:
            raise Refusal(
                RefusalCode.TOO_MANY_ROOMS,
                f"expected fewer than {self.max_rooms} open rooms, all are taken: try again later",
            )
        role = self._own(room, secret) or self._free(room, wish)
        self._drop_kept(room, role)
        seat = Seat(room, role, secret) if secret and wish == "call" else Seat(room, role)
        self._seats.setdefault(room, {})[role] = seat
        return seat

    def _own(self, room: str, secret: str | None) -> Role | None:
        """The role of the seat with this secret, taken or kept."""
        for seat in self._all(room):
            if secret is not None and seat.of_a_call and secrets.compare_digest(seat.secret, secret):
                return seat.role
        return None

    def _free(self, room: str, wish: Wish) -> Role:
        taken = {seat.role for seat in self._all(room)}
        if len(taken) >= SEATS:
            raise Refusal(RefusalCode.ROOM_FULL, f"room '{room}' is full: it has {SEATS} seats and a third peer came")
        wanted: list[Role] = ["callee", "caller"] if wish == "call" else [wish]
        role = next((role for role in wanted if role not in taken and taken <= {OTHER[role]}), None)
        if role is None:
            sits = next(iter(taken))
            raise Refusal(
                RefusalCode.ROLE_TAKEN, f"room '{room}' has a {sits} already: expected a {other_role(sits)} to join"
            )
        return role

    def other(self, seat: Seat) -> Seat | None:
        """Return the seat beside this one, if it is taken."""
        return self._seats.get(seat.room, {}).get(other_role(seat.role))

    def taken(self, seat: Seat) -> bool:
        """Whether this very seat is taken."""
        return self._seats.get(seat.room, {}).get(seat.role) is seat

    def at(self, room: str, secret: str | None) -> Seat | None:
        """Return the taken seat with this secret."""
        seats = self._seats.get(room, {}).values()
        return next((seat for seat in seats if secret is not None and seat.of_a_call and seat.secret == secret), None)

    def leave(self, seat: Seat, keep_until_s: float | None = None) -> None:
        """Give a seat back, or have that of a call kept until then. Giving it back twice does nothing."""
        seats = self._seats.get(seat.room, {})
        if seats.get(seat.role) is not seat:
            return
        del seats[seat.role]
        if not seats:
            del self._seats[seat.room]
        if keep_until_s is not None and seat.of_a_call:
            self._kept.setdefault(seat.room, {})[seat.role] = _Kept(seat, keep_until_s)

    @property
    def rooms_open(self) -> int:
        """Rooms with at least one seat taken or kept."""
        return len(self._seats.keys() | self._kept.keys())

    @property
    def seats_taken(self) -> int:
        """Peers in all rooms."""
        return sum(len(seats) for seats in self._seats.values())

    def _known(self, room: str) -> bool:
        return room in self._seats or room in self._kept

    def _all(self, room: str) -> list[Seat]:
        kept = [entry.seat for entry in self._kept.get(room, {}).values()]
        return [*self._seats.get(room, {}).values(), *kept]

    def _drop_kept(self, room: str, role: Role) -> None:
        kept = self._kept.get(room, {})
        kept.pop(role, None)
        if not kept:
            self._kept.pop(room, None)

    def _forget(self, now_s: float) -> None:
        late = [entry.seat for kept in self._kept.values() for entry in kept.values() if entry.until_s <= now_s]
        for seat in late:
            self._drop_kept(seat.room, seat.role)


def check_room_name(room: str) -> None:
    """Raise Refusal(bad_room_name) unless the name is 1 to 64 letters, digits, `-` or `_`."""
    if not ROOM_NAME.fullmatch(room):
        shown = room if len(room) <= 32 else room[:32] + "..."
        raise Refusal(
            RefusalCode.BAD_ROOM_NAME, f"expected a room name of 1 to 64 letters, digits, '-' or '_', got {shown!r}"
        )
