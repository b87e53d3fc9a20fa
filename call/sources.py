"""Source pictures on one connection, both directions at once, at any time of the call.

    offer   source_begin -> (source_want: chunks | source_have) -> source_ready -> source_use, some time ahead
    intake  the same from the other side's end

The first picture of a connection is sent as fast as it goes: nothing is seen before it is there. A later one is sent
beside the call in small chunks, within a share of the rate that the call leaves to it meanwhile. Either way there is
never more than a chunk waiting, so that sound is not held up.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from call.own_source import OwnSource
from receiver.errors import SourceError
from receiver.source import SourceCache
from sender.rate import RateController
from signaling.control import ControlChannel
from signaling.control_messages import SourceBegin, SourceHave, SourceReady, SourceUse, SourceWant
from signaling.errors import ControlError
from signaling.source_transfer import SourceAssembly

CHUNK_BYTES: Final = 1024
"""Of the first picture; one packet each."""
SMALL_CHUNK_BYTES: Final = 256
"""Of a later one: a packet that takes 0.1 s of 30 kbps, as long as sound can wait for it."""
PACKET_BYTES: Final = 89
"""What a chunk takes besides its bytes: IP, UDP, DTLS and SCTP headers, its index."""
BACKGROUND_SHARE: Final = 0.2
"""Of the rate, what a later picture is sent with: 6 kB in 11 s at 30 kbps."""
AHEAD_S: Final = 0.6
"""How long, besides two round trips, before its first frame the use of a new picture is announced: longer than a
control message takes."""

Prepare = Callable[[bytes, str, str], Awaitable[None]]


class SourceOffer:
    """Gets our pictures to the other side, one after the other; the newest counts."""

    def __init__(
        self,
        control: ControlChannel,
        elapsed_s: Callable[[], float],
        in_use: Callable[[OwnSource, float], None],
        rate: RateController,
    ) -> None:
        """Args: elapsed_s: time since the connection's media clock began; in_use: told which picture is used from when
        on, by that clock; rate: of this direction, which leaves room for a picture that is sent during the call.
        """
        self._rate = rate
        self.bytes_sent = 0
        self.used: OwnSource | None = None
        self._control = control
        self._elapsed_s = elapsed_s
        self._in_use = in_use
        self._offered: OwnSource | None = None
        self._next: OwnSource | None = None
        self._sending: asyncio.Task[None] | None = None

    def offer(self, source: OwnSource) -> None:
        """Have the other side render from this picture as soon as it has it. Raises PeerGone."""
        known = self._next or self._offered or self.used
        if known is not None and known.sha256 == source.sha256:
            return
        if self._offered is not None:
            self._next = source  # after the one under way
            return
        self._offered = source
        picture = source.picture
        self._control.send(
            SourceBegin(
                sha256=source.sha256,
                bytes=len(picture),
                mime=source.mime,
                chunks=-(-len(picture) // self._chunk_bytes),
                chunk_bytes=self._chunk_bytes,
            )
        )

    @property
    def _chunk_bytes(self) -> int:
        return CHUNK_BYTES if self.used is None else SMALL_CHUNK_BYTES

    def take(self, message: SourceWant | SourceHave | SourceReady) -> None:
        """Take what the other side says of the picture that is on offer. Raises ControlError, PeerGone."""
        source = self._offered
        if source is None or message.sha256 != source.sha256:
            raise ControlError(f"expected no word of picture {message.sha256[:12]}, which is not on offer")
        if isinstance(message, SourceWant):
            self._sending = asyncio.create_task(self._send(source), name="send the source picture")
        elif isinstance(message, SourceReady):
            self._use(source)

    def _use(self, source: OwnSource) -> None:
        from_s = 0.0 if self.used is None else round(self._elapsed_s() + self._ahead_s(), 3)
        self._control.send(SourceUse(sha256=source.sha256, from_s=from_s))
        self.used, self._offered = source, None
        self._in_use(source, from_s)
        following, self._next = self._next, None
        if following is not None:
            self.offer(following)

    def _ahead_s(self) -> float:
        return AHEAD_S + 2 * (self._rate.link.rtt_s or 0.0)

    async def _send(self, source: OwnSource) -> None:
        chunk_bytes, beside = self._chunk_bytes, self.used is not None
        kbps = BACKGROUND_SHARE * self._rate.max_kbps
        self._rate.reserved_kbps = kbps if beside else 0.0
        try:
            for index, start in enumerate(range(0, len(source.picture), chunk_bytes)):
                chunk = source.picture[start : start + chunk_bytes]
                await self._control.send_chunk(index, chunk, chunk_bytes)
                self.bytes_sent += len(chunk)
                if beside:
                    await asyncio.sleep((len(chunk) + PACKET_BYTES) * 8 / 1000 / kbps)
        finally:
            self._rate.reserved_kbps = 0.0

    async def close(self) -> None:
        """Stop sending."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)


class SourceIntake:
    """Takes the other side's pictures."""

    def __init__(self, control: ControlChannel, cache: SourceCache | None, prepare: Prepare) -> None:
        """Args: prepare: gets ready to render from a picture: its bytes, type and hash; raises SourceError."""
        self.bytes_received = 0
        self._control = control
        self._cache = cache
        self._prepare = prepare
        self._begin: SourceBegin | None = None
        self._assembly: SourceAssembly | None = None

    async def begin(self, message: SourceBegin) -> None:
        """Take an offer. Raises ControlError, SourceError, PeerGone."""
        if self._assembly is not None:
            raise ControlError("expected the rest of one source picture before the next one is offered")
        assembly = SourceAssembly(message)
        known = self._cache.find(message.sha256) if self._cache else None
        if known is not None:
            self._control.send(SourceHave(sha256=message.sha256))
            await self._ready(known, message)
            return
        self._begin, self._assembly = message, assembly
        self._control.send(SourceWant(sha256=message.sha256))

    async def add(self, chunk: bytes) -> None:
        """Take a chunk. Raises ControlError, SourceError, PeerGone."""
        if self._assembly is None or self._begin is None:
            raise ControlError(f"expected no chunk, got one of {len(chunk)} bytes: no source picture is on its way")
        self._assembly.add(chunk)
        self.bytes_received += len(chunk) - 4
        if not self._assembly.complete:
            return
        picture, begin = self._assembly.finish(), self._begin
        self._assembly = self._begin = None
        await self._ready(picture, begin)
        if self._cache:
            self._cache.keep(picture)

    async def _ready(self, picture: bytes, begin: SourceBegin) -> None:
        if hashlib.sha256(picture).hexdigest() != begin.sha256:
            raise SourceError("expected the cached source picture to be the announced one")
        await self._prepare(picture, begin.mime, begin.sha256)
        self._control.send(SourceReady(sha256=begin.sha256))
