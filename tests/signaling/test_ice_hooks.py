"""ice_hooks.py: where datagrams are counted, with stand-ins for aioice's sockets."""

from typing import Any, cast

from aioice.turn import TurnClientUdpProtocol

from signaling.ice_hooks import IP_UDP_BYTES, UdpTap, WireCount, _Tapped


class Socket:
    """A datagram transport."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[Any, ...]]] = []

    def sendto(self, data: bytes, *address: Any) -> None:
        self.sent.append((data, address))

    def get_extra_info(self, name: str) -> str:
        return f"info on {name}"


class Host:
    """aioice's StunProtocol on an address of this machine."""

    def __init__(self) -> None:
        self.socket = Socket()
        self.transport: Any = self.socket
        self.received: list[tuple[bytes, Any]] = []

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.received.append((data, address))


def test_tap_counts_both_directions_and_passes_all_on() -> None:
    tap = UdpTap(now=lambda: 5.0)
    host = Host()
    protocols = _Tapped(tap, [])
    protocols += [host]
    host.transport.sendto(b"abc", ("192.0.2.1", 1))
    host.datagram_received(b"defgh", ("192.0.2.1", 1))
    assert host.socket.sent == [(b"abc", (("192.0.2.1", 1),))]
    assert host.received == [(b"defgh", ("192.0.2.1", 1))]
    assert tap.sent == WireCount(1, 3 + IP_UDP_BYTES)
    assert tap.received == WireCount(1, 5 + IP_UDP_BYTES)
    assert tap.heard_s == 5.0
    assert host.transport.get_extra_info("peername") == "info on peername"
    assert protocols == [host]


def test_tap_behind_a_relay_counts_the_packets_to_the_relay() -> None:
    relay = TurnClientUdpProtocol(("192.0.2.9", 3478), "user", "password", 600, 500)
    inner = Socket()
    relay.transport = cast(Any, inner)

    class TurnTransport:
        """What aioice puts where a socket would be."""

        def __init__(self) -> None:
            self._TurnTransport__inner_protocol = relay

        def sendto(self, data: bytes, address: Any) -> None:
            relay._send(b"\x40\x00\x00\x03" + data)  # ChannelData: 4 bytes more

    host = Host()
    host.transport = TurnTransport()
    tap = UdpTap()
    _Tapped(tap, []).append(host)
    host.transport.sendto(b"abc", ("192.0.2.1", 1))
    assert inner.sent == [(b"\x40\x00\x00\x03abc", ())]
    assert tap.sent == WireCount(1, 7 + IP_UDP_BYTES)


def test_tap_does_not_count_what_a_bad_network_loses() -> None:
    held = []
    tap = UdpTap(impair=lambda data, deliver: held.append(deliver))
    host = Host()
    _Tapped(tap, [host])
    host.datagram_received(b"abc", None)
    assert (tap.received.packets, tap.heard_s, host.received) == (0, None, [])
    held[0]()
    assert tap.received.packets == 1
    assert host.received == [(b"abc", None)]
