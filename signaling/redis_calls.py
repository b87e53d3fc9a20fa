"""The few things that servers ask of Redis, each one atomic, and every name under which it holds something.

    facewire:1:room:NAME     the seats of a room (shared_room.py), gone ROOM_TTL_S after its last server is
    facewire:1:rooms         open rooms by the time at which they are gone, to count them
    facewire:1:servers       servers by the time at which they are taken for dead
    facewire:1:used:KEY      what may be shown only once
    facewire:1:to:SERVER     channel of notices for the peers of one server

One channel a server, not one a room: so nobody waits for a subscription to join, and there is one to renew when Redis
comes back. A room changes by compare-and-set: the rules of seats stay in Python, and no seat is ever taken twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from signaling.errors import SettingError
from signaling.shared_room import Change, Notice, write_seats

PREFIX: Final = "facewire:1:"
"""With the version of what is held: servers that hold something else beside these do not read it."""
ROOM_TTL_S: Final = 60
CONNECTIONS: Final = 16
GONE: Final = (RedisError, OSError, TimeoutError)
"""What a call raises when Redis is not there, or not itself."""

_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
"""
# KEYS: the room, servers.
_LOOK = f"""{_NOW}
return {{redis.call('GET', KEYS[1]) or '', now, redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')}}
"""
# KEYS: the room, rooms. ARGV: seats expected, seats to be, the room's name, its time to live, rooms allowed (0: any
# number), then pairs of a channel and a notice.
_COMMIT = f"""{_NOW}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[3])
else
    local most = tonumber(ARGV[5])
    if most > 0 and not redis.call('ZSCORE', KEYS[2], ARGV[3]) and redis.call('ZCARD', KEYS[2]) >= most then
        return -1
    end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
    redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[3])
end
for i = 6, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
return 1
"""
# KEYS: servers, the channel. ARGV: the server, its time to live. The empty notice comes back to the server, which hears
# by it whether anything reaches it.
_BEAT = f"""{_NOW}
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
redis.call('PUBLISH', KEYS[2], '')
local known = before and tonumber(before) > now
return {{known and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')}}
"""
# KEYS: rooms, what a room's key begins with. ARGV: time to live, then names of rooms.
_RENEW = f"""{_NOW}
local lost = {{}}
for i = 2, #ARGV do
    if redis.call('PEXPIRE', KEYS[2] .. ARGV[i], ARGV[1]) == 1 then
        redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i])
    else
        lost[#lost + 1] = ARGV[i]
    end
end
return lost
"""


@dataclass(frozen=True)
class Look:
    """A room as Redis holds it."""

    text: str
    now_ms: int
    servers: frozenset[str]
    """Those alive."""


class RedisCalls:
    """One server's connections to Redis. Calls raise what is in GONE."""

    def __init__(self, url: SecretStr, timeout_s: float, server: str) -> None:
        """Raise SettingError for an address that is none; connects with the first call."""
        try:
            self._pool = BlockingConnectionPool.from_url(
                url.get_secret_value(),
                max_connections=CONNECTIONS,
                timeout=timeout_s,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        except ValueError:
            raise SettingError(
                "expected redis_url like redis://host:6379/0, rediss://... for TLS or unix://path, got something else"
            ) from None
        self._redis: Redis = Redis.from_pool(self._pool)
        self.channel = f"{PREFIX}to:{server}"
        self._server = server
        self._look, self._commit, self._beat, self._renew = (
            self._redis.register_script(script) for script in (_LOOK, _COMMIT, _BEAT, _RENEW)
        )

    async def look(self, room: str) -> Look:
        """Read a room, with the time and the servers alive."""
        text, now_ms, servers = await self._look(keys=[f"{PREFIX}room:{room}", f"{PREFIX}servers"])
        return Look(text, now_ms, frozenset(servers))

    async def commit(self, room: str, look: Look, change: Change, max_rooms: int) -> int:
        """Make a change of the room and tell who is to be told: 1. 0 where the room is not as it was looked at.

        -1 where it would open one room more than `max_rooms` (0: any number).
        """
        told = [part for notice in change.notices for part in (channel_of(notice), notice.model_dump_json())]
        ttl_ms = _time_to_live_ms(change, look.now_ms)
        most = max_rooms if change.opens_a_room else 0
        arguments: list[str | int] = [look.text, write_seats(change.seats), room, ttl_ms, most, *told]
        return int(await self._commit(keys=[f"{PREFIX}room:{room}", f"{PREFIX}rooms"], args=arguments))

    async def beat(self, silent_s: float) -> tuple[bool, frozenset[str]]:
        """Give a sign of life. Returns whether the last one was still known, and the servers alive."""
        known, servers = await self._beat(
            keys=[f"{PREFIX}servers", self.channel], args=[self._server, round(silent_s * 1000)]
        )
        return known == 1, frozenset(servers)

    async def renew(self, rooms: Sequence[str]) -> list[str]:
        """Have rooms held for another while. Returns those that Redis does not hold."""
        keys = [f"{PREFIX}rooms", f"{PREFIX}room:"]
        return cast(list[str], await self._renew(keys=keys, args=[ROOM_TTL_S * 1000, *rooms]))

    async def publish(self, notice: Notice) -> bool:
        """Send a notice to the server that it is for. Returns whether that listens now."""
        return int(await self._redis.publish(channel_of(notice), notice.model_dump_json())) > 0

    async def first_use(self, key: str, for_s: float) -> bool:
        """Whether nobody showed this key in the last `for_s` seconds."""
        held = await self._redis.set(f"{PREFIX}used:{key}", "", nx=True, px=max(1, round(for_s * 1000)))
        return held is not None

    def inbox(self) -> PubSub:
        """Open a connection for what comes to this server. To be subscribed to `channel` and closed by the caller."""
        return self._redis.pubsub()

    async def sign_off(self) -> None:
        """Say that this server goes, and close all connections."""
        try:
            async with asyncio.timeout(1.0):
                await cast(Any, self._redis.zrem(f"{PREFIX}servers", self._server))
        except GONE:
            pass  # it is taken for dead before long
        finally:
            await self._redis.aclose()
            await self._pool.aclose()


def channel_of(notice: Notice) -> str:
    """Where the server listens that a notice is for."""
    return f"{PREFIX}to:{notice.to.server}"


def _time_to_live_ms(change: Change, now_ms: int) -> int:
    """A room with a peer is renewed by its server; one that is only kept goes with the last seat kept."""
    kept = [held.kept_until_ms for held in change.seats.values()]
    if any(until is None for until in kept):
        return ROOM_TTL_S * 1000
    return max(1, *(until - now_ms for until in kept if until is not None), 1)
