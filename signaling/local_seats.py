"""The peers connected to one of several servers, and what reaches them from the others."""

from collections.abc import Collection
from dataclasses import dataclass, field

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Description, PeerJoined, PeerLeft, other_role
from signaling.outbox import Outbox
from signaling.rooms import Seat
from signaling.shared_room import Notice, Place


@dataclass(eq=False, slots=True)
class LocalSeat:
    """One peer of this server."""

    room: str
    place: Place
    outbox: Outbox
    seat: Seat | None = None
    """The one that it has, or may get."""
    other: Place | None = None
    """Where the peer beside it is connected."""
    unsent: Description | None = None
    """The last one that could not be brought to the other peer."""

    def meet(self, other: Place | None) -> None:
        """Tell the peer who sits beside it now, if that is news."""
        if self.seat is None or other == self.other:
            return
        role = other_role(self.seat.role)
        self.outbox.put(PeerLeft(role=role) if other is None else PeerJoined(role=role))
        self.other = other

    def put_out(self) -> None:
        """Have the peer put out, because its seat is somebody else's now."""
        self.outbox.put_out(Refusal(RefusalCode.CAME_BACK, "your seat was taken back with its secret"))


@dataclass
class LocalSeats:
    """All peers of this server, by seat, by socket and by room."""

    _by_seat: dict[Seat, LocalSeat] = field(default_factory=dict)
    _by_place: dict[Place, LocalSeat] = field(default_factory=dict)
    _by_room: dict[str, list[LocalSeat]] = field(default_factory=dict)

    def add(self, local: LocalSeat) -> None:
        """Have what comes for this socket reach it."""
        self._by_place[local.place] = local
        self._by_room.setdefault(local.room, []).append(local)

    def seated(self, local: LocalSeat) -> Seat:
        """Note that it keeps the seat it has; returns that."""
        assert local.seat is not None
        self._by_seat[local.seat] = local
        return local.seat

    def remove(self, local: LocalSeat) -> None:
        """Forget a peer."""
        del self._by_place[local.place]
        beside = self._by_room[local.room]
        beside.remove(local)
        if not beside:
            del self._by_room[local.room]
        if local.seat is not None:
            self._by_seat.pop(local.seat, None)

    def of(self, seat: Seat) -> LocalSeat:
        """Return the peer in a seat of this server."""
        return self._by_seat[seat]

    def at(self, place: Place) -> LocalSeat | None:
        """Return the peer at a place, if it is one of this server's."""
        return self._by_place.get(place)

    def in_room(self, room: str) -> list[tuple[LocalSeat, Seat]]:
        """Return the peers of this server in a room, without those that are about to be seated."""
        beside = self._by_room.get(room, ())
        return [(local, local.seat) for local in beside if local.seat is not None and local.seat in self._by_seat]

    @property
    def rooms(self) -> Collection[str]:
        """Rooms in which a peer of this server sits."""
        return self._by_room.keys()

    @property
    def all(self) -> Collection[LocalSeat]:
        """Every peer of this server."""
        return self._by_place.values()

    def deliver(self, notice: Notice) -> None:
        """Tell a peer of this server what another one has to say; one that is gone by now is not told."""
        local = self.at(notice.to)
        if local is None:
            return
        if notice.message is None:
            local.put_out()
        elif isinstance(notice.message, Description):
            local.outbox.put(notice.message)
        elif isinstance(notice.message, PeerJoined):
            local.meet(notice.about)
        elif notice.about == local.other:  # a peer_left of somebody who came again since is old news
            local.meet(None)
