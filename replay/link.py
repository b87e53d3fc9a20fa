"""A link that is only simulated: bytes go in with the time, the time at which they come out comes back, or None.

Plain, deterministic and seeded; nothing waits. A link is a trace of pieces, each of which says how the link is from its
time on: rate, delay, jitter, loss, bursts of loss, overtaking. Traces are small JSON files (tests/vectors/links).

    send -> queue (drops its tail) -> rate -> lost at random, or in a burst -> delay + jitter (+ overtaken) -> arrival
"""

import json
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from replay.errors import TraceError

MOST_PIECES: Final = 100_000
OVERTAKEN_S: Final = 0.1
"""How much later a datagram comes that others overtake."""


@dataclass(frozen=True)
class LinkPiece:
    """How a link is from `time_s` on, until the next piece begins; the last one has no end."""

    time_s: float = 0.0
    kbps: float = math.inf
    """Rate in 1000 bit/s; 0 is an outage, in which datagrams wait as long as the queue lets them."""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Further delay, uniform from 0 to this; what is behind may then be ahead."""
    loss: float = 0.0
    """Share of the datagrams that are lost, each for itself."""
    burst: float = 0.0
    """Share of the datagrams with which a burst of loss begins."""
    burst_length: int = 5
    overtaken: float = 0.0
    """Share of the datagrams that come 100 ms late."""

    def __post_init__(self) -> None:
        if not 0 <= self.time_s < math.inf or self.kbps < 0 or self.delay_ms < 0 or self.jitter_ms < 0:
            raise TraceError(f"expected times, rates and delays of 0 or more, got {self}")
        if not all(0 <= share <= 1 for share in (self.loss, self.burst, self.overtaken)) or self.burst_length < 1:
            raise TraceError(f"expected shares from 0 to 1 and bursts of at least 1, got {self}")


@dataclass(frozen=True)
class LinkTrace:
    """A link over time. `queue_ms`: what would wait longer than that for its turn is dropped."""

    pieces: tuple[LinkPiece, ...]
    queue_ms: float = 500.0

    def __post_init__(self) -> None:
        times_s = [piece.time_s for piece in self.pieces]
        if not 1 <= len(times_s) <= MOST_PIECES or times_s[0] != 0 or times_s != sorted(set(times_s)):
            raise TraceError("expected 1 to 100000 pieces whose times rise from 0")

    def scaled(self, rate: float) -> "LinkTrace":
        """The same link with `rate` times its kbps."""
        return LinkTrace(tuple(replace(piece, kbps=piece.kbps * rate) for piece in self.pieces), self.queue_ms)


def load_trace(path: Path) -> LinkTrace:
    """Read a trace: {"about": ..., "queue_ms": ..., "pieces": [{"time_s": 0, ...}, ...]}. What a piece leaves out is as
    in the piece before it. Raises TraceError.
    """
    try:
        content = json.loads(path.read_text())
        pieces: list[LinkPiece] = []
        for values in content["pieces"]:
            pieces.append(replace(pieces[-1] if pieces else LinkPiece(), **values))
        return LinkTrace(tuple(pieces), float(content.get("queue_ms", 500.0)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise TraceError(f"{path}: expected the trace of a link, got something else ({error!r:.200})") from None


class Link:
    """One direction of a link. Calls come in the order of time."""

    def __init__(self, trace: LinkTrace, seed: int = 0) -> None:
        self._trace = trace
        self._times_s = [piece.time_s for piece in trace.pieces]
        self._random = random.Random(seed)
        self._free_s = 0.0  # when the last datagram has left the queue
        self._burst_left = 0
        self.bytes = 0
        """Bytes that were sent, those that were lost too."""
        self.sent = 0
        self.lost = 0

    def send(self, wire_bytes: int, now_s: float) -> float | None:
        """Send a datagram of so many bytes, headers of IP included; returns when it arrives, None where it is lost."""
        self.sent += 1
        self.bytes += wire_bytes
        through_s = self._through(wire_bytes, max(now_s, self._free_s), now_s + self._trace.queue_ms / 1000)
        piece = self.at(now_s)
        # every draw is made each time, so that one share does not change what the others do
        lost, begins, overtaken, jitter = (self._random.random() for _ in range(4))
        self._burst_left = self._burst_left - 1 if self._burst_left > 0 else 0
        if self._burst_left == 0 and begins < piece.burst:
            self._burst_left = piece.burst_length
        if through_s is not None:
            self._free_s = through_s
        if through_s is None or lost < piece.loss or self._burst_left:
            self.lost += 1
            return None
        late_s = (piece.delay_ms + jitter * piece.jitter_ms) / 1000 + OVERTAKEN_S * (overtaken < piece.overtaken)
        return through_s + late_s

    def at(self, time_s: float) -> LinkPiece:
        """The piece that holds at a time."""
        return self._trace.pieces[bisect_right(self._times_s, time_s) - 1]

    def _through(self, wire_bytes: int, from_s: float, limit_s: float) -> float | None:
        """When the last bit has left, if the first goes at `from_s`; None where that is beyond the limit."""
        left_bits, at_s, began = wire_bytes * 8.0, from_s, False
        for index in range(bisect_right(self._times_s, from_s) - 1, len(self._times_s)):
            kbps = self._trace.pieces[index].kbps
            end_s = self._times_s[index + 1] if index + 1 < len(self._times_s) else math.inf
            if kbps > 0:
                if not began and at_s > limit_s:
                    return None
                began = True
                done_s = at_s + left_bits / (kbps * 1000)
                if done_s <= end_s:
                    return done_s
                left_bits -= (end_s - at_s) * kbps * 1000
            at_s = end_s
        return None  # an outage without end
