"""One attempt to connect, and the conversation that comes of it."""

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from call.conversation import Conversation
from call.prospects import Prospects
from signaling.client import SignalingClient
from signaling.messages import Description
from signaling.peer import Peer
from signaling.reporting import report_call
from signaling.tasks import first_to_end, for_ever

if TYPE_CHECKING:
    from call.engine import Engine

OPEN_S: Final = 15.0
"""From a way found until the channels are open: DTLS and SCTP repeat what is lost each second or later."""
ANSWER_S: Final = 5.0


class Attempt:
    """Both `offer` and `answer` return in words why the other side ended the call.

    They raise ConnectFailed and TimeoutError where nothing came of it, and what Conversation.run raises.
    """

    def __init__(
        self, engine: "Engine", client: SignalingClient, prospects: Prospects, leaving: Callable[[], bool]
    ) -> None:
        """Args: leaving: whether it is the end of the call where the attempt is cancelled: then we say goodbye."""
        self._engine = engine
        self._client = client
        self._prospects = prospects
        self._leaving = leaving

    async def offer(self, answers: "asyncio.Queue[Description]") -> str:
        """Offer, and connect with whoever gives the answer that belongs to it."""
        await self._learn_ways()
        peer = self._engine.make_peer()
        try:
            offer = Description(kind="offer", call=secrets.token_hex(8), sdp=await peer.offer())
            await self._client.send(offer)
            async with asyncio.timeout(ANSWER_S):
                while (answer := await answers.get()).call != offer.call:
                    pass
            await peer.accept(answer.sdp)
            return await self._talk(peer)
        finally:
            await asyncio.shield(peer.close())

    async def answer(self, offer: Description) -> str:
        """Answer an offer, and connect with whoever made it."""
        await self._learn_ways()
        peer = self._engine.make_peer()
        try:
            await self._client.send(Description(kind="answer", call=offer.call, sdp=await peer.answer(offer.sdp)))
            return await self._talk(peer)
        finally:
            await asyncio.shield(peer.close())

    async def _learn_ways(self) -> None:
        await self._engine.ways.learn(self._engine.link.server, self._engine.link.token)

    async def _talk(self, peer: Peer) -> str:
        """Wait until the connection stands, talk, and say goodbye where it is us who end it."""
        await peer.wait_way(self._prospects.find_way_s())
        await peer.wait_open(OPEN_S)
        engine = self._engine
        engine.way = "relayed" if peer.relayed else "direct"
        conversation = engine.conversation = Conversation(peer, self._client.role, engine, engine.clock)
        conversation.silence.left_its_seat(None)
        try:
            reason = await first_to_end(
                conversation.run(), self._note_standing(conversation), report_call(self._client, peer)
            )
            return f"the other side {reason}"
        except asyncio.CancelledError:
            if self._leaving():
                await conversation.hang_up(engine.leave_reason)
            raise

    async def _note_standing(self, conversation: Conversation) -> str:
        """Note when the connection stands, for as long as it does."""
        while not conversation.standing:  # noqa: ASYNC110, a flag of an object without events
            await asyncio.sleep(0.02)
        self._prospects.stands()
        return await for_ever()
