"""The sockets of one signaling server: from the gate to a seat, and messages to and from the seats."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import WebSocket, WebSocketDisconnect

from signaling.errors import MessageError, Refusal, RefusalCode
from signaling.gate import Gate, Visit
from signaling.messages import (
    Description,
    Join,
    Joined,
    Message,
    PeerJoined,
    PeerLeft,
    PeerMessage,
    Refused,
    Report,
    parse_peer_message,
)
from signaling.metrics import Metrics
from signaling.outbox import Outbox
from signaling.room_store import RoomStore
from signaling.rooms import Seat, check_room_name
from signaling.settings import SignalSettings

log = logging.getLogger("facewire.signaling")
CLOSED_WELL = 1000
"""Close code of a peer that leaves on purpose; any other way to go keeps the seat of a call for a while."""
GO_ON_ELSEWHERE = (RefusalCode.STOPPING, RefusalCode.LIFETIME_OVER)
"""A peer put out for these may come back to its seat."""
LOOK_EACH_S = 0.05


@dataclass
class Switchboard:
    """Connects seats to sockets."""

    settings: SignalSettings
    store: RoomStore
    gate: Gate
    metrics: Metrics
    _seated: dict[Outbox, str] = field(init=False, default_factory=dict)
    """The room of each peer that has a seat here."""

    async def serve(self, socket: WebSocket, room: str) -> None:
        """Serve one peer from its first message to its last."""
        await socket.accept()
        visit: Visit | None = None
        try:
            visit = self.gate.open(socket.headers, socket.client.host if socket.client else "")
            self.metrics.sockets.inc()
            check_room_name(room)
            await self._sit(socket, room, await self._first(socket, visit), visit)
        except Refusal as refusal:
            self.metrics.refusals.labels(refusal.code).inc()
            log.info("refused: %s", refusal.code)
            await self._refuse(socket, refusal)
        except WebSocketDisconnect:
            pass  # the peer closed; its seat is free and the other one told
        finally:
            if visit is not None:
                visit.end()
                self.metrics.sockets.dec()

    async def _sit(self, socket: WebSocket, room: str, join: Join, visit: Visit) -> None:
        """Take a seat and hold it. Raises Refusal, WebSocketDisconnect."""
        began_s = self.gate.now()
        token = await visit.admit(join, room)
        if self.gate.stopping and room not in self._seated.values():
            raise stopping()
        outbox = Outbox(self.settings.outbox_messages)
        holder = token.seat if token is not None else None
        seat, peer_present = await self.store.join(room, join.role, join.seat, outbox, holder)
        self._seated[outbox] = room
        keep = False
        try:
            # Past the outbox, because something for this seat may lie in it already.
            await self._send(socket, self._joined(join, seat, peer_present))
            self._note_join(seat, self.gate.now() - began_s)
            await self._attend(socket, seat, outbox, peer_present, visit)
        except WebSocketDisconnect as gone:
            keep = gone.code != CLOSED_WELL
            raise
        except Refusal as refusal:
            keep = refusal.code in GO_ON_ELSEWHERE
            raise
        finally:
            del self._seated[outbox]
            await self.store.leave(seat, keep)
            log.info("room %s: %s left", self._shown(room), seat.role)

    def _joined(self, join: Join, seat: Seat, peer_present: bool) -> Joined:
        each_s = self.settings.report_each_s if join.version >= 3 else None
        return Joined(room=seat.room, role=seat.role, peer_present=peer_present, seat=seat.secret, report_each_s=each_s)

    def _note_join(self, seat: Seat, took_s: float) -> None:
        self.metrics.joins.labels(seat.role).inc()
        self.metrics.join_s.observe(took_s)
        log.info("room %s: %s joined", self._shown(seat.room), seat.role)

    def _shown(self, room: str) -> str:
        """What the log calls a room. In an open server its name opens it, so that is not said."""
        return room if self.settings.guarded else f"#{hashlib.sha256(room.encode()).hexdigest()[:8]}"

    async def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Take no new rooms, let open ones fill for a while, then tell all peers, and wait until they are gone."""
        self.gate.stopping = True
        await self._until_gone(self.settings.drain_s, hurry)
        for outbox in self._seated:
            outbox.put_out(stopping())
        await self._until_gone(self.settings.grace_s, hurry)

    async def _until_gone(self, limit_s: float, hurry: Callable[[], bool]) -> None:
        end_s = self.gate.now() + limit_s
        while self._seated and self.gate.now() < end_s and not hurry():  # noqa: ASYNC110, `hurry` has no event
            await asyncio.sleep(LOOK_EACH_S)

    async def _first(self, socket: WebSocket, visit: Visit) -> Join:
        try:
            async with asyncio.timeout(self.settings.join_timeout_s):
                first = await self._receive(socket, visit)
        except TimeoutError:
            raise Refusal(
                RefusalCode.JOIN_TIMEOUT,
                f"expected a join message within {self.settings.join_timeout_s:g} s, none came",
            ) from None
        if not isinstance(first, Join):
            raise Refusal(RefusalCode.BAD_MESSAGE, f"expected a join message first, got {first.type}")
        return first

    async def _attend(self, socket: WebSocket, seat: Seat, outbox: Outbox, peer_present: bool, visit: Visit) -> None:
        """Read and write until the peer closes (WebSocketDisconnect) or is put out (Refusal)."""
        writer = asyncio.create_task(self._write(socket, outbox, peer_present), name=f"write to a {seat.role}")
        reader = asyncio.create_task(self._read(socket, seat, visit), name=f"read from a {seat.role}")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reader, writer):
                task.cancel()
            outcomes = await asyncio.gather(reader, writer, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _read(self, socket: WebSocket, seat: Seat, visit: Visit) -> None:
        while True:
            message = await self._receive(socket, visit)
            if isinstance(message, Description):
                await self.store.post(seat, message)  # to an empty seat: nobody to tell, and the sender knows
            elif not isinstance(message, Report):
                raise Refusal(
                    RefusalCode.BAD_MESSAGE, f"expected a description or report after joining, got {message.type}"
                )

    async def _write(self, socket: WebSocket, outbox: Outbox, peer_present: bool) -> None:
        """Write what comes, for as long as a peer may sit, alone and at all."""
        now_s = self.gate.now()
        ends_s = now_s + self.settings.lifetime_s
        idle_s = None if peer_present else now_s + self.settings.idle_s
        while True:
            left_s = (ends_s if idle_s is None else min(ends_s, idle_s)) - self.gate.now()
            try:
                async with asyncio.timeout(max(0.0, left_s)):
                    message = await outbox.get()
            except TimeoutError:
                raise self._too_long(idle_s is not None and idle_s < ends_s) from None
            if isinstance(message, PeerJoined | PeerLeft):
                idle_s = None if isinstance(message, PeerJoined) else self.gate.now() + self.settings.idle_s
            await self._send(socket, message)

    def _too_long(self, alone: bool) -> Refusal:
        if alone:
            words = f"expected somebody to come within {self.settings.idle_s:g} s, nobody came"
            return Refusal(RefusalCode.IDLE, words)
        return Refusal(RefusalCode.LIFETIME_OVER, f"expected a call of at most {self.settings.lifetime_s:g} s")

    async def _send(self, socket: WebSocket, message: Message) -> None:
        """Send one message. Raises Refusal(too_slow) where it is not taken, WebSocketDisconnect."""
        try:
            async with asyncio.timeout(self.settings.send_timeout_s):
                await socket.send_text(message.model_dump_json(exclude_none=True))
        except TimeoutError:
            raise Refusal(
                RefusalCode.TOO_SLOW, f"expected each message to be taken within {self.settings.send_timeout_s:g} s"
            ) from None

    async def _receive(self, socket: WebSocket, visit: Visit) -> PeerMessage:
        """Read one message. Raises Refusal for one too big, malformed or too many, WebSocketDisconnect at the end."""
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
            message = parse_peer_message(text)
        except MessageError as error:
            raise Refusal(RefusalCode.BAD_MESSAGE, str(error)) from None
        visit.hear(message)
        self.metrics.took(message, size)
        return message

    async def _refuse(self, socket: WebSocket, refusal: Refusal) -> None:
        """Say no and close; a peer that does not listen is not waited for."""
        try:
            async with asyncio.timeout(self.settings.send_timeout_s):
                await socket.send_text(Refused(code=refusal.code, reason=str(refusal)).model_dump_json())
                await socket.close(refusal.code.close_code, refusal.code)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("the refused peer was gone before it was told")


def stopping() -> Refusal:
    """Build the refusal of a server that is about to end."""
    return Refusal(RefusalCode.STOPPING, "the signaling server is about to stop: calls under way go on, try again")
