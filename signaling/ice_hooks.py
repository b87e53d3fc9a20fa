"""All that this project touches inside aioice: bytes at the UDP socket, calls without a network, queries that must end.

aiortc counts payloads, not packets, and knows nothing of what STUN and retransmissions cost. What a link carries is
seen only where datagrams enter and leave the socket, and there is no public hook there. This module finds the place,
checks that it looks as expected, and otherwise leaves the connection alone: the call works, its report says null.

    RTCPeerConnection -> RTCSctpTransport -> RTCDtlsTransport -> RTCIceTransport -> aioice.Connection
        ._protocols: list of StunProtocol, one a local address:
            .transport.sendto(data, address)         out
            .datagram_received(data, address)        in
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, SupportsIndex, cast

from aioice import TransportPolicy
from aioice.ice import get_host_addresses
from aioice.turn import TurnClientUdpProtocol
from aiortc import RTCPeerConnection

log = logging.getLogger("facewire.ice")

IP_UDP_BYTES = 28
"""Bytes that IP (20, version 4) and UDP (8) add to each datagram; counted for version 6, too, to keep one measure."""

RELAY_TCP_BYTES = 44
"""IP (20), TCP (20) and TURN's channel (4) around each datagram on its way to a relay by TCP, one a segment. TCP's own
acknowledgements and TLS (22 a record) cannot be seen from here."""

LOOPBACK = "127.0.0.1"
Address = tuple[Any, ...]
Impair = Callable[[bytes, Callable[[], None]], None]
"""A bad network: gets a datagram and the function that delivers it, to be called never, now, later or twice."""


@dataclass
class WireCount:
    """Datagrams in one direction, headers of IP and UDP included."""

    packets: int = 0
    bytes: int = 0

    def add(self, payload_bytes: int, headers_bytes: int = IP_UDP_BYTES) -> None:
        """Count one datagram."""
        self.packets += 1
        self.bytes += payload_bytes + headers_bytes


class UdpTap:
    """Counts every datagram of one peer connection in both directions: STUN, DTLS, SCTP, all of it."""

    def __init__(self, impair: Impair | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self.sent = WireCount()
        self.received = WireCount()
        self.heard_s: float | None = None
        """When the last datagram came in, by `now`."""
        self.attached = False
        self._sockets: list[Any] = []
        self._impair = impair
        self._now = now

    def attach(self, connection: RTCPeerConnection) -> None:
        """Tap a connection that has its data channels but has not gathered candidates yet."""
        ice = _ice_connection(connection)
        if ice is None:
            log.warning("this version of aiortc looks different inside: bytes on the wire are not counted")
            return
        ice._protocols = _Tapped(self, ice._protocols)
        _gather_better(ice)
        _end_consent_with_the_connection(ice)
        self.attached = True

    def tap(self, protocol: Any) -> None:
        """Put the tap between a protocol and its socket."""
        socket_owner, stream = _socket_owner(protocol)
        headers_bytes = IP_UDP_BYTES if stream is None else RELAY_TCP_BYTES
        receive = socket_owner.datagram_received
        self._sockets.append(socket_owner.transport if stream is None else stream)
        socket_owner.transport = _CountingTransport(socket_owner.transport, self, headers_bytes)

        def datagram_received(data: bytes, address: Address) -> None:
            def deliver() -> None:
                self.received.add(len(data), headers_bytes)
                self.heard_s = self._now()
                receive(data, address)

            if self._impair is None:
                deliver()
            else:
                self._impair(data, deliver)

        socket_owner.datagram_received = datagram_received

    def abort(self) -> None:
        """Close every socket at once, whatever still waits to be sent. Closing waits for a socket that is stuck."""
        for socket in self._sockets:
            socket.abort()


def _ice_connection(connection: RTCPeerConnection) -> Any:
    """Return the aioice.Connection below, or None where it is not as known."""
    place: Any = connection
    for step in ("sctp", "transport", "transport", "_connection"):
        place = getattr(place, step, None)
    as_known = isinstance(getattr(place, "_protocols", None), list) and hasattr(place, "get_component_candidates")
    return place if as_known else None


def address_gone(connection: RTCPeerConnection) -> bool:
    """Whether the connection leaves from an address that this machine no longer has: nothing will come on it again.

    False for a relayed connection, one on this machine alone, one that does not stand, and where that cannot be known.
    """
    pairs = getattr(_ice_connection(connection), "_nominated", {}).values()
    used = {pair.local_candidate.host for pair in pairs if pair.local_candidate.type == "host"} - {LOOPBACK}
    return bool(used) and not used & set(get_host_addresses(use_ipv4=True, use_ipv6=True))


def relayed(connection: RTCPeerConnection) -> bool | None:
    """Whether a TURN server of either side is on the way; None while there is no way, or where it cannot be known."""
    pairs = list(getattr(_ice_connection(connection), "_nominated", {}).values())
    kinds = {candidate.type for pair in pairs for candidate in (pair.local_candidate, pair.remote_candidate)}
    return "relay" in kinds if pairs else None


def use_relay_only(connection: RTCPeerConnection) -> bool:
    """Look for no way but through a TURN server; False where this aiortc cannot be told so."""
    ice = _ice_connection(connection)
    if ice is None or not hasattr(ice, "_transport_policy"):
        return False
    ice._transport_policy = TransportPolicy.RELAY
    return True


def _socket_owner(protocol: Any) -> tuple[Any, Any]:
    """Return the protocol whose datagrams are counted, and the stream that carries them where it is no UDP socket.

    That is itself, or TURN's, whose packets carry ours (and its own refreshes). By TCP TURN's has no datagrams.
    """
    inner = getattr(protocol.transport, "_TurnTransport__inner_protocol", None)
    if inner is None or isinstance(inner, TurnClientUdpProtocol):
        return inner or protocol, None
    return protocol, inner.transport


class _Tapped(list[Any]):
    """aioice's list of protocols; taps each one that is added, before it has sent its first packet."""

    def __init__(self, tap: UdpTap, protocols: Iterable[Any]) -> None:
        super().__init__()
        self._tap = tap
        self += list(protocols)

    def append(self, protocol: Any, /) -> None:
        self._tap.tap(protocol)
        super().append(protocol)

    def __iadd__(self, protocols: Iterable[Any], /) -> "_Tapped":  # type: ignore[misc]
        for protocol in protocols:
            self.append(protocol)
        return self

    def insert(self, index: SupportsIndex, protocol: Any, /) -> None:
        raise AssertionError("aioice only appends")


class _CountingTransport:
    """A datagram transport that counts what leaves; everything else is the real one's."""

    def __init__(self, transport: asyncio.DatagramTransport, tap: UdpTap, headers_bytes: int) -> None:
        self._transport = transport
        self._tap = tap
        self._headers_bytes = headers_bytes

    def sendto(self, data: bytes, *address: Any) -> None:
        self._tap.sent.add(len(data), self._headers_bytes)
        self._transport.sendto(data, *address)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _gather_better(ice: Any) -> None:
    """Let peers on a machine without network meet on 127.0.0.1 (aioice leaves loopback out); end what is cancelled."""
    gather = ice.get_component_candidates

    async def get_component_candidates(component: int, addresses: list[str], timeout: int = 5) -> list[Any]:
        if not addresses and getattr(ice, "_transport_policy", None) == TransportPolicy.ALL:
            addresses = [LOOPBACK]
        coroutine = gather(component, addresses, timeout)
        gathering = asyncio.create_task(coroutine, name="gather candidates")
        try:
            return cast(list[Any], await asyncio.shield(gathering))
        except asyncio.CancelledError:
            # cancelled, aioice forgets its queries to STUN and TURN servers and the sockets that it has just made
            known = coroutine.cr_frame.f_locals if coroutine.cr_frame else {}
            for query in known.get("tasks", ()):
                query.cancel()
            for protocol in known.get("host_protocols", ()):
                protocol.transport.close()
            gathering.cancel()
            raise

    ice.get_component_candidates = get_component_candidates


def _end_consent_with_the_connection(ice: Any) -> None:
    """Keep aioice from asking for consent for ever on a connection that was closed while its checks were completing."""
    ask = getattr(ice, "query_consent", None)
    if ask is None or not hasattr(ice, "_closing"):
        return

    async def query_consent() -> None:
        if not ice._closing:
            await ask()

    ice.query_consent = query_consent
