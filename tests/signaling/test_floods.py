"""Load at the doors: floods, silence, half-open sockets. Each is refused with its code, and memory stays flat."""

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from signaling.client import SignalingClient
from signaling.errors import Refusal, RefusalCode
from signaling.messages import Description, Join, Joined, PeerLeft, Refused, Report, parse_server_message
from tests.signaling.guarded import close_code, guarded_server, seated
from tests.signaling.running import running_server

pytestmark = pytest.mark.network
OFFER = Description(kind="offer", call="0" * 16, sdp="v=0")


async def refused_with(socket: ClientConnection) -> RefusalCode:
    """Read until the refusal; fails where the socket closes without one or with another's code."""
    while not isinstance(message := parse_server_message(await socket.recv()), Refused):
        pass
    assert await close_code(socket) == message.code.close_code
    return message.code


async def test_message_flood_is_put_out_and_the_other_seat_told() -> None:
    async with running_server(messages_per_s=2) as url, await SignalingClient.join(url, "r", "receiver") as other:
        async with connect(f"{url}/rooms/r", proxy=None) as socket:
            await seated(socket, role="sender")
            for _ in range(30):
                await socket.send(OFFER.model_dump_json())
            assert await refused_with(socket) is RefusalCode.TOO_MANY_MESSAGES
        passed = 0
        while not isinstance(message := await other.receive(), PeerLeft):
            passed += isinstance(message, Description)
        assert passed <= 20


async def test_description_with_thousands_of_candidates_is_refused_and_not_passed_on() -> None:
    many = "v=0\r\n" + "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n" * 1200
    async with running_server() as url, await SignalingClient.join(url, "r", "receiver") as other:
        async with connect(f"{url}/rooms/r", proxy=None) as socket:
            await seated(socket, role="sender")
            await socket.send(OFFER.model_copy(update={"sdp": many}).model_dump_json())
            assert await refused_with(socket) is RefusalCode.BAD_DESCRIPTION
        kinds = [type(await other.receive()).__name__ for _ in range(2)]
        assert kinds == ["PeerJoined", "PeerLeft"]


async def test_joins_of_one_address_are_limited_whatever_it_says_of_itself() -> None:
    async with running_server(joins_per_min=3) as url:
        for index in range(3):
            async with await SignalingClient.join(url, f"r{index}", "sender"):
                pass
        for forged in ({}, {"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}):
            async with connect(f"{url}/rooms/r", proxy=None, additional_headers=forged) as socket:
                assert await refused_with(socket) is RefusalCode.TOO_MANY_JOINS
        with pytest.raises(Refusal, match="at most 3 joins a minute") as refused:
            await SignalingClient.join(url, "r", "sender")
        assert refused.value.code.passing


async def test_joins_are_counted_by_the_address_that_a_named_proxy_tells() -> None:
    async with running_server(joins_per_min=1, trusted_proxies="127.0.0.0/8") as url:
        for address, answer in (("192.0.2.1", Joined), ("192.0.2.2", Joined), ("192.0.2.1", Refused)):
            headers = {"X-Forwarded-For": address}
            async with connect(f"{url}/rooms/{address[-1]}", proxy=None, additional_headers=headers) as socket:
                if answer is Joined:
                    await seated(socket)
                else:
                    assert await refused_with(socket) is RefusalCode.TOO_MANY_JOINS


async def test_socket_beyond_the_limit_is_refused_in_words() -> None:
    async with running_server(max_sockets=2) as url:
        async with connect(f"{url}/rooms/a", proxy=None), connect(f"{url}/rooms/b", proxy=None):
            await asyncio.sleep(0.1)
            with pytest.raises(Refusal, match="fewer than 2 connections") as refused:
                await SignalingClient.join(url, "r", "sender")
            assert refused.value.code is RefusalCode.TOO_MANY_SOCKETS


async def test_peer_alone_for_too_long_is_put_out_and_two_are_not() -> None:
    async with running_server(idle_s=0.3) as url:
        async with connect(f"{url}/rooms/alone", proxy=None) as socket:
            await seated(socket)
            assert await refused_with(socket) is RefusalCode.IDLE
        async with await SignalingClient.join(url, "r", "sender") as one:
            async with await SignalingClient.join(url, "r", "receiver") as two:
                for peer in (one, two):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(_only_presence(peer), 0.6)
            with pytest.raises(Refusal, match=r"nobody came"):
                await _only_presence(one)


async def _only_presence(client: SignalingClient) -> None:
    while True:
        await client.receive()


async def test_seat_that_is_held_for_too_long_is_put_out_and_kept() -> None:
    async with guarded_server(lifetime_s=0.2) as server:
        async with connect(f"{server.url}/rooms/r", proxy=None) as socket:
            mine = await seated(socket, server.token())
            assert await refused_with(socket) is RefusalCode.LIFETIME_OVER
        again, _ = await server.knock(Join(role="call", token=server.token(), seat=mine.seat))
        assert isinstance(again, Joined)


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return await reader.read()


@pytest.mark.parametrize(
    "said", [b"", b"GET /rooms/r HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
async def test_connection_that_never_finishes_its_request_is_closed(said: bytes) -> None:
    async with running_server(join_timeout_s=0.3) as url:
        host, port = url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        await _until_closed(reader)
        writer.close()


async def test_request_that_comes_letter_by_letter_is_closed() -> None:
    async with running_server(join_timeout_s=0.3) as url:
        host, port = url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))

        async def dribble() -> None:
            while True:
                writer.write(b"G")
                await asyncio.sleep(0.05)

        dribbling = asyncio.create_task(dribble())
        try:
            await _until_closed(reader)
        except ConnectionResetError:
            pass  # closed, while a letter was under way
        finally:
            dribbling.cancel()
            writer.close()


async def test_half_open_socket_is_noticed_and_the_other_seat_told() -> None:
    async with running_server(ping_interval_s=0.3) as url, await SignalingClient.join(url, "r", "receiver") as other:
        socket = await connect(f"{url}/rooms/r", proxy=None)
        await seated(socket, role="sender")
        socket.transport.pause_reading()  # from here on no ping is answered, and nothing says that it has gone
        async with asyncio.timeout(10):
            while not isinstance(await other.receive(), PeerLeft):
                pass
        socket.transport.abort()


async def test_report_is_counted_and_nobody_else_hears_of_it() -> None:
    async with guarded_server() as server:
        async with await SignalingClient.join(server.url, "r", "receiver", token=server.token("1")) as other:
            async with await SignalingClient.join(server.url, "r", "sender", token=server.token("2")) as client:
                await client.send(Report(connect_s=0.7, call_s=30, sent_kbps=24.0, received_kbps=25.5, relayed=True))
                await client.send(OFFER)
                assert [type(await other.receive()).__name__ for _ in range(2)] == ["PeerJoined", "Description"]
                page = (await server.ask("GET", "/metrics")).text
        assert 'facewire_call_minutes_total{way="relayed"} 0.5' in page
        assert 'facewire_connect_seconds_bucket{le="1.0"} 1.0' in page
        assert "facewire_sent_kbps_sum 24.0" in page
        assert 'facewire_joins_total{role="sender"} 1.0' in page


async def test_memory_stays_flat_under_refusals() -> None:
    async with guarded_server(joins_per_min=1e6, requests_per_min=1e6) as server:

        async def knock(index: int) -> None:
            token: Any = (None, "x" * 1000, server.token(room="other"), server.token(lifetime_s=-60))[index % 4]
            answer, _ = await server.knock(Join(role="call", token=token), f"r{index}")
            assert isinstance(answer, Refused)

        for index in range(50):
            await knock(index)
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for index in range(50, 300):
                await knock(index)
            gc.collect()
            grown_bytes = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown_bytes < 250 * 400, "refused peers left something behind"
