"""What a way to send a clip costs, in kbit/s.

payload     all bytes of the clip, the picture of the start included (I frame and parameter sets; source picture)
steady      without that picture: P frames alone, motion alone; what a long call comes to
minute      the steady rate, and the picture of the start spread over 60 s
wire        with 50 B for each packet (IP 20, UDP 8, RTP 12, SRTP tag 10) of at most 1150 B, at least one a frame
channel     facewire's messages over a WebRTC data channel, 93 B each and padded to four: what a call really costs
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from replay.simulated_call import on_the_wire

RTP_HEADERS_BYTES: Final = 50
RTP_PAYLOAD_BYTES: Final = 1150
MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class Rates:
    """Rates of one clip in kbit/s (`bpp`: payload bits a pixel); `start_bytes` is the first picture's payload.

    channel_kbps: steady, over a data channel; None for codecs, which go over RTP.
    """

    payload_kbps: float
    wire_kbps: float
    steady_kbps: float
    steady_wire_kbps: float
    minute_kbps: float
    minute_wire_kbps: float
    channel_kbps: float | None
    start_bytes: int
    bpp: float


def codec_rates(counted: Sequence[int], seconds: float, side_px: int) -> Rates:
    """Rates of a coded clip: bytes of each access unit, the first one the I frame."""
    steady_s = seconds * (len(counted) - 1) / len(counted)
    start, rest = counted[0], counted[1:]
    steady, steady_wire = _kbps(sum(rest), steady_s), _kbps(sum(map(on_rtp, rest)), steady_s)
    return Rates(
        payload_kbps=_kbps(sum(counted), seconds),
        wire_kbps=_kbps(sum(map(on_rtp, counted)), seconds),
        steady_kbps=steady,
        steady_wire_kbps=steady_wire,
        minute_kbps=steady + _kbps(start, MINUTE_S),
        minute_wire_kbps=steady_wire + _kbps(on_rtp(start), MINUTE_S),
        channel_kbps=None,
        start_bytes=start,
        bpp=8 * sum(counted) / (len(counted) * side_px**2),
    )


def motion_rates(messages: Sequence[bytes], source_bytes: int, frames: int, seconds: float, side_px: int) -> Rates:
    """Rates of facewire: messages of a clip and the source picture, which are all the picture there is."""
    sizes = [len(message) for message in messages]
    steady, steady_wire = _kbps(sum(sizes), seconds), _kbps(sum(map(on_rtp, sizes)), seconds)
    return Rates(
        payload_kbps=steady + _kbps(source_bytes, seconds),
        wire_kbps=steady_wire + _kbps(on_rtp(source_bytes), seconds),
        steady_kbps=steady,
        steady_wire_kbps=steady_wire,
        minute_kbps=steady + _kbps(source_bytes, MINUTE_S),
        minute_wire_kbps=steady_wire + _kbps(on_rtp(source_bytes), MINUTE_S),
        channel_kbps=_kbps(sum(map(on_the_wire, messages)), seconds),
        start_bytes=source_bytes,
        bpp=8 * (sum(sizes) + source_bytes) / (frames * side_px**2),
    )


def on_rtp(size: int) -> int:
    """Bytes on the wire of an access unit or message of `size` bytes; an empty one is a packet, too."""
    return size + RTP_HEADERS_BYTES * max(1, -(-size // RTP_PAYLOAD_BYTES))


def _kbps(size: int, seconds: float) -> float:
    return 8 * size / 1000 / seconds
