"""uvicorn's WebSocket with less on it: thousands of them stay open for hours and say next to nothing.

`python -m benchmarks.signaling` measures what a room takes. Much of it was never needed again after the handshake.
"""

import asyncio
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State


class Line:
    """What uvicorn uses of an asyncio.Queue, for one reader. That holds four deques of 600 bytes each, this a list."""

    __slots__ = ("_events", "_waiter")

    def __init__(self) -> None:
        self._events: list[ASGIReceiveEvent] = []
        self._waiter: asyncio.Future[None] | None = None

    def put_nowait(self, event: ASGIReceiveEvent) -> None:
        """Add an event. What may come in is bounded by uvicorn, which stops to read while one waits."""
        self._events.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._events

    async def get(self) -> ASGIReceiveEvent:
        """Take the first event, when there is one."""
        while not self._events:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._events.pop(0)


class Flag:
    """What uvicorn uses of an asyncio.Event, for one waiter; without the deque for others."""

    __slots__ = ("_set", "_waiter")

    def __init__(self) -> None:
        self._set = True
        self._waiter: asyncio.Future[None] | None = None

    def clear(self) -> None:
        """Have `wait` wait."""
        self._set = False

    def set(self) -> None:
        """Have it wait no more."""
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Wait until it is set."""
        while not self._set:
            self._waiter = self._waiter or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)
            self._waiter = None


class LeanWebSocket(WebSocketsSansIOProtocol):
    """Forgets the request and its answer once they are over; the switchboard forgets the headers."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.queue = Line()  # type: ignore[assignment]
        self.writable = Flag()  # type: ignore[assignment]
        self._arrivals = 0

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._arrivals += 1
        super().data_received(data)

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says."""
        await super().send(message)
        if message["type"] == "websocket.accept" and self.conn.state is State.OPEN:
            self._forget_handshake()

    def _forget_handshake(self) -> None:
        del self.request, self.response
        if (
            self._arrivals == 1
        ):  # nothing of a frame yet, which the parser that read the request would be in the midst of
            self.conn.parser = self.conn.parse()
            next(self.conn.parser)  # start coroutine
