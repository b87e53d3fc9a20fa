"""What both programs have to tell when a call is over, as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from signaling.ice_hooks import UdpTap


@dataclass
class CallReport:
    """Figures of one side of a call.

    Wire figures hold every datagram that this side sent (out) or received (in), with 28 B each for IP and UDP; None
    where they could not be counted. Payload is media messages alone.
    """

    model_id: str = ""
    profile: str = ""
    level: str = ""
    """How motion is coded; the finest level of those that were used."""
    payload_bytes: int = 0
    sound_bytes: int = 0
    """Of these, those of sound; none where there is none."""
    sound_packets: int = 0
    """Packets of 60 ms; silence has none."""
    source_bytes: int = 0
    """Bytes of the source picture that crossed the wire; 0 where the receiver had it."""
    wire_bytes_out: int | None = None
    wire_bytes_in: int | None = None
    wire_packets_out: int | None = None
    wire_packets_in: int | None = None
    setup_wire_bytes_out: int | None = None
    setup_wire_bytes_in: int | None = None
    """Of the wire bytes, those before the first media message: connection, hello, source picture."""
    way: str | None = None
    """`direct`, or `relayed` over a TURN server; None where no connection stood."""
    duration_s: float = 0.0
    """Seconds from the start of media to the end of the call."""
    ended: str = "the call did not begin"

    def take_setup(self, tap: UdpTap) -> None:
        """Note what was spent before the first media message."""
        if tap.attached:
            self.setup_wire_bytes_out, self.setup_wire_bytes_in = tap.sent.bytes, tap.received.bytes

    def take_wire(self, tap: UdpTap, relayed: bool | None = None) -> None:
        """Note what has crossed the wire, and which way it took."""
        if relayed is not None:
            self.way = "relayed" if relayed else "direct"
        if tap.attached:
            self.wire_bytes_out, self.wire_packets_out = tap.sent.bytes, tap.sent.packets
            self.wire_bytes_in, self.wire_packets_in = tap.received.bytes, tap.received.packets

    def rates(self) -> str:
        """Say payload and wire rates since the start of media, for the progress line."""
        words = [f"payload {self._kbps(self.payload_bytes)} kbps"]
        for direction, total, setup in (
            ("out", self.wire_bytes_out, self.setup_wire_bytes_out),
            ("in", self.wire_bytes_in, self.setup_wire_bytes_in),
        ):
            if total is not None and setup is not None:
                words.append(f"wire {direction} {self._kbps(total - setup)} kbps")
        return ", ".join(words)

    def _kbps(self, count_bytes: int) -> str:
        return f"{count_bytes * 8 / 1000 / self.duration_s:.1f}" if self.duration_s else "-"

    @property
    def frames_crossed(self) -> int:
        """Frames in the media messages that are counted."""
        return 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it, with rates since the start of media; None where they are not known."""
        each = round((self.payload_bytes - self.sound_bytes) / self.frames_crossed, 2) if self.frames_crossed else None
        rates = {
            "bytes_per_frame": each,
            "payload_kbps": self._rate(self.payload_bytes, 0),
            "wire_kbps_out": self._rate(self.wire_bytes_out, self.setup_wire_bytes_out),
            "wire_kbps_in": self._rate(self.wire_bytes_in, self.setup_wire_bytes_in),
        }
        return asdict(self) | rates

    def _rate(self, total: int | None, setup: int | None) -> float | None:
        if total is None or setup is None or not self.duration_s:
            return None
        return round((total - setup) * 8 / 1000 / self.duration_s, 2)
