"""SCTP with fewer packets: what aiortc sends on its own, held for a moment and put into packets that leave anyway.

A packet costs more than what is in it. Bytes of one `media` message of n bytes (n padded to 4), counted at the UDP
socket (`ice_hooks.UdpTap`, 28 B a packet for IP and UDP included) and split by header:

                                      stock aiortc           here
    IP 20, UDP 8                      28                     28
    DTLS 1.2 record                   13 + nonce 8 + tag 16  13 + tag 16   ChaCha20-Poly1305, see connection.py
    SCTP common header                12                     12
    DATA chunk header                 16                     16
    the message                       n + 93                 n + 85
    its acknowledgement (SACK)        93, a packet each      16 in a DATA packet that leaves within 100 to 200 ms,
                                                             else 85 at 200 ms: 5 a second at most
    FORWARD-TSN, once a message is    85 with every SACK     8 in the next DATA packet, not twice within 200 ms;
    lost and given up                 until acknowledged     77 only where no DATA packet leaves for 200 ms

What is left costs 0.35 kbps each way whatever is sent: STUN consent (RFC 7675, a request and an answer about each 5 s).
aiortc sends no HEARTBEAT, and RTCP only where there are media tracks, of which we have none.

What is held, and what is not:
- `media` (unordered) is acknowledged up to 200 ms late. RFC 9260 (6.2) asks for every second packet and 200 ms, 500 ms
  at most; the first of these is what costs, and protects a bulk transfer's window, which media is not.
- `control` (ordered) is acknowledged as the RFC says: at the second packet, and at once for a piece of a long message
  and for one that comes twice (its acknowledgement was lost). The source picture crosses as fast as with stock aiortc.
- A gap is not acknowledged at once: with loss there is always one. Instead the sender counts the packets that overtook
  a chunk, not the SACKs that say so: one held SACK that reports three of them starts the fast retransmission that
  stock starts at the third SACK. So a lost control message is sent again within 200 ms + one round trip of the third
  packet after it; T3 stays behind it. RTO keeps its minimum of 1 s until a round trip exceeds some 600 ms, since a
  SACK comes at most 200 ms late. A chunk that was sent again is overtaken only by what was sent after that.
- Round trips are measured on chunks that were not reported in a gap before: those come seconds late and blow up RTO.
- When T3 finds nothing reliable lost, the congestion window keeps its initial three packets: an abandoned message is
  never sent again, rate control is the answer to its loss, and one packet of window would stall the next ones.

Both ends stay plain SCTP on the wire: each rule is one that a receiver or sender may follow alone.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any, cast

from aiortc import rtcsctptransport as stock
from aiortc.rtcsctptransport import Chunk, DataChunk, ForwardTsnChunk, RTCSctpCapabilities, RTCSctpTransport, SackChunk
from aiortc.utils import uint32_gt, uint32_gte

from signaling.hold import Hold

log = logging.getLogger("facewire.sctp")

SACK_HOLD_S = 0.2
SACK_RIDES_AFTER_S = 0.1
"""A SACK that is younger stays behind when a DATA packet leaves: at one packet each 60 ms the third takes it."""
FORWARD_HOLD_S = 0.2
OVERTAKEN_LIMIT = 3
"""Later packets that must have arrived before a chunk counts as lost (RFC 9260, 7.2.4)."""
INITIAL_WINDOW_BYTES = 3 * stock.USERDATA_MAX_LENGTH
WHOLE = stock.SCTP_DATA_FIRST_FRAG | stock.SCTP_DATA_LAST_FRAG


class Bundle(Chunk):
    """Several chunks of one packet, control before data (RFC 9260, 6.10)."""

    def __init__(self, chunks: list[Chunk]) -> None:
        super().__init__()
        self.chunks = chunks

    def __bytes__(self) -> bytes:
        return b"".join(map(bytes, self.chunks))

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.chunks))


class TunedSctp(RTCSctpTransport):
    """aiortc's SCTP transport, frugal. For the versions of aiortc that connection.py has checked."""

    def __init__(self, transport: Any, port: int = 5000) -> None:
        super().__init__(transport, port)
        self._sack_hold = Hold(lambda: self._start(self._send_held_sack))
        self._sack_at_once = False
        self._ordered_unacknowledged = 0
        self._forward: ForwardTsnChunk | None = None
        self._forward_sent_s = -math.inf
        self._forward_hold = Hold(lambda: self._start(self._send_forward_now))
        self._sending: set[asyncio.Task[None]] = set()
        self._collected: list[Chunk] | None = None
        self._newest_sent_tsn = self._last_sacked_tsn
        self._resent_after: dict[int, int] = {}
        """TSN of a chunk that was sent again: the newest TSN that had been sent by then."""
        self._round_trip_is_fresh = True

    async def start(self, remoteCaps: RTCSctpCapabilities | None, remotePort: int) -> None:
        """Start, unless stopped before: stock goes on connecting where it was closed meanwhile."""
        if self.state != "closed":
            await super().start(remoteCaps, remotePort)

    # what comes in

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if not chunk.flags & stock.SCTP_DATA_UNORDERED:
            newest = cast(int, self._last_received_tsn)  # known since the association was set up
            known = uint32_gte(newest, chunk.tsn) or chunk.tsn in self._sack_misordered
            self._ordered_unacknowledged += 1
            piece = chunk.flags & WHOLE != WHOLE
            self._sack_at_once |= known or piece or self._ordered_unacknowledged >= 2
        await super()._receive_data_chunk(chunk)

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        if not uint32_gt(self._last_sacked_tsn, chunk.cumulative_tsn):
            self._round_trip_is_fresh = not (self._sent_queue and self._sent_queue[0]._acked)
            self._count_overtaken(chunk)
        await super()._receive_sack_chunk(chunk)
        if self._resent_after:
            acknowledged = self._last_sacked_tsn
            self._resent_after = {tsn: at for tsn, at in self._resent_after.items() if uint32_gt(tsn, acknowledged)}

    def _count_overtaken(self, sack: SackChunk) -> None:
        """Count, for each missing chunk, the packets sent after it that this SACK is the first to report.

        The stock method that runs next adds one to `_misses` for the SACK itself, hence the minus one.
        """
        arrived: list[int] = []
        for chunk in reversed(self._sent_queue):
            if uint32_gte(sack.cumulative_tsn, chunk.tsn):
                break
            offset = (chunk.tsn - sack.cumulative_tsn) % stock.SCTP_TSN_MODULO
            if any(first <= offset <= last for first, last in sack.gaps):
                if not chunk._acked:
                    arrived.append(chunk.tsn)
            elif arrived:
                after = self._resent_after.get(chunk.tsn, chunk.tsn)
                overtaken = sum(uint32_gt(tsn, after) for tsn in arrived)
                chunk._misses += min(overtaken, OVERTAKEN_LIMIT - chunk._misses) - 1

    def _update_rto(self, R: float) -> None:
        if self._round_trip_is_fresh:
            super()._update_rto(R)

    def _t3_expired(self) -> None:
        window = self._cwnd
        reliable = any(
            chunk._max_retransmits is None and chunk._expiry is None and not chunk._acked for chunk in self._sent_queue
        )
        super()._t3_expired()
        if not reliable:
            self._cwnd = max(self._cwnd, min(window, INITIAL_WINDOW_BYTES))

    # what goes out

    async def _send_sack(self) -> None:
        """Hold the SACK, or send it. Stock calls this after each packet that comes in while a SACK is owed."""
        if self._association_state == self.State.CLOSED:
            return
        if self._sack_at_once:
            await self._send_sack_now()
        else:
            self._sack_hold.start(SACK_HOLD_S)

    async def _send_held_sack(self) -> None:
        if self._sack_needed:
            await self._send_sack_now()

    async def _send_sack_now(self) -> None:
        self._sack_hold.stop()
        self._sack_at_once = False
        self._ordered_unacknowledged = 0
        await super()._send_sack()

    async def _transmit(self) -> None:
        """Transmit as stock does, but hold a FORWARD-TSN until a packet leaves that can carry it."""
        if self._forward_tsn_chunk is not None:
            self._forward, self._forward_tsn_chunk = self._forward_tsn_chunk, None
            self._forward_hold.start(FORWARD_HOLD_S)
            if not self._t3_handle:
                self._t3_start()
        await super()._transmit()

    async def _send_forward_now(self) -> None:
        chunk, self._forward = self._forward, None
        if chunk is not None:
            self._forward_sent_s = asyncio.get_running_loop().time()
            await self._send_chunk(chunk)

    def _update_advanced_peer_ack_point(self) -> None:
        super()._update_advanced_peer_ack_point()
        if not uint32_gt(self._advanced_peer_ack_tsn, self._last_sacked_tsn):
            self._forward = None  # it has arrived
            self._forward_hold.stop()

    async def _send_chunk(self, chunk: Chunk) -> None:
        """Send a packet with this chunk and what may ride with it."""
        if self._collected is not None:
            self._collected.append(chunk)
            return
        if isinstance(chunk, DataChunk):
            self._note_sent(chunk)
        riders = await self._take_riders(chunk) if isinstance(chunk, DataChunk | SackChunk | ForwardTsnChunk) else []
        try:
            await super()._send_chunk(Bundle([*riders, chunk]) if riders else chunk)
        except ConnectionError:  # while opening or closing; a packet that cannot leave is a lost packet
            log.debug("could not send %r", chunk)

    def _note_sent(self, chunk: DataChunk) -> None:
        if chunk._sent_count > 1:
            self._resent_after[chunk.tsn] = self._newest_sent_tsn
        else:
            self._newest_sent_tsn = chunk.tsn

    async def _take_riders(self, chunk: Chunk) -> list[Chunk]:
        """Return what is held, is due and fits beside this chunk; it counts as sent."""
        now_s = asyncio.get_running_loop().time()
        room_bytes = stock.SCTP_MAX_PACKET_LENGTH - stock.SCTP_COMMON_HEADER_LENGTH - len(bytes(chunk))
        riders: list[Chunk] = []
        forward = self._forward if now_s >= self._forward_sent_s + FORWARD_HOLD_S else None
        if forward is not None and len(bytes(forward)) <= room_bytes:
            riders.append(forward)
            room_bytes -= len(bytes(forward))
            self._forward, self._forward_sent_s = None, now_s
            self._forward_hold.stop()
        held_s = now_s - self._sack_hold.began_s
        if held_s >= (SACK_RIDES_AFTER_S if isinstance(chunk, DataChunk) else 0) and self._sack_bytes() <= room_bytes:
            riders.append(await self._take_sack())
        return riders

    def _sack_bytes(self) -> int:
        """Bytes that the SACK has at most: a gap block for each misordered TSN, four bytes for each duplicate."""
        return 16 + 4 * (len(self._sack_misordered) + len(self._sack_duplicates))

    async def _take_sack(self) -> Chunk:
        """Return the held SACK, as the stock method builds it."""
        self._collected = []
        try:
            await self._send_sack_now()
            return self._collected[0]
        finally:
            self._collected = None

    # ends

    def _start(self, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send, from a timer."""
        task = asyncio.create_task(send(), name="send what was held")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state == self.State.CLOSED:
            self._sack_hold.stop()
            self._forward_hold.stop()
