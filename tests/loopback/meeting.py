"""Two real peers in one process, that meet through a real server or without one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from signaling.client import SignalingClient
from signaling.ice_hooks import Impair
from signaling.peer import Peer, answer_sender, call_receiver
from tests.signaling.running import running_server


@asynccontextmanager
async def joined(first: Peer, second: Peer) -> AsyncIterator[None]:
    """Connect two peers without a server; closed again at the end."""
    try:
        await first.accept(await second.answer(await first.offer()))
        await asyncio.gather(first.wait_open(5), second.wait_open(5))
        yield
    finally:
        await asyncio.gather(first.close(), second.close())


@asynccontextmanager
async def two_peers(
    to_sender: Impair | None = None, to_receiver: Impair | None = None
) -> AsyncIterator[tuple[Peer, Peer]]:
    """Yield (sender, receiver), both channels open; each direction may go through a bad network."""
    async with running_server() as url:
        async with (
            await SignalingClient.join(url, "r", "receiver") as receiving,
            await SignalingClient.join(url, "r", "sender") as sending,
        ):
            sender, receiver = await asyncio.gather(
                call_receiver(sending, lambda: Peer(impair=to_sender), 5),
                answer_sender(receiving, lambda: Peer(impair=to_receiver), 5),
            )
            try:
                yield sender, receiver
            finally:
                await sender.close()
                await receiver.close()


async def until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    """Wait until something is so. Fails after `limit_s`."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110, there is no event for what only the test asks
            await asyncio.sleep(0.005)
