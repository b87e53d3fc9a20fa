"""Who sits where: rooms of two seats, a sender's and a receiver's or those of a two-way call. No HTTP, no sockets.

A seat of a call is kept for a while when its peer's connection is lost, and given back to whoever knows its secret, or
holds the token that it was taken with. Time is passed in, in seconds of one monotonic clock.
"""

import heapq
import itertools
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from signaling.errors import Refusal, RefusalCode
from signaling.messages import OTHER, Role, Wish, other_role

ROOM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEATS = 2


@dataclass(frozen=True, eq=False, slots=True)
class Seat:
    """One taken seat. Seats are compared by identity: a seat given back is never the same seat again."""

    room: str
    role: Role
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    holder: str | None = None
    """Which of the room's two tokens it was taken with; None where the server asks for none."""

    @property
    def of_a_call(self) -> bool:
        """Whether it is one of the two equal seats of a two-way call."""
        return of_a_call(self.role)


def of_a_call(role: Role) -> bool:
    """Whether it is the role of one of the two equal seats of a two-way call."""
    return role in ("caller", "callee")


@dataclass(frozen=True, slots=True)
class Claim:
    """What makes a seat somebody's."""

    secret: str = field(repr=False)
    holder: str | None = None
    kept: bool = False
    """Whether nobody sits there now."""


def choose_role(
    room: str, held: Mapping[Role, Claim], wish: Wish, secret: str | None, holder: str | None = None
) -> Role:
    """Say which seat a peer gets: its own by the secret, its own that is kept by its token, or one that is free.

    Raises Refusal: seat_taken, room_full, role_taken.
    """
    for role, claim in held.items():
        known = claim.holder == holder and secret is not None and secrets.compare_digest(claim.secret, secret)
        if known and of_a_call(role):
            return role
    for role, claim in held.items():
        if holder is None or claim.holder != holder:
            continue
        if not claim.kept:
            raise Refusal(
                RefusalCode.SEAT_TAKEN, f"expected one peer for each link of room '{room}', somebody sits here already"
            )
        if wish == "call":
            return role
    return _free(room, held, wish)


def _free(room: str, held: Mapping[Role, Claim], wish: Wish) -> Role:
    if len(held) >= SEATS:
        raise Refusal(RefusalCode.ROOM_FULL, f"room '{room}' is full: it has {SEATS} seats and a third peer came")
    wanted: list[Role] = ["callee", "caller"] if wish == "call" else [wish]
    role = next((role for role in wanted if role not in held and held.keys() <= {OTHER[role]}), None)
    if role is None:
        sits = next(iter(held))
        raise Refusal(
            RefusalCode.ROLE_TAKEN, f"room '{room}' has a {sits} already: expected a {other_role(sits)} to join"
        )
    return role


def new_seat(room: str, role: Role, wish: Wish, secret: str | None, holder: str | None) -> Seat:
    """Make a seat. A peer of a call may bring the secret that it will come back with."""
    return Seat(room, role, secret, holder) if secret and wish == "call" else Seat(room, role, holder=holder)


def too_many_rooms(max_rooms: int) -> Refusal:
    """Build the refusal of a room beyond the limit."""
    return Refusal(
        RefusalCode.TOO_MANY_ROOMS, f"expected fewer than {max_rooms} open rooms, all are taken: try again later"
    )


@dataclass(slots=True)
class _Held:
    seat: Seat
    kept_until_s: float | None = None


@dataclass
class Rooms:
    """All open rooms. A room opens with its first peer and closes when no seat is taken or kept."""

    max_rooms: int
    _rooms: dict[str, dict[Role, _Held]] = field(default_factory=dict)
    _ends: list[tuple[float, int, _Held]] = field(default_factory=list)
    """A heap: which seat was to be kept until when."""
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def join(
        self, room: str, wish: Wish, secret: str | None = None, now_s: float = 0.0, holder: str | None = None
    ) -> Seat:
        """Take a seat, or have one's own back. Whoever still sits there is put out by the caller.

        Raises Refusal: bad_room_name, too_many_rooms, seat_taken, room_full, role_taken.
        """
        check_room_name(room)
        self.forget(now_s)
        if room not in self._rooms and self.rooms_open >= self.max_rooms:
            raise too_many_rooms(self.max_rooms)
        claims = {
            role: Claim(held.seat.secret, held.seat.holder, held.kept_until_s is not None)
            for role, held in self._rooms.get(room, {}).items()
        }
        seat = new_seat(room, choose_role(room, claims, wish, secret, holder), wish, secret, holder)
        self._rooms.setdefault(room, {})[seat.role] = _Held(seat)
        return seat

    def sitting(self, room: str) -> dict[Role, Seat]:
        """Return the taken seats of a room."""
        return {role: held.seat for role, held in self._rooms.get(room, {}).items() if held.kept_until_s is None}

    def other(self, seat: Seat) -> Seat | None:
        """Return the seat beside this one, if it is taken."""
        return self.sitting(seat.room).get(other_role(seat.role))

    def taken(self, seat: Seat) -> bool:
        """Whether this very seat is taken."""
        return self.sitting(seat.room).get(seat.role) is seat

    def leave(self, seat: Seat, keep_until_s: float | None = None) -> None:
        """Give a seat back, or have that of a call kept until then. Giving it back twice does nothing."""
        if not self.taken(seat):
            return
        if keep_until_s is not None and seat.of_a_call:
            held = self._rooms[seat.room][seat.role]
            held.kept_until_s = keep_until_s
            heapq.heappush(self._ends, (keep_until_s, next(self._ids), held))
        else:
            self._free(seat)

    def forget(self, now_s: float) -> None:
        """Free the seats that were kept long enough."""
        while self._ends and self._ends[0][0] <= now_s:
            held = heapq.heappop(self._ends)[2]
            if self._rooms.get(held.seat.room, {}).get(held.seat.role) is held:
                self._free(held.seat)

    @property
    def rooms_open(self) -> int:
        """Rooms with at least one seat taken or kept."""
        return len(self._rooms)

    @property
    def seats_taken(self) -> int:
        """Peers in all rooms."""
        return sum(held.kept_until_s is None for seats in self._rooms.values() for held in seats.values())

    def _free(self, seat: Seat) -> None:
        seats = self._rooms[seat.room]
        del seats[seat.role]
        if not seats:
            del self._rooms[seat.room]


def check_room_name(room: str) -> None:
    """Raise Refusal(bad_room_name) unless the name is 1 to 64 letters, digits, `-` or `_`."""
    if not ROOM_NAME.fullmatch(room):
        shown = room if len(room) <= 32 else room[:32] + "..."
        raise Refusal(
            RefusalCode.BAD_ROOM_NAME, f"expected a room name of 1 to 64 letters, digits, '-' or '_', got {shown!r}"
        )
