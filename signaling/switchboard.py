"""The sockets of one signaling server: says who may sit down, carries messages to and from the seats."""

import asyncio
import logging
from dataclasses import dataclass

from fastapi import WebSocket, WebSocketDisconnect

from signaling.errors import MessageError, Refusal, RefusalCode
from signaling.messages import Description, Join, Joined, Message, PeerMessage, Refused, parse_peer_message
from signaling.outbox import Outbox
from signaling.room_store import RoomStore
from signaling.rooms import Seat, check_room_name
from signaling.settings import SignalSettings

log = logging.getLogger("facewire.signaling")
CLOSED_WELL = 1000
"""Close code of a peer that leaves on purpose; any other way to go keeps the seat of a call for a while."""


@dataclass
class Switchboard:
    """Connects seats to sockets."""

    settings: SignalSettings
    store: RoomStore

    async def serve(self, socket: WebSocket, room: str) -> None:
        """Serve one peer from its first message to its last."""
        await socket.accept()
        try:
            check_room_name(room)
            join = await self._first(socket)
            outbox = Outbox(self.settings.outbox_messages)
            seat, peer_present = await self.store.join(room, join.role, join.seat, outbox)
            log.info("room %s: %s joined", room, seat.role)
            keep = False
            try:
                # Past the outbox, because something for this seat may lie in it already.
                joined = Joined(room=room, role=seat.role, peer_present=peer_present, seat=seat.secret)
                await self._send(socket, joined)
                await self._attend(socket, seat, outbox)
            except WebSocketDisconnect as gone:
                keep = gone.code != CLOSED_WELL
                raise
            finally:
                await self.store.leave(seat, keep)
                log.info("room %s: %s left", seat.room, seat.role)
        except Refusal as refusal:
            log.info("refused: %s", refusal.code)
            await self._refuse(socket, refusal)
        except WebSocketDisconnect:
            pass  # the peer closed; its seat is free and the other one told

    async def _first(self, socket: WebSocket) -> Join:
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
        return first

    async def _attend(self, socket: WebSocket, seat: Seat, outbox: Outbox) -> None:
        """Read and write until the peer closes (WebSocketDisconnect) or is put out (Refusal)."""
        writer = asyncio.create_task(self._write(socket, outbox), name=f"write to {seat.role} in {seat.room}")
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
            await self.store.post(seat, message)  # to an empty seat: nobody to tell, and the sender knows

    async def _write(self, socket: WebSocket, outbox: Outbox) -> None:
        while True:
            await self._send(socket, await outbox.get())

    async def _send(self, socket: WebSocket, message: Message) -> None:
        """Send one message. Raises Refusal(too_slow) where it is not taken, WebSocketDisconnect."""
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

    async def _refuse(self, socket: WebSocket, refusal: Refusal) -> None:
        """Say no and close; a peer that does not listen is not waited for."""
        try:
            async with asyncio.timeout(self.settings.send_timeout_s):
                await socket.send_text(Refused(code=refusal.code, reason=str(refusal)).model_dump_json())
                await socket.close(refusal.code.close_code, refusal.code)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("the refused peer was gone before it was told")
