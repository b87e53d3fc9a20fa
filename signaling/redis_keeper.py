"""Keeps one server in touch with Redis and the other servers: hears notices, gives signs of life, comes back."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from pydantic import ValidationError
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from signaling.local_seats import LocalSeat, LocalSeats
from signaling.messages import PeerJoined, PeerLeft, other_role
from signaling.redis_calls import GONE, RedisCalls
from signaling.redis_changes import RedisChanges
from signaling.shared_room import Notice
from signaling.tasks import first_to_end

log = logging.getLogger("facewire.signaling")
BEATS: Final = 5
"""Signs of life in the time after which a silent server is taken for dead."""
RENEW_S: Final = 20.0
RENEW_AT_ONCE: Final = 500  # rooms in one call
RETRY_S: Final = 0.5
AT_ONCE: Final = 8
"""Rooms brought in order beside each other; the rest of the connections stay for peers."""


class RedisKeeper:
    """Runs beside a server's peers from `run` to its cancellation."""

    def __init__(
        self,
        calls: RedisCalls,
        changes: RedisChanges,
        local: LocalSeats,
        silent_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls = calls
        self._changes = changes
        self._local = local
        self._silent_s = silent_s
        self._now = now
        self._known: frozenset[str] = frozenset()
        self._owed: dict[LocalSeat, bool] = {}
        self._gone_since_s: float | None = now()
        self.tried = asyncio.Event()
        """Set once Redis was found or not found for the first time."""

    @property
    def trouble(self) -> str | None:
        """Why nobody can join, in words."""
        if self._gone_since_s is None:
            return None
        return f"expected Redis to answer, it has not for {self._now() - self._gone_since_s:.0f} s: try again later"

    def owe(self, local: LocalSeat, keep: bool) -> None:
        """Have a seat given back as soon as Redis takes it."""
        self._owed[local] = keep

    async def run(self) -> NoReturn:
        """Work until cancelled, whatever becomes of Redis."""
        while True:
            try:
                await self._work()
            except GONE as error:
                self._lose(error)
            await asyncio.sleep(RETRY_S)

    async def _work(self) -> None:
        inbox = self._calls.inbox()
        try:
            await inbox.subscribe(self._calls.channel)
            if await inbox.get_message(timeout=self._silent_s) is None:
                raise RedisError("no answer to a subscription")
            await self._come_back()
            await first_to_end(self._listen(inbox), self._beat())
        finally:
            await inbox.aclose()  # type: ignore[no-untyped-call]

    async def _come_back(self) -> None:
        """Put everything in order that may be out of it since Redis was last there."""
        self._changes.all_live_until_s = self._now() + self._silent_s
        _, servers = await self._calls.beat(self._silent_s)
        self._known |= servers
        await self._reconcile(self._local.rooms)
        await self._settle_debts()
        if self._gone_since_s is not None:
            log.info("Redis is there, %d peers in %d rooms", len(self._local.all), len(self._local.rooms))
        self._gone_since_s = None
        self.tried.set()

    def _lose(self, error: Exception) -> None:
        first = self._gone_since_s is None or not self.tried.is_set()
        if self._gone_since_s is None:
            self._gone_since_s = self._now()
        if first:
            # The kind of error alone: its words may hold the address, and that a password.
            log.warning("Redis is gone (%s): nobody can join, calls under way go on", type(error).__name__)
        self.tried.set()

    async def _listen(self, inbox: PubSub) -> NoReturn:
        """Deliver notices. Our own signs of life come back this way, too: silence means that nothing reaches us."""
        while True:
            message = await inbox.get_message(timeout=self._silent_s)
            if message is None or message["type"] != "message":
                raise RedisError("nothing heard, or subscribed anew: something may have been missed")
            text = message["data"]
            if not text:
                continue
            try:
                notice = Notice.model_validate_json(text)
            except ValidationError:
                log.warning("expected a notice of another server, got something else; dropped")
            else:
                await self._take(notice)

    async def _take(self, notice: Notice) -> None:
        """Deliver a notice. A peer_joined that is no news comes from a server that had to put its seat there again."""
        local = self._local.at(notice.to)
        if not isinstance(notice.message, PeerJoined) or notice.about is None:
            self._local.deliver(notice)
        elif local is None:
            gone = PeerLeft(role=other_role(notice.message.role))
            await self._calls.publish(Notice(to=notice.about, message=gone, about=notice.to))
        elif local.other == notice.about:
            await self._changes.reconcile(local.room)  # ours may have to be put there again, too
        else:
            self._local.deliver(notice)

    async def _beat(self) -> NoReturn:
        renewed_s = self._now()
        while True:
            await asyncio.sleep(self._silent_s / BEATS)
            known, servers = await self._calls.beat(self._silent_s)
            if not known:
                await self._come_back()  # Redis forgot us, or we were taken for dead
            await self._bury(servers)
            await self._settle_debts()
            if self._now() - renewed_s >= RENEW_S:
                renewed_s = self._now()
                await self._renew()

    async def _bury(self, alive: frozenset[str]) -> None:
        """Give back the seats of servers that died, where a peer of ours sits beside."""
        if self._now() < self._changes.all_live_until_s:
            self._known |= alive
            return
        dead = self._known - alive
        self._known = alive
        if dead:
            log.info("%d other servers are gone", len(dead))
            beside = (local for local in self._local.all if local.other is not None)
            await self._reconcile({local.room for local in beside if local.other and local.other.server in dead})

    async def _renew(self) -> None:
        rooms = list(self._local.rooms)
        for start in range(0, len(rooms), RENEW_AT_ONCE):
            await self._reconcile(await self._calls.renew(rooms[start : start + RENEW_AT_ONCE]))

    async def _reconcile(self, rooms: Iterable[str]) -> None:
        """Bring rooms in order, some at a time. Raises what the first one raised that failed."""
        waiting = list(rooms)

        async def work() -> None:
            while waiting:
                await self._changes.reconcile(waiting.pop())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(waiting))):
                    group.create_task(work(), name="bring rooms in order")
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _settle_debts(self) -> None:
        """Do what could not be done: seats given back, descriptions brought over."""
        for gone, keep in list(self._owed.items()):
            await self._changes.give_back(gone.room, gone.place, keep)
            if gone.other is not None and gone.seat is not None:  # Redis may have forgotten who sat beside
                left = PeerLeft(role=gone.seat.role)
                await self._calls.publish(Notice(to=gone.other, message=left, about=gone.place))
            del self._owed[gone]
        for local in list(self._local.all):
            unsent = local.unsent
            if unsent is not None and local.other is not None:
                heard = await self._calls.publish(Notice(to=local.other, message=unsent, about=local.place))
                if heard and local.unsent is unsent:
                    local.unsent = None
