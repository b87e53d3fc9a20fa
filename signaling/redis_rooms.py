"""Rooms that several servers share through Redis: a store whose peers may sit on any of them.

    join, leave      look at the room, decide by the rules (rooms.py, shared_room.py), commit unless it changed
    a description    published to the server where the other peer is connected
    every second     a sign of life; a server that gives none for a while is dead, and its seats are given back

Redis gone: nobody can join, peers of one server still reach each other, and what else there is to say waits. When it is
back every server puts its seats there again, whether Redis forgot them or not, and tells its peers what they missed.
"""

import asyncio
import logging
import secrets
from types import TracebackType
from typing import Self

from signaling.errors import Refusal, RefusalCode
from signaling.local_seats import LocalSeat, LocalSeats
from signaling.messages import Description, Wish
from signaling.outbox import Outbox
from signaling.redis_calls import GONE, RedisCalls
from signaling.redis_changes import RedisChanges
from signaling.redis_keeper import RedisKeeper
from signaling.rooms import Seat, check_room_name
from signaling.settings import SignalSettings
from signaling.shared_room import Notice, Place

log = logging.getLogger("facewire.signaling")


class RedisRooms:
    """`RoomStore` of one of several servers. An async context manager."""

    def __init__(self, settings: SignalSettings) -> None:
        """Raise SettingError where `redis_url` is none."""
        assert settings.redis_url is not None
        self._server = secrets.token_hex(8)
        self._local = LocalSeats()
        self._calls = RedisCalls(settings.redis_url, settings.redis_timeout_s, self._server)
        self._changes = RedisChanges(settings, self._calls, self._local, self._server)
        self._keeper = RedisKeeper(self._calls, self._changes, self._local, settings.server_silent_s)
        self._keeping: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def rooms_open(self) -> int:
        """Rooms in which a peer of this server sits."""
        return len(self._local.rooms)

    @property
    def seats_taken(self) -> int:
        """Peers of this server."""
        return len(self._local.all)

    @property
    def trouble(self) -> str | None:
        """See RoomStore."""
        if self._keeping is None or self._keeping.done():
            return "expected this server to run, it has stopped keeping its rooms: restart it"
        return self._keeper.trouble

    async def join(
        self, room: str, wish: Wish, secret: str | None, outbox: Outbox, holder: str | None = None
    ) -> tuple[Seat, bool]:
        """See RoomStore."""
        check_room_name(room)
        self._check_trouble()
        local = LocalSeat(room, Place(server=self._server, socket=secrets.token_hex(8)), outbox)
        self._local.add(local)
        try:
            return await self._changes.seat(local, wish, secret, holder)
        except BaseException as error:
            self._local.remove(local)
            if isinstance(error, Refusal):
                raise
            self._keeper.owe(local, keep=bool(secret or holder))  # it may have been seated for all we know
            if isinstance(error, GONE):
                raise self._unavailable() from None
            raise

    async def post(self, seat: Seat, message: Description) -> None:
        """See RoomStore."""
        local = self._local.of(seat)
        local.unsent = None
        if local.other is None:
            return
        if self.trouble is None:
            try:
                if await self._calls.publish(Notice(to=local.other, message=message, about=local.place)):
                    return
            except GONE:
                pass  # the keeper will notice before long
        beside = self._local.at(local.other)
        if beside is not None:
            beside.outbox.put(message)
        else:
            local.unsent = message  # for the keeper to send; a later one is all that matters then

    async def leave(self, seat: Seat, keep: bool) -> None:
        """See RoomStore."""
        local = self._local.of(seat)
        self._local.remove(local)
        # A task of its own, because the peer's may be cancelled.
        leaving = asyncio.create_task(self._give_back(local, keep), name=f"leave {seat.room}")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        await asyncio.shield(leaving)

    async def first_use(self, key: str, for_s: float) -> bool:
        """See RoomStore. Raises Refusal(unavailable)."""
        self._check_trouble()
        try:
            return await self._calls.first_use(key, for_s)
        except GONE:
            raise self._unavailable() from None

    async def __aenter__(self) -> Self:
        """Look for Redis; a server begins without it, too."""
        self._keeping = asyncio.create_task(self._keeper.run(), name="keep in touch with Redis")
        self._keeping.add_done_callback(_report)
        tried = asyncio.create_task(self._keeper.tried.wait())
        await asyncio.wait((tried, self._keeping), return_when=asyncio.FIRST_COMPLETED)
        tried.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what is being given back, and go."""
        if self._leaving:
            await asyncio.wait(self._leaving)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._calls.sign_off()

    async def _give_back(self, local: LocalSeat, keep: bool) -> None:
        try:
            if self._keeper.trouble is not None:
                self._keeper.owe(local, keep)
            else:
                await self._changes.give_back(local.room, local.place, keep)
        except GONE:
            self._keeper.owe(local, keep)

    def _check_trouble(self) -> None:
        if self.trouble is not None:
            raise self._unavailable()

    def _unavailable(self) -> Refusal:
        words = self.trouble or "expected Redis to answer, it did not: try again later"
        return Refusal(RefusalCode.UNAVAILABLE, words)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a fault of this server: its rooms are no longer kept, nobody can join", exc_info=error)
