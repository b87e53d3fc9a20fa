"""However and whenever a peer is closed: it returns soon, and leaves no task and no socket."""

import asyncio
import gc
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc import RTCIceServer

from signaling import peer as peer_module
from signaling.errors import ConnectFailed
from signaling.ice_hooks import IP_UDP_BYTES
from signaling.peer import Peer
from signaling.tasks import for_ever
from tests.loopback.bad_network import BadNetwork
from tests.loopback.meeting import joined, until

pytestmark = pytest.mark.network


def sockets() -> int:
    """How many sockets this process holds."""
    kinds = []
    for name in os.listdir("/proc/self/fd"):
        try:
            kinds.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue  # the one that lists the folder
    return sum(kind.startswith("socket:") for kind in kinds)


@asynccontextmanager
async def nothing_left() -> AsyncIterator[list[Any]]:
    """Check that the block leaves no task, no socket and no unheard error; yields the errors so far."""
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    tasks, open_sockets = asyncio.all_tasks(), sockets()
    yield problems
    try:
        await until(lambda: asyncio.all_tasks() <= tasks and sockets() <= open_sockets)
    except TimeoutError:
        pytest.fail(f"left: {asyncio.all_tasks() - tasks} and {sockets() - open_sockets} sockets")
    gc.collect()  # errors that nobody took are told when their task is forgotten
    await asyncio.sleep(0)
    assert problems == []


async def connect_and_talk(first: Peer, second: Peer) -> None:
    await first.accept(await second.answer(await first.offer()))
    await asyncio.gather(first.wait_open(5), second.wait_open(5))
    while True:
        first.send_media(bytes(20))
        second.send_media(bytes(20))
        await first.control.send_chunk(0, bytes(3000))
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("seed", range(3))
async def test_close_at_any_moment_leaves_nothing(seed: int) -> None:
    chance = random.Random(seed)
    async with nothing_left():
        for _ in range(8):
            first, second = Peer(tuned=True), Peer(tuned=True)
            talking = asyncio.create_task(connect_and_talk(first, second))
            await asyncio.sleep(chance.uniform(0, 0.1))
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            await first.close()
            await asyncio.sleep(chance.uniform(0, 0.02))
            await second.close()


async def test_close_while_checks_complete_asks_for_consent_no_more() -> None:
    first, second = Peer(), Peer()
    async with nothing_left():
        await first.accept(await second.answer(await first.offer()))
        ice = first._connection.sctp.transport.transport._connection  # type: ignore[union-attr]
        await until(lambda: bool(ice._nominated))  # the checks are done, connect() has not returned yet
        await asyncio.gather(first.close(), second.close())


async def test_close_while_a_stun_server_does_not_answer() -> None:
    async with nothing_left():
        peer = Peer(ice_servers=[RTCIceServer("stun:127.0.0.1:9")])
        offering = asyncio.create_task(peer.offer())
        await asyncio.sleep(0.05)
        offering.cancel()
        await asyncio.gather(offering, return_exceptions=True)
        await peer.close()


async def test_close_when_the_other_side_is_dead_does_not_wait_for_it() -> None:
    networks = BadNetwork(1, loss=1.0), BadNetwork(2, loss=1.0)
    async with nothing_left():
        first, second = Peer(impair=networks[0], tuned=True), Peer(impair=networks[1], tuned=True)
        async with joined(first, second):
            for network in networks:
                network.bad = True
            await first.control.send_chunk(0, bytes(16000))
            async with asyncio.timeout(1.0):
                await first.close()
                await second.close()


async def test_close_twice_at_once_and_again() -> None:
    first, second = Peer(), Peer()
    async with nothing_left():
        async with joined(first, second):
            await asyncio.gather(first.close(), first.close())
            await first.close()
            await asyncio.wait_for(second.closed.wait(), 2)


async def test_close_of_a_peer_that_never_connected() -> None:
    async with nothing_left():
        peer = Peer()
        await peer.close()
        with pytest.raises(ConnectFailed):
            await peer.wait_open(1)


async def test_close_that_is_cancelled_closes_all_the_same() -> None:
    first, second = Peer(), Peer()
    async with nothing_left():
        async with joined(first, second):
            closing = asyncio.create_task(first.close())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            await asyncio.wait_for(second.closed.wait(), 2)


async def test_close_of_a_socket_that_is_stuck_cuts_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "CLOSE_TIMEOUT_S", 0.2)
    first, second = Peer(), Peer()
    async with nothing_left():
        async with joined(first, second):
            ice = first._connection.sctp.transport.transport._connection  # type: ignore[union-attr]
            for protocol in ice._protocols:
                # as when a send buffer never drains: the socket says "closed" only once it is aborted
                real: Any = protocol.transport
                monkeypatch.setattr(real._transport, "close", lambda: None)
            await asyncio.wait_for(first.close(), 2)
            assert first._closing is not None
            await until(first._closing.done)


async def test_close_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "CLOSE_TIMEOUT_S", 0.1)
    monkeypatch.setattr(peer_module, "ABORT_TIMEOUT_S", 0.1)
    first, second = Peer(), Peer()
    async with joined(first, second):
        monkeypatch.setattr(first._connection.sctp, "stop", for_ever)
        await asyncio.wait_for(first.close(), 2)
        assert first._closing is not None
        await until(first._closing.done)
        assert first._closing.cancelled()


async def test_tap_is_live_in_both_directions() -> None:
    first, second = Peer(), Peer()
    async with joined(first, second):
        before = first.tap.sent.bytes, second.tap.received.bytes
        got: list[bytes] = []
        second.on_media = got.append
        first.send_media(bytes(40))
        await until(lambda: got != [])
        for was, now in zip(before, (first.tap.sent.bytes, second.tap.received.bytes), strict=True):
            assert now - was >= 40 + IP_UDP_BYTES
