"""redis_rooms.py while Redis is gone, and when it is back."""

import time

import pytest

from signaling.errors import Refusal, RefusalCode
from signaling.messages import PeerLeft
from signaling.redis_rooms import RedisRooms
from tests.signaling.redis_server import (
    OFFER,
    RedisServer,
    assert_silent,
    call,
    heard,
    last_heard,
    redis_server,
    seats_of,
    servers,
    shared_settings,
    until,
)

__all__ = ["redis_server"]
pytestmark = pytest.mark.network


async def refused(store: RedisRooms) -> None:
    with pytest.raises(Refusal, match="expected Redis to answer") as refusal:
        await call(store, "new")
    assert refusal.value.code is RefusalCode.UNAVAILABLE


async def test_redis_gone_and_back_empty_nobody_notices_but_who_wants_to_join(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        seat, to_seat = await call(one)
        other, to_other = await call(two)
        beside, to_beside = await call(one, "local")
        local, to_local = await call(one, "local")
        for outbox in (to_seat, to_beside):
            await heard(outbox)
        redis_server.kill()
        await until("trouble on both servers", lambda: one.trouble and two.trouble)
        await refused(one)
        with pytest.raises(Refusal) as refusal:
            await two.first_use("token", 1.0)
        assert refusal.value.code is RefusalCode.UNAVAILABLE
        await one.post(local, OFFER)
        assert await heard(to_beside) == OFFER  # peers of one server need no Redis
        await one.post(seat, OFFER.model_copy(update={"sdp": "older"}))
        await one.post(seat, OFFER)
        for outbox in (to_seat, to_other, to_local):
            await assert_silent(outbox)

        redis_server.start()
        await until("no more trouble", lambda: not one.trouble and not two.trouble)
        await until("the seats in Redis again", lambda: seats_of(redis_server, "r") == {"callee", "caller"})
        assert await last_heard(to_other) == OFFER  # the last one alone matters
        await two.post(other, OFFER)
        assert await heard(to_seat) == OFFER
        for outbox in (to_seat, to_other, to_beside, to_local):
            await assert_silent(outbox)
        for room in ("r", "local"):
            with pytest.raises(Refusal, match="is full"):
                await call(two, room)
        await call(two, "new")
        assert (beside.role, local.role) == ("callee", "caller")


async def test_peer_that_leaves_while_redis_is_gone_has_left_when_it_is_back(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        seat, to_seat = await call(one)
        other, to_other = await call(two)
        await heard(to_seat)
        redis_server.kill()
        await until("trouble on both servers", lambda: one.trouble and two.trouble)
        await two.leave(other, keep=False)
        await assert_silent(to_seat)
        redis_server.start()
        assert await heard(to_seat) == PeerLeft(role="caller")
        assert (await call(two))[0].role == "caller"
        assert seat.role == "callee"
        await assert_silent(to_other)


async def test_redis_that_holds_its_connections_and_answers_nothing_is_gone_too(redis_server: RedisServer) -> None:
    async with servers(redis_server, redis_timeout_s=0.5) as (one, two):
        seat, to_seat = await call(one)
        other, _ = await call(two)
        await heard(to_seat)
        with redis_server.frozen():
            began_s = time.monotonic()
            await refused(one)
            assert time.monotonic() - began_s < 5
            await until("trouble on both servers", lambda: one.trouble and two.trouble)
            await two.leave(other, keep=False)
        assert await heard(to_seat) == PeerLeft(role="caller")
        await until("no more trouble", lambda: not one.trouble and not two.trouble)
        await call(two, "new")
        assert one.seats_taken == 1
        assert seats_of(redis_server, "r") == {seat.role}


async def test_server_that_starts_without_redis_waits_for_it(redis_server: RedisServer) -> None:
    redis_server.kill()
    async with RedisRooms(shared_settings(redis_server)) as store:
        assert "expected Redis to answer, it has not for" in str(store.trouble)
        await refused(store)
        redis_server.start()
        await until("no more trouble", lambda: store.trouble is None)
        await call(store, "new")
