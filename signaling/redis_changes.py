"""How a room changes that servers share: looked at, decided by the rules, committed unless it changed meanwhile."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError
from redis.exceptions import RedisError

from signaling.local_seats import LocalSeat, LocalSeats
from signaling.messages import OTHER, PeerJoined, Wish
from signaling.redis_calls import Look, RedisCalls
from signaling.rooms import Seat, choose_role, new_seat, too_many_rooms
from signaling.settings import SignalSettings
from signaling.shared_room import (
    Change,
    Held,
    Notice,
    Place,
    Seats,
    read_seats,
    settle,
    sit,
    stand_up,
    taken,
    write_seats,
)

log = logging.getLogger("facewire.signaling")
ATTEMPTS = 50
"""Somebody else's change is the only reason for another attempt, and a room has two seats."""


class RedisChanges:
    """Changes of rooms by one server. They raise what is in GONE when Redis is not there."""

    def __init__(
        self,
        settings: SignalSettings,
        calls: RedisCalls,
        local: LocalSeats,
        server: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._local = local
        self._server = server
        self._now = now
        self.all_live_until_s = 0.0
        """By `now`; until then no other server is taken for dead, because it may not have found Redis again yet."""

    async def seat(self, local: LocalSeat, wish: Wish, secret: str | None, holder: str | None) -> tuple[Seat, bool]:
        """Seat a peer. Returns its seat and whether the other one is taken. Raises Refusal."""
        present = False

        def decide(seats: Seats, now_ms: int) -> Change:
            nonlocal present
            claims = {role: held.claim for role, held in seats.items()}
            role = choose_role(local.room, claims, wish, secret, holder)
            seat = new_seat(local.room, role, wish, secret, holder)
            # Before the commit, because news of the other seat may come right after it.
            local.seat, local.other = seat, taken(seats, OTHER[role])
            present = local.other is not None
            return sit(seats, role, _held(local, seat))

        await self._change(local.room, decide, self._settings.max_rooms)
        return self._local.seated(local), present

    async def give_back(self, room: str, place: Place, keep: bool) -> None:
        """Give back the seat of the peer at this place, if it is still its own; see RoomStore.leave."""
        keep_ms = round(self._settings.seat_kept_s * 1000)
        await self._change(room, lambda seats, now_ms: stand_up(seats, place, now_ms + keep_ms if keep else None))

    async def reconcile(self, room: str) -> None:
        """Bring a room and this server's peers in it together again, after one of them may have missed something.

        A peer whose seat Redis forgot gets it again, one whose seat is somebody else's now is put out, and all hear who
        sits beside them.
        """
        restored: list[LocalSeat] = []
        lost: list[LocalSeat] = []

        def decide(seats: Seats, now_ms: int) -> Change:
            restored.clear()
            lost.clear()
            seated = self._local.in_room(room)
            for local, seat in seated:
                held = seats.get(seat.role)
                if held is not None and held.place != local.place or not seats.keys() <= {seat.role, OTHER[seat.role]}:
                    lost.append(local)
                elif held is None or held.kept_until_ms is not None:
                    restored.append(local)
                    seats = {**seats, seat.role: _held(local, seat)}
            for local, seat in seated:
                # Where Redis forgot this seat it may have forgotten the other one: its server is asked, by `_came`.
                if local not in lost and (local not in restored or OTHER[seat.role] in seats):
                    local.meet(taken(seats, OTHER[seat.role]))
            return Change(seats, tuple(_came(local) for local in restored if local.other is not None))

        await self._change(room, decide)
        for local in lost:
            local.put_out()
        for local in restored:
            if self._local.at(local.place) is None:  # it left while its seat was being restored
                await self.give_back(room, local.place, keep=True)

    async def _change(self, room: str, decide: Callable[[Seats, int], Change], max_rooms: int = 0) -> None:
        for _ in range(ATTEMPTS):
            look = await self._calls.look(room)
            settled = self._settle(room, look)
            change = decide(settled.seats, look.now_ms)
            change = replace(change, notices=(*settled.notices, *change.notices))
            if write_seats(change.seats) == look.text and not change.notices:
                return
            outcome = await self._calls.commit(room, look, change, max_rooms)
            if outcome < 0:
                raise too_many_rooms(max_rooms)
            if outcome:
                return
        raise RedisError(f"room '{room}' changed {ATTEMPTS} times while it was being changed")

    def _settle(self, room: str, look: Look) -> Change:
        lenient = self._now() < self.all_live_until_s

        def lives(place: Place) -> bool:
            if place.server == self._server:
                return self._local.at(place) is not None
            return lenient or place.server in look.servers

        return settle(_read(room, look), look.now_ms, lives, round(self._settings.seat_kept_s * 1000))


def _held(local: LocalSeat, seat: Seat) -> Held:
    return Held(place=local.place, secret=seat.secret, holder=seat.holder)


def _came(local: LocalSeat) -> Notice:
    assert local.seat is not None
    assert local.other is not None
    return Notice(to=local.other, message=PeerJoined(role=local.seat.role), about=local.place)


def _read(room: str, look: Look) -> Seats:
    try:
        return read_seats(look.text)
    except ValidationError:
        log.warning("room %s: expected its seats in Redis, got something else; taken for an empty room", room)
        return {}
