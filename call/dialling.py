"""From a seat in a room to a connection, again and again until somebody hangs up.

Plain rules, so that both sides come together whatever either of them noticed first:

    a connection is lost, the network changed, signaling is lost    take the seat again, with its secret
    the other side took its seat (again)                            the caller offers
    an offer comes                                                  the callee answers, whatever it believed before
    an attempt finds no way in a few seconds                        the caller offers again
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from call.attempt import Attempt
from call.network import NetworkWatch
from call.prospects import Prospects
from receiver.errors import ReceiverError
from signaling.client import SignalingClient
from signaling.errors import (
    CallRefused,
    ConnectFailed,
    ControlError,
    Mismatch,
    PeerGone,
    Refusal,
    RefusalCode,
    ServerLost,
    SignalingError,
)
from signaling.messages import Description, PeerJoined, PeerLeft, ServerMessage

if TYPE_CHECKING:
    from call.engine import Engine

REJOIN_EACH_S: Final = 1.0
JOIN_TIMEOUT_S: Final = 3.0
PATIENCE_S: Final = 8.0
"""A callee that hears no offer for so long while the other side is there takes its seat again: signaling may be dead
without a word."""
LOOK_EACH_S: Final = 0.25
NETWORK_EACH_S: Final = 1.0


class _Again(Exception):
    """Take the seat again."""


class Dialling:
    """One engine's way through its call."""

    def __init__(self, engine: "Engine", network: NetworkWatch) -> None:
        self._engine = engine
        self._network = network
        self._prospects = Prospects(engine)
        self._secret: str | None = None
        self._answers: asyncio.Queue[Description] = asyncio.Queue()
        self._attempt: asyncio.Task[str] | None = None
        self._deaf = False
        """Whether signaling is lost, beside a connection that stands: it goes on without."""
        self._closing = False

    async def run(self) -> str:
        """Call until somebody hangs up; returns in words who. Raises SignalingError, ReceiverError."""
        client = await self._join(first=True)
        try:
            await self._learn_ways()
            while True:
                try:
                    return await self._sit(client)
                except _Again:
                    await self._end_attempt()
                    fresh, old = await self._join(first=False), client
                    client = fresh
                    await old.close()
        finally:
            self._closing = True
            await self._end_attempt()
            await client.close()

    async def _join(self, first: bool) -> SignalingClient:
        """Take the seat. The first time an error is the end; later it is tried until there is no hope."""
        link = self._engine.link
        while True:
            try:
                client = await SignalingClient.join(
                    link.server, link.room, "call", JOIN_TIMEOUT_S if not first else 10.0, self._secret, link.token
                )
                self._secret = client.seat
                self._deaf = False
                return client
            except SignalingError as error:
                if first or (isinstance(error, Refusal) and not error.code.passing):
                    raise
                self._prospects.check()
                self._prospects.no_signaling()
                await asyncio.sleep(REJOIN_EACH_S)

    async def _sit(self, client: SignalingClient) -> str:
        """Hold the seat; returns why the call ended. Raises _Again when the seat is to be taken anew."""
        reader: asyncio.Task[ServerMessage] | None = None
        self._prospects.presence(client.peer_present)
        self._begin_attempt(client)
        heard_s = looked_s = self._engine.now()
        try:
            while True:
                if reader is None and not self._deaf:
                    reader = asyncio.create_task(client.receive(), name="signaling")
                waits: list[asyncio.Task[Any]] = [task for task in (reader, self._attempt) if task is not None]
                await asyncio.wait(waits, timeout=LOOK_EACH_S, return_when=asyncio.FIRST_COMPLETED)
                if reader is not None and reader.done():
                    heard_s = self._engine.now()
                    task, reader = reader, None
                    await self._take(client, task)
                if self._attempt is not None and self._attempt.done():
                    heard_s = self._engine.now()
                    ended = self._judge(client, self._attempt)
                    if ended is not None:
                        return ended
                if self._engine.now() - looked_s >= NETWORK_EACH_S:
                    looked_s = self._engine.now()
                    await self._look_at_network()
                if self._attempt is None:
                    self._prospects.check()
                    if self._prospects.left:
                        return "the other side left"
                    if client.peer_present and self._engine.now() - heard_s > PATIENCE_S:
                        raise _Again
        finally:
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def _take(self, client: SignalingClient, task: "asyncio.Task[ServerMessage]") -> None:
        """Act on what signaling says. A lost server is no reason to end a connection that stands."""
        try:
            message = task.result()
        except SignalingError as error:
            if isinstance(error, Refusal) and not (error.code.passing or self._may_go_on(error)):
                raise
            if self._talking:
                self._deaf = True
                return
            self._prospects.lost(str(error))
            raise _Again from None
        if isinstance(message, PeerJoined):
            self._prospects.presence(True)
            if client.role == "caller":
                await self._make_way()
                self._begin_attempt(client)
        elif isinstance(message, PeerLeft):
            self._prospects.presence(False)
        elif isinstance(message, Description) and message.kind == "offer":
            await self._make_way()
            self._attempt = asyncio.create_task(self._new_attempt(client).answer(message), name="answer")
        elif isinstance(message, Description):
            self._answers.put_nowait(message)

    def _may_go_on(self, refusal: Refusal) -> bool:
        """Whether a call that stands outlives this refusal: all but that we are here again on another connection."""
        return self._talking and refusal.code is not RefusalCode.CAME_BACK

    def _judge(self, client: SignalingClient, attempt: "asyncio.Task[str]") -> str | None:
        """What follows from the end of an attempt: the end of the call, another one, or the seat taken again."""
        self._attempt = None
        conversation = self._engine.conversation
        self._engine.conversation = None
        self._engine.screen.smoother = None
        try:
            return attempt.result()
        except (Mismatch, CallRefused, ControlError, ReceiverError):
            raise
        except ServerLost as error:
            self._prospects.lost(str(error))
            raise _Again from None
        except (ConnectFailed, PeerGone, TimeoutError) as error:
            if isinstance(error, ConnectFailed):
                self._engine.ways.failed()
            if conversation is not None:
                self._prospects.lost(str(error), closed_by_them=conversation.closed_by_them)
            else:
                self._prospects.lost_still(str(error))
            if conversation is not None or self._deaf:
                raise _Again from None
            self._prospects.check()
            self._begin_attempt(client)
            return None

    @property
    def _talking(self) -> bool:
        return self._engine.conversation is not None and self._engine.conversation.standing

    def _begin_attempt(self, client: SignalingClient) -> None:
        """The caller offers as soon as somebody is there to answer."""
        if client.peer_present and client.role == "caller" and self._attempt is None:
            self._attempt = asyncio.create_task(self._new_attempt(client).offer(self._answers), name="offer")

    def _new_attempt(self, client: SignalingClient) -> Attempt:
        return Attempt(self._engine, client, self._prospects, lambda: self._closing)

    async def _make_way(self) -> None:
        """End what there is, for a new attempt that the other side wants: it lost this connection, or moved."""
        if self._talking:
            self._prospects.lost("the other side lost this connection: connecting again")
        await self._end_attempt()

    async def _end_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.gather(self._attempt, return_exceptions=True)
            self._attempt = None
            self._engine.conversation = None
            self._engine.screen.smoother = None

    async def _learn_ways(self) -> None:
        await self._engine.ways.learn(self._engine.link.server, self._engine.link.token)

    async def _look_at_network(self) -> None:
        """Begin anew when this machine moved. Another of its addresses may come and go beside a call that stands."""
        conversation = self._engine.conversation
        if not self._network.changed() or (conversation is not None and not conversation.peer.address_gone):
            return
        self._prospects.lost("this machine's network changed")
        await self._end_attempt()
        raise _Again
