"""Messages on their way to one peer of this server."""

import asyncio

from signaling.errors import Refusal, RefusalCode
from signaling.messages import Message


class Outbox:
    """A bounded queue, because a peer that does not read must not fill our memory."""

    def __init__(self, limit: int) -> None:
        self._waiting: asyncio.Queue[Message | Refusal] = asyncio.Queue(limit)
        self._overflowed = False

    def put(self, message: Message) -> None:
        """Leave a message. One that finds no room marks the peer as too slow."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self._overflowed = True

    def put_out(self, refusal: Refusal) -> None:
        """Have `get` raise this next."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(refusal)

    async def get(self) -> Message:
        """Wait for the next message. Raises Refusal(too_slow) where one was lost, and what the peer is put out for."""
        if self._overflowed:
            raise Refusal(RefusalCode.TOO_SLOW, f"expected at most {self._waiting.maxsize} unread messages, more came")
        item = await self._waiting.get()
        if isinstance(item, Refusal):
            raise item
        return item
