"""Calls set up over two servers of which one is killed in the midst: `python -m benchmarks.signaling --kill`.

The peers say what those of a call say until the media's own way is found: an offer and its answer (call/dialling.py).
A peer that loses its server takes its seat again, by the secret that it chose, on the other one.
"""

import asyncio
import random
import secrets
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.signaling_load import running
from signaling.client import SignalingClient
from signaling.errors import Refusal, SignalingError
from signaling.messages import Description, PeerJoined, ServerMessage

AGAIN_S: Final = 0.5
OFFER_EACH_S: Final = 2.0
SDP: Final = "v=0\r\n" + "a=candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host\r\n" * 10
LIMIT_S: Final = 120.0


@dataclass(frozen=True)
class Outcome:
    """What became of the calls."""

    calls: int
    before: int
    """Set up when the server was killed."""
    broken: int
    """Times that a peer lost it after that, or found it gone, before its call was set up."""
    set_up_s: float | None
    """Seconds from there until all were; None: some never were."""

    @property
    def words(self) -> str:
        """Say it in a line."""
        if self.set_up_s is None:
            return f"not all of {self.calls} calls were set up within {LIMIT_S:g} s after one of two servers was killed"
        return (
            f"{self.calls} calls over two servers, one killed when {self.before} were set up, which the peers of the "
            f"others met {self.broken} times: all set up after another {self.set_up_s:.1f} s"
        )


class Setup:
    """Two peers on their way into one call, each at a server of its choice."""

    def __init__(self, room: str, servers: list[str], chance: random.Random) -> None:
        self._room = room
        self._servers = servers
        self._chance = chance
        self.broken = 0
        self.done = asyncio.Event()

    async def peer(self) -> None:
        """Sit, offer or answer, until the call is set up; come back whenever the server is lost."""
        seat = secrets.token_hex(16)
        await asyncio.sleep(self._chance.random())
        while not self.done.is_set():
            try:
                async with await SignalingClient.join(
                    self._chance.choice(self._servers), self._room, "call", timeout_s=3.0, seat=seat
                ) as client:
                    await self._talk(client)
            except SignalingError as error:
                if isinstance(error, Refusal) and not error.code.passing:
                    raise
                self.broken += 1
                await asyncio.sleep(AGAIN_S)

    async def _talk(self, client: SignalingClient) -> None:
        call = ""
        if client.role == "caller" and client.peer_present:
            call = await _offer(client)
        while not self.done.is_set():
            message = await self._hear(client)
            if isinstance(message, Description) and message.kind == "offer":
                await client.send(Description(kind="answer", call=message.call, sdp=SDP))
            elif isinstance(message, Description) and message.call == call:
                self.done.set()
            elif client.role == "caller" and (message is None or isinstance(message, PeerJoined)):
                call = await _offer(client)

    async def _hear(self, client: SignalingClient) -> ServerMessage | None:
        """Wait for a message; None after a while, or where the call is set up."""
        hearing = asyncio.create_task(client.receive())
        ended = asyncio.create_task(self.done.wait())
        try:
            await asyncio.wait((hearing, ended), timeout=OFFER_EACH_S, return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else None
        finally:
            for task in (hearing, ended):
                task.cancel()
            await asyncio.gather(hearing, ended, return_exceptions=True)


async def _offer(client: SignalingClient) -> str:
    call = secrets.token_hex(8)
    await client.send(Description(kind="offer", call=call, sdp=SDP))
    return call


async def kill_in_the_midst(calls: int, seed: int = 1) -> Outcome:
    """Set calls up, kill one of two servers when a third of them stands, wait for all."""
    with running(2, shared=True) as servers:
        chance = random.Random(seed)
        setups = [Setup(f"kill-{number}", [each.url for each in servers], chance) for number in range(calls)]
        tasks = [asyncio.create_task(setup.peer()) for setup in setups for _ in range(2)]
        try:
            while (before := sum(setup.done.is_set() for setup in setups)) < calls / 3:  # noqa: ASYNC110, of many
                await asyncio.sleep(0.005)
            servers[0].kill()
            began_s, broken = time.monotonic(), sum(setup.broken for setup in setups)
            async with asyncio.timeout(LIMIT_S):
                await asyncio.gather(*tasks)
            set_up_s: float | None = time.monotonic() - began_s
        except TimeoutError:
            set_up_s = None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return Outcome(calls, before, sum(setup.broken for setup in setups) - broken, set_up_s)
