"""client.py against servers that are not there, are something else, or go away."""

import asyncio
import socket

import pytest

from signaling.client import SignalingClient
from signaling.errors import NobodyCame, Refusal, ServerLost, ServerUnreachable
from tests.signaling.running import running_server

pytestmark = pytest.mark.network


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_join_no_server_says_how_to_start_one() -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    with pytest.raises(ServerUnreachable, match=f"expected a signaling server at {url}.*refused.*facewire signal"):
        await SignalingClient.join(url, "r", "sender")


@pytest.mark.parametrize("server", ["127.0.0.1:8765", "http://127.0.0.1:1", "", "ws://", "ws://127.0.0.1:99999"])
async def test_join_address_that_is_none_is_a_clear_error(server: str) -> None:
    with pytest.raises(ServerUnreachable, match="expected a"):
        await SignalingClient.join(server, "r", "sender")


async def test_join_a_web_server_that_knows_no_rooms_is_a_clear_error() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    web = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with web:
        port = web.sockets[0].getsockname()[1]
        with pytest.raises(ServerUnreachable, match="HTTP status 404"):
            await SignalingClient.join(f"ws://127.0.0.1:{port}", "r", "sender")


async def test_join_a_server_that_says_nothing_times_out() -> None:
    held: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(ServerUnreachable, match="timed out"):
            await SignalingClient.join(f"ws://127.0.0.1:{port}", "r", "sender", timeout_s=0.1)
        for writer in held:
            writer.close()


async def test_join_bad_room_name_is_refused_before_any_server_is_asked() -> None:
    with pytest.raises(Refusal, match="expected a room name of 1 to 64 letters.*'my room'"):
        await SignalingClient.join(f"ws://127.0.0.1:{free_port()}", "my room", "sender")


async def test_wait_for_peer_nobody_came() -> None:
    async with running_server() as url, await SignalingClient.join(url, "r", "receiver") as client:
        with pytest.raises(NobodyCame, match="expected a sender in room 'r' within 0.05 s, nobody came"):
            await client.wait_for_peer(0.05)


async def test_receive_server_stops() -> None:
    async with running_server() as url:
        client = await SignalingClient.join(url, "r", "receiver")
    with pytest.raises(Refusal, match="about to stop: calls under way go on") as refused:
        await client.receive()
    assert refused.value.code.passing
    with pytest.raises(ServerLost, match="expected the signaling server at .* to stay"):
        await client.receive()
    await client.close()
