"""app.py through a real server and real sockets, one behaviour a test."""

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from signaling.client import SignalingClient
from signaling.errors import Refusal, RefusalCode
from signaling.messages import Description, PeerJoined, PeerLeft
from tests.signaling.running import running_server

pytestmark = pytest.mark.network
OFFER = Description(kind="offer", call="0123456789abcdef", sdp="v=0 " + "x" * 3000)


async def test_healthz_counts_rooms_and_peers() -> None:
    async with running_server() as url, httpx.AsyncClient(trust_env=False) as http:
        async with await SignalingClient.join(url, "a", "sender"):
            answer = await http.get(url.replace("ws", "http", 1) + "/healthz")
        assert answer.json() == {"status": "ok", "rooms": 1, "peers": 1}


async def test_readyz_of_a_server_that_runs_alone_is_always_ready() -> None:
    async with running_server() as url, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url.replace("ws", "http", 1) + "/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "trouble": None})


async def test_join_both_seats_hear_of_each_other() -> None:
    async with running_server() as url, await SignalingClient.join(url, "r", "receiver") as receiver:
        presence = [receiver.peer_present]
        async with await SignalingClient.join(url, "r", "sender") as sender:
            assert sender.peer_present
            assert await receiver.receive() == PeerJoined(role="sender")
            presence.append(receiver.peer_present)
        assert await receiver.receive() == PeerLeft(role="sender")
        presence.append(receiver.peer_present)
        assert presence == [False, True, False]


async def test_description_reaches_the_other_seat_unchanged_and_no_other_room() -> None:
    async with running_server() as url:
        async with (
            await SignalingClient.join(url, "r", "receiver") as receiver,
            await SignalingClient.join(url, "other", "receiver") as stranger,
            await SignalingClient.join(url, "r", "sender") as sender,
        ):
            await receiver.receive()
            await sender.send(OFFER)
            assert await receiver.receive() == OFFER
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stranger.receive(), 0.1)


async def test_description_to_an_empty_seat_is_dropped() -> None:
    async with running_server() as url, await SignalingClient.join(url, "r", "sender") as sender:
        await sender.send(OFFER)
        async with await SignalingClient.join(url, "r", "receiver") as receiver:
            assert await sender.receive() == PeerJoined(role="receiver")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receiver.receive(), 0.1)


async def test_third_peer_is_refused_and_the_two_stay() -> None:
    async with running_server() as url:
        async with (
            await SignalingClient.join(url, "r", "receiver") as receiver,
            await SignalingClient.join(url, "r", "sender") as sender,
        ):
            with pytest.raises(Refusal, match="room 'r' is full") as refusal:
                await SignalingClient.join(url, "r", "sender")
            assert refusal.value.code is RefusalCode.ROOM_FULL
            await receiver.receive()
            await sender.send(OFFER)
            assert await receiver.receive() == OFFER


async def test_room_with_a_bad_name_is_refused_in_words_with_a_close_code() -> None:
    async with running_server() as url, connect(f"{url}/rooms/a%20b/c", proxy=None) as socket:
        refused = json.loads(await socket.recv())
        assert refused["type"] == "refused"
        assert refused["code"] == "bad_room_name"
        assert "'a b/c'" in refused["reason"]
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == RefusalCode.BAD_ROOM_NAME.close_code


async def test_one_room_too_many_is_refused() -> None:
    async with running_server(max_rooms=1) as url, await SignalingClient.join(url, "a", "sender"):
        with pytest.raises(Refusal, match="fewer than 1 open rooms") as refusal:
            await SignalingClient.join(url, "b", "sender")
        assert refusal.value.code is RefusalCode.TOO_MANY_ROOMS


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{}", "bad_message", "expected a signaling message"),
        (OFFER.model_dump_json(), "bad_message", "expected a join message first"),
        (b"\x00", "bad_message", "got a binary one"),
        ('"' + "x" * 5000 + '"', "message_too_big", "at most 4096 bytes, got 5002"),
    ],
)
async def test_first_message_that_is_no_join_is_refused(text: str | bytes, code: str, words: str) -> None:
    async with running_server(max_message_bytes=4096) as url, connect(f"{url}/rooms/r", proxy=None) as socket:
        await socket.send(text)
        refused = json.loads(await socket.recv())
        assert refused["code"] == code
        assert words in refused["reason"]


async def test_message_far_too_big_closes_the_socket_and_frees_the_seat() -> None:
    async with running_server(max_message_bytes=1024) as url, connect(f"{url}/rooms/r", proxy=None) as socket:
        await socket.send('{"type": "join", "role": "sender"}')
        await socket.recv()
        await socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1009
        async with await SignalingClient.join(url, "r", "sender"):
            pass


async def test_peer_that_says_nothing_is_put_out() -> None:
    async with running_server(join_timeout_s=0.05) as url, connect(f"{url}/rooms/r", proxy=None) as socket:
        refused = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert refused["code"] == "join_timeout"


async def test_second_join_on_one_socket_is_refused_and_the_other_seat_told() -> None:
    async with running_server() as url, await SignalingClient.join(url, "r", "receiver") as receiver:
        async with connect(f"{url}/rooms/r", proxy=None) as socket:
            for _ in range(2):
                await socket.send('{"type": "join", "role": "sender"}')
            await socket.recv()
            assert json.loads(await socket.recv())["code"] == "bad_message"
        assert await receiver.receive() == PeerJoined(role="sender")
        assert await receiver.receive() == PeerLeft(role="sender")


async def test_peer_that_reads_nothing_is_put_out_while_the_other_floods() -> None:
    async with running_server(outbox_messages=4, send_timeout_s=0.2, messages_per_s=1e6) as url:
        slow = await connect(f"{url}/rooms/r", proxy=None, max_queue=1)
        await slow.send('{"type": "join", "role": "receiver"}')
        async with await SignalingClient.join(url, "r", "sender") as sender:
            big = OFFER.model_copy(update={"sdp": "x" * 60_000})

            async def flood() -> None:
                while True:
                    await sender.send(big)
                    await asyncio.sleep(0)

            flooding = asyncio.create_task(flood())
            try:
                async with asyncio.timeout(10):
                    while not isinstance(message := await sender.receive(), PeerLeft):
                        assert isinstance(message, PeerJoined)
            finally:
                flooding.cancel()
        slow.transport.abort()


async def test_seat_of_a_call_is_had_back_with_its_secret_while_the_old_socket_stands() -> None:
    async with running_server() as url:
        async with (
            await SignalingClient.join(url, "r", "call") as first,
            await SignalingClient.join(url, "r", "call") as second,
        ):
            assert (first.role, second.role) == ("callee", "caller")
            assert await first.receive() == PeerJoined(role="caller")
            with pytest.raises(Refusal, match="room 'r' is full"):
                await SignalingClient.join(url, "r", "call", seat="0" * 32)
            async with await SignalingClient.join(url, "r", "call", seat=second.seat) as again:
                assert (again.role, again.peer_present) == ("caller", True)
                with pytest.raises(Refusal, match="taken back"):
                    await second.receive()
                assert await first.receive() == PeerJoined(role="caller")
                await again.send(Description(kind="offer", call="0" * 16, sdp="v=0"))
                assert isinstance(await first.receive(), Description)
            assert await first.receive() == PeerLeft(role="caller")
