"""From a seat in a room to a connection, again and again until somebody hangs up.

Plain rules, so that both sides come together whatever either of them noticed first:

    a connection is lost, the network changed, signaling is lost    take the seat again, with its secret
    the other side took its seat (again)                            the caller offers
    an offer comes                                                  the callee answers, whatever it believed before
    an attempt finds no way in a few seconds                        the caller offers again
"""

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final

from call.conversation import Conversation
from call.network import NetworkWatch
from call.states import State
from receiver.errors import ReceiverError
from signaling.client import SignalingClient
from signaling.errors import (
    CallRefused,
    ConnectFailed,
    ControlError,
    Mismatch,
    NobodyCame,
    PeerGone,
    Refusal,
    RefusalCode,
    ServerLost,
    SignalingError,
)
from signaling.messages import Description, PeerJoined, PeerLeft, ServerMessage
from signaling.peer import Peer
from signaling.reporting import report_call
from signaling.tasks import first_to_end, for_ever

if TYPE_CHECKING:
    from call.engine import Engine

FIND_WAY_S: Final = 15.0
FIND_WAY_AGAIN_S: Final = (3.0, 6.0)
"""Until ICE has found a way, from the moment both descriptions are there: the first time, and in a call that lost its
way, at first and after some attempts. A network that comes back is found sooner by a new attempt than by an old one,
which asks ever more rarely."""
OPEN_S: Final = 15.0
"""From there until the channels are open: DTLS and SCTP repeat what is lost each second or later."""
ANSWER_S: Final = 5.0
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
        self._secret: str | None = None
        self._connected_once = False
        self._away_since_s: float | None = None
        self._lost_since_s: float | None = None
        self._lost_words = ""
        self._answers: asyncio.Queue[Description] = asyncio.Queue()
        self._attempt: asyncio.Task[str] | None = None
        self._deaf = False
        """Whether signaling is lost, beside a connection that stands: it goes on without."""
        self._closing = False
        self._attempts = 0

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
                self._check_hope()
                self._say_lost(f"{self._lost_words}; the signaling server cannot be reached either")
                await asyncio.sleep(REJOIN_EACH_S)

    async def _sit(self, client: SignalingClient) -> str:
        """Hold the seat; returns why the call ended. Raises _Again when the seat is to be taken anew."""
        reader: asyncio.Task[ServerMessage] | None = None
        self._note_presence(client.peer_present)
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
                    self._check_hope()
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
            self._say_lost(str(error))
            raise _Again from None
        if isinstance(message, PeerJoined):
            self._note_presence(True)
            if client.role == "caller":
                await self._end_attempt()
                self._begin_attempt(client)
        elif isinstance(message, PeerLeft):
            self._note_presence(False)
        elif isinstance(message, Description) and message.kind == "offer":
            await self._end_attempt()
            self._attempt = asyncio.create_task(self._answer(client, message), name="answer")
        elif isinstance(message, Description):
            self._answers.put_nowait(message)

    def _may_go_on(self, refusal: Refusal) -> bool:
        """Whether a call that stands outlives this refusal: all but that we are here again on another connection."""
        return self._talking and refusal.code is not RefusalCode.CAME_BACK

    def _judge(self, client: SignalingClient, attempt: "asyncio.Task[str]") -> str | None:
        """What follows from the end of an attempt: the end of the call, another one, or the seat taken again."""
        self._attempt = None
        talked = self._engine.conversation is not None
        self._engine.conversation = None
        self._engine.screen.smoother = None
        try:
            return attempt.result()
        except (Mismatch, CallRefused, ControlError, ReceiverError):
            raise
        except ServerLost as error:
            self._say_lost(str(error))
            raise _Again from None
        except (ConnectFailed, PeerGone, TimeoutError) as error:
            if isinstance(error, ConnectFailed):
                self._engine.ways.failed()
            self._say_lost(str(error) if talked or not self._lost_words else self._lost_words)
            if talked or self._deaf:
                raise _Again from None
            self._check_hope()
            self._begin_attempt(client)
            return None

    @property
    def _talking(self) -> bool:
        return self._engine.conversation is not None and self._engine.conversation.standing

    def _begin_attempt(self, client: SignalingClient) -> None:
        """The caller offers as soon as somebody is there to answer."""
        if client.peer_present and client.role == "caller" and self._attempt is None:
            self._attempt = asyncio.create_task(self._offer(client), name="offer")

    async def _end_attempt(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.gather(self._attempt, return_exceptions=True)
            self._attempt = None
            self._engine.conversation = None
            self._engine.screen.smoother = None

    async def _learn_ways(self) -> None:
        await self._engine.ways.learn(self._engine.link.server, self._engine.link.token)

    async def _offer(self, client: SignalingClient) -> str:
        await self._learn_ways()
        peer = self._engine.make_peer()
        try:
            offer = Description(kind="offer", call=secrets.token_hex(8), sdp=await peer.offer())
            await client.send(offer)
            async with asyncio.timeout(ANSWER_S):
                while (answer := await self._answers.get()).call != offer.call:
                    pass
            await peer.accept(answer.sdp)
            return await self._talk(peer, client)
        finally:
            await asyncio.shield(peer.close())

    async def _answer(self, client: SignalingClient, offer: Description) -> str:
        await self._learn_ways()
        peer = self._engine.make_peer()
        try:
            await client.send(Description(kind="answer", call=offer.call, sdp=await peer.answer(offer.sdp)))
            return await self._talk(peer, client)
        finally:
            await asyncio.shield(peer.close())

    async def _talk(self, peer: Peer, client: SignalingClient) -> str:
        """Wait until the connection stands, talk, and say goodbye where it is us who end it."""
        await peer.wait_way(self._find_way_s())
        await peer.wait_open(OPEN_S)
        engine = self._engine
        engine.way = "relayed" if peer.relayed else "direct"
        conversation = engine.conversation = Conversation(peer, client.role, engine, engine.clock)
        conversation.silence.left_its_seat(None)
        try:
            reason = await first_to_end(
                conversation.run(), self._note_standing(conversation), report_call(client, peer)
            )
            return f"the other side {reason}"
        except asyncio.CancelledError:
            if self._closing:
                await conversation.hang_up(engine.leave_reason)
            raise

    def _find_way_s(self) -> float:
        if not self._connected_once:
            return FIND_WAY_S
        self._attempts += 1
        shortest_s, longest_s = FIND_WAY_AGAIN_S
        return min(shortest_s + 0.5 * (self._attempts - 1), longest_s)

    async def _note_standing(self, conversation: Conversation) -> str:
        """Note when the connection stands, for as long as it does."""
        while not conversation.standing:  # noqa: ASYNC110, a flag of an object without events
            await asyncio.sleep(0.02)
        self._connected_once = True
        self._attempts = 0
        self._lost_since_s = None
        return await for_ever()

    async def _look_at_network(self) -> None:
        if self._network.changed():
            self._say_lost("this machine's network changed")
            await self._end_attempt()
            raise _Again

    def _note_presence(self, present: bool) -> None:
        """Note whether somebody sits on the other seat, and say so while nothing stands."""
        engine = self._engine
        now_s = engine.now()
        self._away_since_s = None if present else self._away_since_s or now_s
        conversation = engine.conversation
        if conversation is not None:
            conversation.silence.left_its_seat(None if present else engine.clock())
        if self._connected_once:
            if conversation is None:
                words = "connecting again" if present else "the other side left its seat; it is kept for a while"
                self._say_lost(words)
        elif present:
            engine.report(State.CONNECTING, "the other side is there")
        else:
            engine.report(State.WAITING, self._waiting_words)

    @property
    def _waiting_words(self) -> str:
        own = self._engine.link.token is not None
        return f"waiting for the other side{', who has a link of their own' if own else ': give it the link'}"

    def _say_lost(self, words: str) -> None:
        now_s = self._engine.now()
        self._lost_since_s = self._lost_since_s if self._lost_since_s is not None else now_s
        self._lost_words = words.split("; the signaling server")[0]
        self._engine.report(State.RECONNECTING if self._connected_once else State.CONNECTING, words)

    def _check_hope(self) -> None:
        """Raise when there is none: nobody came, or nobody comes back."""
        engine, settings = self._engine, self._engine.settings
        now_s = engine.now()
        if not self._connected_once:
            if self._away_since_s is not None and now_s - self._away_since_s > settings.wait_s:
                raise NobodyCame(
                    f"expected somebody to come within {settings.wait_s:g} s, nobody came: was the link given?"
                )
            return
        if self._away_since_s is not None and now_s - self._away_since_s > settings.away_s:
            raise PeerGone(f"the other side left and did not come back within {settings.away_s:g} s")
        if self._lost_since_s is not None and now_s - self._lost_since_s > settings.give_up_s:
            raise PeerGone(f"the connection was lost and could not be made again within {settings.give_up_s:g} s")
