"""ways.py: which servers are used, and where they come from."""

import asyncio
from typing import Any

import pytest
from aiortc import RTCIceServer

from signaling.errors import SettingError
from signaling.settings import TransportSettings
from signaling.ways import MOST_BYTES, Ways, parse_ice_server
from tests.signaling.guarded import TURN, guarded_server

UDP, TLS = "turn:192.0.2.9:3478?transport=udp", "turns:192.0.2.9:5349?transport=tcp"


def test_ice_server_is_read_with_its_user_and_password() -> None:
    assert parse_ice_server("stun:host:3478") == RTCIceServer(["stun:host:3478"])
    read = parse_ice_server("turn:1790000000%3Aroom.1:a%2Fb=@host:1?transport=tcp")
    assert read == RTCIceServer(["turn:host:1?transport=tcp"], "1790000000:room.1", "a/b=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "http://host",
        "turn:host:1",
        "turn:user@host",
        "stun:a:b@host",
        "turns:a:b@host?transport=udp",
        "turn:a:b@",
    ],
)
def test_what_is_no_ice_server_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(SettingError, match="expected an ICE server like stun:HOST:PORT") as refused:
        Ways(TransportSettings(ice_servers=(text,)))
    assert "a:b" not in str(refused.value)


def test_next_turn_server_is_tried_after_one_that_failed() -> None:
    ways = Ways(TransportSettings(ice_servers=("stun:s:1", "turn:a:b@t:1", "turns:a:b@t:2")))
    tried = []
    for _ in range(3):
        tried.append([server.urls[0] for server in ways.servers()])
        ways.failed()
    assert tried == [["stun:s:1", "turn:t:1"], ["stun:s:1", "turns:t:2"], ["stun:s:1", "turn:t:1"]]


def test_kind_of_turn_server_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_TURN_TRANSPORT", "tls")
    monkeypatch.setenv("FACEWIRE_ICE_SERVERS", "turn:a:b@t:1,turns:a:b@t:2")
    assert [server.urls for server in Ways().servers()] == [["turns:t:2"]]


async def test_relay_only_without_a_relay_says_what_to_do() -> None:
    ways = Ways(TransportSettings(relay_only=True, ice_servers=("stun:s:1",)))
    with pytest.raises(SettingError, match="expected a TURN server to relay the call.*--ice-server turn:"):
        ways.make_peer()


async def test_relay_only_offers_no_address_of_this_machine() -> None:
    ways = Ways(TransportSettings(relay_only=True, ice_servers=("turn:a:b@127.0.0.1:9",)))
    peer = ways.make_peer()
    try:
        offer = await peer.offer()
    finally:
        await peer.close()
    assert "typ host" not in offer


@pytest.mark.network
async def test_servers_are_learned_with_the_links_token_and_kept_while_they_are_good() -> None:
    now_s = 0.0
    async with guarded_server(**TURN, turn_credential_s=600) as server:
        ways = Ways(TransportSettings(), now=lambda: now_s)
        for at_s in (0.0, 299.0, 301.0):
            now_s = at_s
            await ways.learn(server.url, server.token())
            page = (await server.ask("GET", "/metrics")).text
            assert f"facewire_ice_lists_total {1 if at_s < 300 else 2}.0" in page
        (turn,) = ways.servers()
        assert turn.urls == [UDP]
        assert turn.username is not None
        assert turn.username.endswith(":r.1")
        ways.failed()
        assert ways.servers()[0].urls == [TLS]


@pytest.mark.network
async def test_call_goes_on_without_servers_that_cannot_be_learned(caplog: pytest.LogCaptureFixture) -> None:
    async with guarded_server() as server:
        ways = Ways(TransportSettings())
        await ways.learn(server.url, server.token(lifetime_s=-60))
        assert "HTTP status 401" in caplog.text
    await ways.learn(server.url, server.token())
    assert ways.servers() == []
    await ways.learn(server.url, None)
    assert not any(server.token()[:20] in record.getMessage() for record in caplog.records)


@pytest.mark.network
async def test_answer_without_end_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        try:
            while True:
                writer.write(b" " * 16384)
                await writer.drain()
                sent += 16384
        except ConnectionError:
            pass

    endless: Any = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with endless:
        await Ways(TransportSettings()).learn(f"ws://127.0.0.1:{endless.sockets[0].getsockname()[1]}", "token")
    assert f"more than {MOST_BYTES} bytes" in caplog.text
    assert sent < 200 * MOST_BYTES
