"""sources.py: a first picture goes at once, a later one in small chunks within a share of the rate."""

import asyncio
from typing import cast

from call.own_source import OwnSource, from_bytes
from call.sources import BACKGROUND_SHARE, PACKET_BYTES, SMALL_CHUNK_BYTES, SourceOffer
from sender.rate import RateController
from signaling.control import ControlChannel
from signaling.control_messages import ControlMessage, SourceBegin, SourceReady, SourceUse, SourceWant

FIRST, SECOND = (from_bytes(bytes([number]) * 3000, "image/webp") for number in (1, 2))


class Line:
    """Keeps what is sent, and what was left to other traffic while each chunk went."""

    def __init__(self, rate: RateController) -> None:
        self.said: list[ControlMessage] = []
        self.chunks: list[tuple[int, int, float]] = []
        self._rate = rate

    def send(self, message: ControlMessage) -> None:
        self.said.append(message)

    async def send_chunk(self, index: int, data: bytes, most_waiting_bytes: int) -> None:
        self.chunks.append((len(data), most_waiting_bytes, self._rate.reserved_kbps))


async def test_first_at_once_later_ones_beside_the_call() -> None:
    rate = RateController(30.0, 20, max_kbps=1500.0)
    line, used = Line(rate), list[OwnSource]()
    offer = SourceOffer(cast(ControlChannel, line), lambda: 5.0, lambda source, from_s: used.append(source), rate)
    loop = asyncio.get_running_loop()
    took_s = []
    for source in (FIRST, SECOND):
        offer.offer(source)
        began_s = loop.time()
        offer.take(SourceWant(sha256=source.sha256))
        assert offer._sending is not None
        await offer._sending
        took_s.append(loop.time() - began_s)
        assert rate.reserved_kbps == 0
        offer.take(SourceReady(sha256=source.sha256))
    assert used == [FIRST, SECOND]
    begins = [message for message in line.said if isinstance(message, SourceBegin)]
    assert [begin.chunk_bytes for begin in begins] == [1024, SMALL_CHUNK_BYTES]
    assert [begin.chunks for begin in begins] == [3, 12]
    assert [message.from_s > 5 for message in line.said if isinstance(message, SourceUse)] == [False, True]
    first, second = line.chunks[:3], line.chunks[3:]
    assert all(reserved == 0 and waiting == 1024 for _, waiting, reserved in first)
    kbps = BACKGROUND_SHARE * 1500.0
    assert all(reserved == kbps and waiting == SMALL_CHUNK_BYTES for _, waiting, reserved in second)
    assert sum(size for size, _, _ in second) == 3000
    assert took_s[1] >= 0.9 * (3000 + 12 * PACKET_BYTES) * 8 / 1000 / kbps


async def test_share_is_given_back_where_sending_ends_early() -> None:
    rate = RateController(30.0, 20, max_kbps=10.0)
    line = Line(rate)
    offer = SourceOffer(cast(ControlChannel, line), lambda: 5.0, lambda source, from_s: None, rate)
    offer.offer(FIRST)
    offer.take(SourceReady(sha256=FIRST.sha256))
    offer.offer(SECOND)
    offer.take(SourceWant(sha256=SECOND.sha256))
    await asyncio.sleep(0.01)
    assert rate.reserved_kbps == 2.0
    await offer.close()
    assert rate.reserved_kbps == 0
    assert len(line.chunks) == 1
