"""What the servers that share rooms know of one room, and how it changes. Plain; no Redis, no sockets.

Times are the shared store's own, in milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from signaling.messages import OTHER, Description, PeerJoined, PeerLeft, Role
from signaling.rooms import Claim, of_a_call


class Place(BaseModel):
    """Where a peer is connected: the server and one of its sockets, both by random names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    socket: str


class Held(BaseModel):
    """One seat: taken by the peer at `place`, or kept for it until `kept_until_ms`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Place
    secret: str = Field(repr=False)
    holder: str | None = None
    kept_until_ms: int | None = None

    @property
    def claim(self) -> Claim:
        """What makes it somebody's."""
        return Claim(self.secret, self.holder, self.kept_until_ms is not None)


Seats = dict[Role, Held]
Lives = Callable[[Place], bool]
_SEATS: TypeAdapter[Seats] = TypeAdapter(Seats)


class Notice(BaseModel):
    """One server to another: what the peer at `to` is told, or that its seat was taken back (`message` is None)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Place
    message: PeerJoined | PeerLeft | Description | None = Field(discriminator="type")
    about: Place | None = None
    """Where the peer is that came or left."""


@dataclass(frozen=True)
class Change:
    """A room's seats after a change, and who is told of it."""

    seats: Seats
    notices: tuple[Notice, ...] = ()
    opens_a_room: bool = False


def read_seats(text: str) -> Seats:
    """Parse what `write_seats` made; an empty text is an empty room. Raises pydantic.ValidationError."""
    return _SEATS.validate_json(text) if text else {}


def write_seats(seats: Seats) -> str:
    """Write seats down, roles in a fixed order, so that equal seats are equal texts."""
    return _SEATS.dump_json({role: seats[role] for role in OTHER if role in seats}).decode() if seats else ""


def taken(seats: Seats, role: Role) -> Place | None:
    """Where the peer of a seat is connected, None for a seat that is free or kept."""
    held = seats.get(role)
    return held.place if held is not None and held.kept_until_ms is None else None


def settle(seats: Seats, now_ms: int, lives: Lives, keep_ms: int) -> Change:
    """Drop what is over: seats kept long enough, and those whose server died without giving them back.

    Those of a call that died so are kept from now on, as for any peer whose connection was lost.
    """
    left: Seats = {}
    buried: list[Role] = []
    for role, held in seats.items():
        if held.kept_until_ms is not None:
            if held.kept_until_ms > now_ms:
                left[role] = held
        elif lives(held.place):
            left[role] = held
        else:
            buried.append(role)
            if of_a_call(role):
                left[role] = held.model_copy(update={"kept_until_ms": now_ms + keep_ms})
    return Change(left, tuple(notice for role in buried for notice in _left(left, role, seats[role].place)))


def sit(seats: Seats, role: Role, held: Held) -> Change:
    """Seat a peer; the other one hears of it, and whoever sat there before is put out."""
    other, before = taken(seats, OTHER[role]), taken(seats, role)
    notices = []
    if before is not None:
        notices.append(Notice(to=before, message=None))
    if other is not None:
        notices.append(Notice(to=other, message=PeerJoined(role=role), about=held.place))
    return Change({**seats, role: held}, tuple(notices), opens_a_room=not seats)


def stand_up(seats: Seats, place: Place, kept_until_ms: int | None) -> Change:
    """Give back the seat of the peer at this place, if it is still its own; that of a call may be kept for it."""
    role = next((role for role, held in seats.items() if held.place == place), None)
    if role is None:
        return Change(seats)
    left = {each: held for each, held in seats.items() if each != role}
    if kept_until_ms is not None and of_a_call(role):
        left[role] = seats[role].model_copy(update={"kept_until_ms": kept_until_ms})
    return Change(left, _left(left, role, place) if taken(seats, role) else ())


def _left(seats: Seats, role: Role, place: Place) -> tuple[Notice, ...]:
    other = taken(seats, OTHER[role])
    return () if other is None else (Notice(to=other, message=PeerLeft(role=role), about=place),)
