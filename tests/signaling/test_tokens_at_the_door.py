"""Seats of a guarded server: every wrong token is refused with its code, and leaves nothing behind."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from signaling.client import SignalingClient
from signaling.errors import Refusal, RefusalCode
from signaling.messages import Join, Joined, PeerJoined, Refused
from tests.signaling.guarded import Guarded, close_code, guarded_server, seated
from tests.signaling.test_tokens import altered

pytestmark = pytest.mark.network


async def refusal_of(server: Guarded, token: str | None, room: str = "r", **more: Any) -> RefusalCode:
    """Knock; fails where the door opens, or the close code is another's, or the token is repeated."""
    answer, code = await server.knock(Join(role="call", token=token, **more), room)
    assert isinstance(answer, Refused), answer
    assert code == answer.code.close_code
    assert token is None or token not in answer.reason
    return answer.code


async def test_wrong_tokens_are_refused_each_with_its_code() -> None:
    async with guarded_server() as server:
        good = server.token()
        for token, room, code in (
            (None, "r", RefusalCode.NO_TOKEN),
            (None, "guessed", RefusalCode.NO_TOKEN),
            (good, "other", RefusalCode.WRONG_ROOM),
            (server.token(lifetime_s=-60), "r", RefusalCode.TOKEN_EXPIRED),
            (altered(good), "r", RefusalCode.BAD_TOKEN),
            (good[:-2], "r", RefusalCode.BAD_TOKEN),
            ("x" * 1024, "r", RefusalCode.BAD_TOKEN),
            (good, "a%20b", RefusalCode.BAD_ROOM_NAME),
        ):
            assert await refusal_of(server, token, room) is code
        health = (await server.ask("GET", "/healthz")).json()
        assert health == {"status": "ok", "rooms": 0, "peers": 0}


async def test_seat_secret_opens_no_seat_without_a_token() -> None:
    async with guarded_server() as server:
        async with connect(f"{server.url}/rooms/r", proxy=None) as socket:
            mine = await seated(socket, server.token())
            assert await refusal_of(server, None, seat=mine.seat) is RefusalCode.NO_TOKEN


async def test_token_used_again_while_its_seat_is_taken_is_refused_and_the_first_peer_stays() -> None:
    async with guarded_server() as server:
        token = server.token("1")
        async with connect(f"{server.url}/rooms/r", proxy=None) as first:
            await seated(first, token)
            assert await refusal_of(server, token) is RefusalCode.SEAT_TAKEN
            assert await refusal_of(server, server.token("1")) is RefusalCode.SEAT_TAKEN
            async with connect(f"{server.url}/rooms/r", proxy=None) as second:
                assert (await seated(second, server.token("2"))).peer_present
            assert PeerJoined(role="caller").type in str(await first.recv())
        joined, _ = await server.knock(Join(role="call", token=token))
        assert isinstance(joined, Joined), "a link is good again once its peer has left"


async def test_token_and_secret_have_the_seat_back_on_another_connection() -> None:
    async with guarded_server() as server:
        token = server.token("2")
        async with connect(f"{server.url}/rooms/r", proxy=None) as first:
            mine = await seated(first, token)
            again, _ = await server.knock(Join(role="call", token=token, seat=mine.seat))
            assert isinstance(again, Joined)
            assert again.role == mine.role
            assert "came_back" in str(await first.recv())


async def test_token_finds_back_to_the_seat_of_a_lost_connection_without_the_secret() -> None:
    async with guarded_server() as server:
        token = server.token("1")
        async with connect(f"{server.url}/rooms/r", proxy=None) as first:
            mine = await seated(first, token)
            first.transport.abort()
        async with connect(f"{server.url}/rooms/r", proxy=None) as second:
            assert (await seated(second, token)).role == mine.role


async def test_token_for_one_join_is_refused_when_it_is_replayed() -> None:
    async with guarded_server(token_once=True) as server:
        token = server.token()
        async with connect(f"{server.url}/rooms/r", proxy=None) as first:
            mine = await seated(first, token)
            assert await refusal_of(server, token) is RefusalCode.TOKEN_USED
            again, _ = await server.knock(Join(role="call", token=token, seat=mine.seat))
            assert isinstance(again, Joined)
        assert await refusal_of(server, token) is RefusalCode.TOKEN_USED


async def test_web_page_of_another_origin_is_refused() -> None:
    async with guarded_server(allowed_origins="https://calls.example") as server:
        join = Join(role="call", token=server.token())
        answer, code = await server.knock(join, origin="https://evil.example")
        assert isinstance(answer, Refused)
        assert (answer.code, code) == (RefusalCode.FOREIGN_ORIGIN, RefusalCode.FOREIGN_ORIGIN.close_code)
        answer, _ = await server.knock(join, origin="https://calls.example")
        assert isinstance(answer, Joined)


async def test_peers_of_the_version_before_still_meet() -> None:
    async with guarded_server() as server:
        async with connect(f"{server.url}/rooms/r", proxy=None) as socket:
            await socket.send('{"type":"join","role":"call","token":"' + server.token() + '","version":2}')
            assert set(json.loads(await socket.recv())) == {"type", "room", "role", "peer_present", "seat"}


async def test_client_joins_with_a_token_and_learns_what_the_server_wants() -> None:
    async with guarded_server(report_each_s=7) as server:
        async with await SignalingClient.join(server.url, "r", "sender", token=server.token()) as client:
            assert client.report_each_s == 7
        with pytest.raises(Refusal, match="expected a link with a token") as refused:
            await SignalingClient.join(server.url, "r", "sender")
        assert refused.value.code is RefusalCode.NO_TOKEN


async def test_socket_is_closed_after_a_refusal() -> None:
    async with guarded_server() as server, connect(f"{server.url}/rooms/r", proxy=None) as socket:
        await socket.send(Join(role="call").model_dump_json())
        await socket.recv()
        assert await close_code(socket) == RefusalCode.NO_TOKEN.close_code
