"""The signaling server: one WebSocket a peer at /rooms/{room}, and /healthz.

It passes SDP from one seat of a room to the other and says who comes and goes. It never sees media, and a call that
stands goes on without it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from signaling.errors import MessageError, Refusal, RefusalCode
from signaling.messages import (
    Description,
    Join,
    Joined,
    Message,
    PeerJoined,
    PeerLeft,
    PeerMessage,
    Refused,
    other_role,
    parse_peer_message,
)
from signaling.rooms import Rooms, Seat, check_room_name
from signaling.settings import SignalSettings

log = logging.getLogger("facewire.signaling")
CLOSED_WELL = 1000
"""Close code of a peer that leaves on purpose; any other way to go keeps the seat of a call for a while."""


class Health(BaseModel):
    """Answer of /healthz."""

    status: str
    rooms: int
    peers: int


def create_app(settings: SignalSettings) -> FastAPI:
    """Build the server. Two apps share nothing."""
    app = FastAPI(title="facewire signaling", docs_url=None, redoc_url=None)
    switchboard = Switchboard(settings)

    @app.get("/healthz")
    async def healthz() -> Health:
        rooms = switchboard.rooms
        return Health(status="ok", rooms=rooms.rooms_open, peers=rooms.seats_taken)

    # `:path`, so that a name with a slash is refused in words and not by a bare 403.
    @app.websocket("/rooms/{room:path}")
    async def room(socket: WebSocket, room: str) -> None:
        await switchboard.serve(socket, room)

    return app


class Outbox:
    """Messages on their way to one peer; bounded, because a peer that does not read must not fill our memory."""

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


@dataclass
class Switchboard:
    """Connects seats to sockets."""

    settings: SignalSettings
    now: Callable[[], float] = time.monotonic
    rooms: Rooms = field(init=False)
    _outboxes: dict[Seat, Outbox] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.rooms = Rooms(self.settings.max_rooms)

    async def serve(self, socket: WebSocket, room: str) -> None:
        """Serve one peer from its first message to its last."""
        await socket.accept()
        try:
            seat = await self._admit(socket, room)
            keep = False
            try:
                await self._attend(socket, seat)
            except WebSocketDisconnect as gone:
                keep = gone.code != CLOSED_WELL
                raise
            finally:
                self._dismiss(seat, keep)
        except Refusal as refusal:
            log.info("refused: %s", refusal.code)
            await self._refuse(socket, refusal)
        except WebSocketDisconnect:
            pass  # the peer closed; its seat is free and the other one told

    async def _admit(self, socket: WebSocket, room: str) -> Seat:
        check_room_name(room)
        try:
            async with asyncio.timeout(self.settings.join_timeout_s):
                first = await self._receive(socket)
        except TimeoutError:
            raise Refusal(
                RefusalCode.JOIN_TIMEOUT,
                f"expected a join message within {self.settings.join_timeout_s:g} s, none came",
            ) from None
        if not isinstance(first, Join):
            raise Refusal(RefusalCode.BAD_MESSAGE, f"expected a join message first, got {first.type}")
        before = self.rooms.at(room, first.seat)
        seat = self.rooms.join(room, first.role, first.seat, self.now())
        if before is not None:
            self._outboxes[before].put_out(Refusal(RefusalCode.CAME_BACK, "your seat was taken back with its secret"))
        self._outboxes[seat] = Outbox(self.settings.outbox_messages)
        other = self.rooms.other(seat)
        self._post(seat, Joined(room=room, role=seat.role, peer_present=other is not None, seat=seat.secret))
        self._post(other, PeerJoined(role=seat.role))
        log.info("room %s: %s joined", room, seat.role)
        return seat

    async def _attend(self, socket: WebSocket, seat: Seat) -> None:
        """Read and write until the peer closes (WebSocketDisconnect) or is put out (Refusal)."""
        writer = asyncio.create_task(self._write(socket, seat), name=f"write to {seat.role} in {seat.room}")
        reader = asyncio.create_task(self._read(socket, seat), name=f"read from {seat.role} in {seat.room}")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            outcomes = await asyncio.gather(reader, writer, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _read(self, socket: WebSocket, seat: Seat) -> None:
        while True:
            message = await self._receive(socket)
            if not isinstance(message, Description):
                raise Refusal(RefusalCode.BAD_MESSAGE, f"expected a description after joining, got {message.type}")
            self._post(self.rooms.other(seat), message)  # to an empty seat: nobody to tell, and the sender knows

    async def _write(self, socket: WebSocket, seat: Seat) -> None:
        outbox = self._outboxes[seat]
        while True:
            message = await outbox.get()
            try:
                async with asyncio.timeout(self.settings.send_timeout_s):
                    await socket.send_text(message.model_dump_json())
            except TimeoutError:
                raise Refusal(
                    RefusalCode.TOO_SLOW, f"expected each message to be taken within {self.settings.send_timeout_s:g} s"
                ) from None

    async def _receive(self, socket: WebSocket) -> PeerMessage:
        """Read one message. Raises Refusal for one too big or malformed, WebSocketDisconnect at the end."""
        event = await socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1006))
        text = event.get("text")
        if text is None:
            raise Refusal(RefusalCode.BAD_MESSAGE, "expected a text message, got a binary one")
        size = len(text.encode())
        if size > self.settings.max_message_bytes:
            raise Refusal(
                RefusalCode.MESSAGE_TOO_BIG,
                f"expected a message of at most {self.settings.max_message_bytes} bytes, got {size}",
            )
        try:
            return parse_peer_message(text)
        except MessageError as error:
            raise Refusal(RefusalCode.BAD_MESSAGE, str(error)) from None

    def _post(self, seat: Seat | None, message: Message) -> None:
        """Leave a message for a seat, if somebody sits there."""
        if seat is not None:
            self._outboxes[seat].put(message)

    def _dismiss(self, seat: Seat, keep: bool) -> None:
        del self._outboxes[seat]
        if not self.rooms.taken(seat):
            return  # its peer sits there again, on another connection
        other = self.rooms.other(seat)
        self.rooms.leave(seat, self.now() + self.settings.seat_kept_s if keep else None)
        self._post(other, PeerLeft(role=seat.role))
        log.info("room %s: %s left, %s", seat.room, seat.role, f"{other_role(seat.role)} stays" if other else "closed")

    async def _refuse(self, socket: WebSocket, refusal: Refusal) -> None:
        """Say no and close; a peer that does not listen is not waited for."""
        try:
            async with asyncio.timeout(self.settings.send_timeout_s):
                await socket.send_text(Refused(code=refusal.code, reason=str(refusal)).model_dump_json())
                await socket.close(refusal.code.close_code, refusal.code)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("the refused peer was gone before it was told")
