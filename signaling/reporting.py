"""How a call goes, told to the signaling server for its figures (/metrics): nothing of what is said or seen."""

import asyncio
from contextlib import suppress
from typing import NoReturn

from signaling.client import SignalingClient
from signaling.errors import SignalingError
from signaling.ice_hooks import WireCount
from signaling.messages import Report
from signaling.peer import Peer
from signaling.tasks import for_ever

LAST_TIMEOUT_S = 0.3
LONGEST_S = 3600.0


async def report_call(client: SignalingClient, peer: Peer) -> NoReturn:
    """Report at once how long the connection took, then now and then how it goes, and once more when cancelled.

    A server that is gone, or that wants no reports, is no reason to end anything: this goes on for ever.
    """
    if client.report_each_s is None:
        await for_ever()
    reporter = _Reporter(peer)
    try:
        with suppress(SignalingError):
            await client.send(reporter.first())
            while True:
                await asyncio.sleep(client.report_each_s or LONGEST_S)
                await client.send(reporter.next())
        await for_ever()
    finally:
        with suppress(SignalingError, TimeoutError):
            async with asyncio.timeout(LAST_TIMEOUT_S):
                await client.send(reporter.next())
    raise AssertionError("waits until cancelled")


class _Reporter:
    """What one connection has cost since the last report."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._since_s = peer.now()
        self._sent_bytes, self._received_bytes = peer.tap.sent.bytes, peer.tap.received.bytes

    def first(self) -> Report:
        """Say how long it took to connect."""
        took_s = min(max(0.0, self._since_s - self._peer.began_s), LONGEST_S)
        return Report(connect_s=round(took_s, 3), call_s=0.0, relayed=bool(self._peer.relayed))

    def next(self) -> Report:
        """Say what has crossed the wire since the last time."""
        now_s = self._peer.now()
        call_s = min(max(0.0, now_s - self._since_s), LONGEST_S)
        sent_kbps = self._kbps(self._peer.tap.sent, self._sent_bytes, call_s)
        received_kbps = self._kbps(self._peer.tap.received, self._received_bytes, call_s)
        self._since_s = now_s
        self._sent_bytes, self._received_bytes = self._peer.tap.sent.bytes, self._peer.tap.received.bytes
        return Report(
            call_s=round(call_s, 3),
            sent_kbps=sent_kbps,
            received_kbps=received_kbps,
            relayed=bool(self._peer.relayed),
        )

    def _kbps(self, count: WireCount, before_bytes: int, seconds: float) -> float | None:
        if not self._peer.tap.attached or seconds < 1.0:
            return None
        return round(min((count.bytes - before_bytes) * 8 / 1000 / seconds, 1e6), 2)
