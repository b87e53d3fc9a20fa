"""redis_rooms.py with a real Redis: peers on several servers, and servers that die."""

import asyncio
import json

import pytest

from signaling.errors import Refusal, RefusalCode, SettingError
from signaling.messages import PeerJoined, PeerLeft
from signaling.outbox import Outbox
from signaling.redis_rooms import RedisRooms
from signaling.settings import SignalSettings
from tests.signaling.redis_server import (
    OFFER,
    RedisServer,
    assert_silent,
    call,
    die,
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


async def test_join_on_two_servers_the_seats_hear_of_each_other_and_reach_each_other(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        first, to_first = await call(one)
        to_second = Outbox(16)
        second, present = await two.join("r", "call", None, to_second)
        assert (first.role, second.role, present) == ("callee", "caller", True)
        assert await heard(to_first) == PeerJoined(role="caller")
        await two.post(second, OFFER)
        assert await heard(to_first) == OFFER
        await one.post(first, OFFER)
        assert await heard(to_second) == OFFER
        await two.leave(second, keep=False)
        assert await heard(to_first) == PeerLeft(role="caller")
        await one.post(first, OFFER)  # to an empty seat
        again, to_again = await call(two)
        assert again.role == "caller"
        assert await heard(to_first) == PeerJoined(role="caller")
        await assert_silent(to_again)
        assert (one.rooms_open, one.seats_taken) == (1, 1)


async def test_join_refusals_count_over_all_servers(redis_server: RedisServer) -> None:
    async with servers(redis_server, max_rooms=2) as (one, two):
        await call(one)
        await call(two)
        with pytest.raises(Refusal, match="room 'r' is full"):
            await call(one)
        sender, _ = await two.join("s", "sender", None, Outbox(4))
        with pytest.raises(Refusal, match="has a sender already"):
            await one.join("s", "sender", None, Outbox(4))
        with pytest.raises(Refusal, match="fewer than 2 open rooms") as refusal:
            await call(one, "t")
        assert refusal.value.code is RefusalCode.TOO_MANY_ROOMS
        await two.leave(sender, keep=False)
        await call(one, "t")


async def test_join_many_at_once_two_are_seated(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        joins = [call(one if index % 2 else two) for index in range(20)]
        outcomes = await asyncio.gather(*joins, return_exceptions=True)
        seated = [outcome[0].role for outcome in outcomes if isinstance(outcome, tuple)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        assert sorted(seated) == ["callee", "caller"]
        assert {refusal.code for refusal in refused} == {RefusalCode.ROOM_FULL}
        assert one.seats_taken + two.seats_taken == 2


async def test_join_one_token_gets_one_seat_on_all_servers(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        seat, _ = await one.join("r", "call", None, Outbox(4), "1")
        with pytest.raises(Refusal) as refusal:
            await two.join("r", "call", None, Outbox(4), "1")
        assert refusal.value.code is RefusalCode.SEAT_TAKEN
        await one.leave(seat, keep=True)
        assert (await two.join("r", "call", None, Outbox(4), "1"))[0].role == "callee"


async def test_seat_is_had_back_on_another_server_with_its_secret(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        first, to_first = await call(one)
        _, to_second = await call(one)
        assert await heard(to_first) == PeerJoined(role="caller")
        again, _ = await call(two, secret=first.secret)
        assert (again.role, again.secret) == (first.role, first.secret)
        assert await heard(to_second) == PeerJoined(role="callee")
        with pytest.raises(Refusal, match="taken back"):
            await heard(to_first)
        await one.leave(first, keep=False)  # of the old socket, after the new one sits
        await two.post(again, OFFER)
        assert await heard(to_second) == OFFER


async def test_seat_of_a_call_is_kept_for_its_secret_and_then_forgotten(redis_server: RedisServer) -> None:
    async with servers(redis_server, seat_kept_s=1.0) as (one, two):
        seat, _ = await call(one)
        await call(two)
        await one.leave(seat, keep=True)
        with pytest.raises(Refusal, match="full"):
            await call(two)
        await asyncio.sleep(1.0)
        assert (await call(two))[0].role == "callee"


async def test_dead_server_its_seats_are_given_back_and_the_others_told(redis_server: RedisServer) -> None:
    async with servers(redis_server, server_silent_s=1.0) as (one, two):
        seat, _ = await call(one)
        await one.join("s", "sender", None, Outbox(4))
        _, to_caller = await call(two)
        to_receiver = Outbox(4)
        await two.join("s", "receiver", None, to_receiver)
        die(one)
        assert await heard(to_caller) == PeerLeft(role="callee")
        assert await heard(to_receiver) == PeerLeft(role="sender")
        await two.join("s", "sender", None, Outbox(4))
        with pytest.raises(Refusal, match="full"):
            await call(two)  # that of a call is kept, as after any lost connection
        assert (await call(two, secret=seat.secret))[0].role == "callee"


async def test_server_taken_for_dead_by_mistake_its_peers_sit_where_they_sat(redis_server: RedisServer) -> None:
    async with servers(redis_server, server_silent_s=1.0) as (one, two):
        seat, to_callee = await call(one)
        other, to_caller = await call(two)
        await heard(to_callee)
        redis = redis_server.ask()
        await until("a sign of life", lambda: redis.zrem("facewire:1:servers", one._server) == 1)
        redis.set("facewire:1:room:r", "")
        await until("both seats there again", lambda: seats_of(redis_server, "r") == {"callee", "caller"})
        await one.post(seat, OFFER)
        assert await last_heard(to_caller) == OFFER
        await two.post(other, OFFER)
        assert await last_heard(to_callee) == OFFER


async def test_rooms_that_redis_forgot_are_there_again_when_they_are_renewed(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        seat, to_callee = await call(one)
        _, to_caller = await call(two)
        assert await heard(to_callee) == PeerJoined(role="caller")
        redis_server.ask().delete("facewire:1:room:r")
        await one._keeper._renew()
        await until("both seats there again", lambda: seats_of(redis_server, "r") == {"callee", "caller"})
        await one.post(seat, OFFER)
        assert await heard(to_caller) == OFFER
        await assert_silent(to_caller)  # nobody came or left
        await assert_silent(to_callee)


async def test_everything_in_redis_has_an_end(redis_server: RedisServer) -> None:
    async with servers(redis_server, seat_kept_s=1.0) as (one, two):
        seat, _ = await call(one)
        other, _ = await call(two)
        await one.first_use("token", 1.0)
        redis = redis_server.ask()
        assert 0 < redis.pttl("facewire:1:room:r") <= 60_000
        await one.leave(seat, keep=True)
        await two.leave(other, keep=True)
        await until("no room", lambda: not redis.exists("facewire:1:room:r"))
        await until("no token", lambda: not redis.exists("facewire:1:used:token"))
    assert redis.zcard("facewire:1:servers") == 0
    async with servers(redis_server, 1, max_rooms=1) as (one,):
        await call(one, "another")  # what is left of the first room's name counts no longer


async def test_first_use_is_true_on_one_server_alone(redis_server: RedisServer) -> None:
    async with servers(redis_server) as (one, two):
        assert await one.first_use("a", 10.0)
        assert not await two.first_use("a", 10.0)
        assert await two.first_use("b", 10.0)


async def test_what_else_is_in_redis_does_no_harm(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async with servers(redis_server, 1) as (one,):
        redis = redis_server.ask()
        redis.set("facewire:1:room:r", json.dumps({"callee": {"place": 1}}))
        redis.publish(f"facewire:1:to:{one._server}", '{"to": 1}')
        seat, outbox = await call(one)
        assert seat.role == "callee"
        await call(one)
        assert await heard(outbox) == PeerJoined(role="caller")
        assert "expected its seats in Redis" in caplog.text


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1", "redis://:hunter2@127.0.0.1:x/0"])
def test_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingError, match="expected redis_url like redis://") as error:
        RedisRooms(SignalSettings(redis_url=url))  # type: ignore[arg-type]
    assert "hunter2" not in str(error.value)


async def test_wrong_password_is_trouble_and_in_no_words(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.kill()
    redis_server.start("--requirepass", "right-one")
    url = redis_server.url.replace("redis://", "redis://:hunter2@")
    async with RedisRooms(shared_settings(redis_server, redis_url=url)) as store:
        with pytest.raises(Refusal, match="expected Redis to answer") as refusal:
            await call(store)
        assert refusal.value.code is RefusalCode.UNAVAILABLE
        assert "Redis is gone (AuthenticationError)" in caplog.text
        assert "hunter2" not in caplog.text + str(refusal.value) + str(store.trouble)
