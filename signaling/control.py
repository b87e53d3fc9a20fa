"""The control channel: reliable, ordered, typed. What two peers agree on before the first frame, and how they part.

    sender                              receiver
    hello                    <->        hello               versions, model, tables: equal, or `refuse` in words
    source_begin             ->                             hash, size, type of the source picture
                             <-         source_want | source_have
    binary chunks            ->                             u32 index (big-endian) + up to 16 KiB, in order
                             <-         source_ready        hash right, picture decoded, renderer warm
    start                    ->                             media begins on the other channel
    idle                     ->                             once a second while there is no media (no face)
    crop_moved               ->                             the crop is moving: when, and where in units of the first
    bye                      <->        bye                 how many frames were sent, were received

In a two-way call each side does both: hello, then pictures in either direction at any time, each announced by
`source_use` before motion is told against it; `mute`, `camera`, `chat` and `recording` at any time; no `start`, no
`crop_moved`.

JSON text, tagged by `type`; binary messages are chunks and nothing else. Every limit is checked before memory is taken.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from aiortc import InvalidStateError, RTCDataChannel

from signaling.control_messages import (
    CHUNK_BYTES,
    CHUNK_HEADER_BYTES,
    AnyControlMessage,
    ControlMessage,
    Hello,
    Refuse,
    name_of,
    parse_control_message,
    tag,
)
from signaling.errors import CallRefused, ControlError, Mismatch, PeerGone, SignalingError
from signaling.limits import Bucket

QUEUE_MESSAGES = 128
TEXT_BURST, TEXT_PER_S = 200, 10.0
"""Messages that are no chunks, at once and a second; an honest call has five a second at most."""
ANSWER_TIMEOUT_S = 10.0
REFUSAL_LINGER_S = 0.5

M = TypeVar("M", bound=ControlMessage)


class ControlChannel:
    """Typed messages over one data channel."""

    def __init__(self, channel: RTCDataChannel, now: Callable[[], float] = time.monotonic) -> None:
        self._channel = channel
        self._inbox: asyncio.Queue[AnyControlMessage | bytes | SignalingError] = asyncio.Queue(QUEUE_MESSAGES)
        self._room_to_send = asyncio.Event()
        self.on_heard: Callable[[], None] = lambda: None
        """Called for each message that comes in."""
        self._texts = Bucket(TEXT_BURST, TEXT_PER_S, TEXT_BURST, now())
        self._now = now
        self.on_crossed: Callable[[bool, str], None] = lambda sent, text: None
        """Called for each text message, with whether it was sent, for a recording."""
        self.closed = asyncio.Event()
        channel.bufferedAmountLowThreshold = CHUNK_BYTES
        channel.on("message", self._on_message)
        channel.on("close", self._on_close)
        channel.on("bufferedamountlow", self._room_to_send.set)

    def send(self, message: ControlMessage) -> None:
        """Send a message; the channel delivers it, however long that takes. Raises PeerGone on a closed channel."""
        self._send(message.model_dump_json())

    async def send_chunk(self, index: int, data: bytes, most_waiting_bytes: int = 2 * CHUNK_BYTES) -> None:
        """Send a piece of the source picture, once no more than so many bytes wait. Raises PeerGone.

        What waits here holds up media, too: messages of all channels leave in their order.
        """
        self._channel.bufferedAmountLowThreshold = most_waiting_bytes // 2
        while self._channel.bufferedAmount > most_waiting_bytes and not self.closed.is_set():
            self._room_to_send.clear()
            await self._room_to_send.wait()
        self._send(index.to_bytes(CHUNK_HEADER_BYTES, "big") + data)

    def _send(self, data: str | bytes) -> None:
        try:
            self._channel.send(data)
        except InvalidStateError:
            raise PeerGone("expected the other side to stay on the line, its control channel is closed") from None
        if isinstance(data, str):
            self.on_crossed(True, data)

    async def receive(self, timeout_s: float | None = None) -> AnyControlMessage | bytes:
        """Wait for the next message or chunk. Raises TimeoutError, PeerGone, ControlError, CallRefused."""
        async with asyncio.timeout(timeout_s):
            item = await self._inbox.get()
        if isinstance(item, SignalingError):
            raise item
        if isinstance(item, Refuse):
            raise CallRefused(f"the other side refused: {item.reason}")
        return item

    async def expect(self, kind: type[M], timeout_s: float = ANSWER_TIMEOUT_S) -> M:
        """Wait for a message of one kind. Raises ControlError for another one or none, and what `receive` raises."""
        try:
            item = await self.receive(timeout_s)
        except TimeoutError:
            raise ControlError(f"expected '{tag(kind)}' within {timeout_s:g} s, nothing came") from None
        if not isinstance(item, kind):
            raise ControlError(f"expected '{tag(kind)}', got {name_of(item)}")
        return item

    async def refuse(self, reason: str) -> None:
        """Say no, and give the words a moment to cross before the caller closes."""
        try:
            self.send(Refuse(reason=reason[:500]))
            async with asyncio.timeout(REFUSAL_LINGER_S):
                await self.closed.wait()
        except (PeerGone, TimeoutError):
            pass  # it did not want to hear

    def _on_message(self, data: str | bytes) -> None:
        self.on_heard()
        try:
            if isinstance(data, str):
                if not self._texts.take(self._now()):
                    raise ControlError(f"expected at most {TEXT_PER_S:g} control messages a second, more came")
                self.on_crossed(False, data)
                self._put(parse_control_message(data))
            elif CHUNK_HEADER_BYTES < len(data) <= CHUNK_HEADER_BYTES + CHUNK_BYTES:
                self._put(data)
            else:
                raise ControlError(f"expected a chunk of 1 to {CHUNK_BYTES} bytes, got {len(data)} with its index")
        except ControlError as error:
            self._put(error)

    def _on_close(self) -> None:
        self.closed.set()
        self._room_to_send.set()
        self._put(PeerGone("expected the other side to stay on the line, its control channel closed"))

    def _put(self, item: AnyControlMessage | bytes | SignalingError) -> None:
        """Queue what came. A flood is answered by forgetting the oldest and saying so."""
        if self._inbox.full():
            self._inbox.get_nowait()
            item = ControlError(f"expected at most {QUEUE_MESSAGES} unread control messages, more came")
        self._inbox.put_nowait(item)


async def agree(control: ControlChannel, mine: Hello) -> Hello:
    """Say hello, hear it, compare. Raises Mismatch where the two do not fit; both sides come to the same judgement."""
    control.send(mine)
    theirs = await control.expect(Hello)
    mismatch = mine.mismatch(theirs)
    if mismatch is not None:
        raise Mismatch(mismatch)
    return theirs
