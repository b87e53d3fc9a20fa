"""What acknowledgements tell of the link: loss, round trip, what waits in queues, and how much gets through.

Plain; the time is passed in, seconds of a monotonic clock. One acknowledgement names the newest message that came and
which of the 16 before it did. It is sent when that message comes, so the time since that one was sent is a round trip.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from codec.acknowledgement import ACKNOWLEDGED_BEFORE, Acknowledgement
from codec.wire import unwrap_sequence
from sender.loss_policy import LossWindow

OVERTAKEN: Final = 3
"""A message is lost when one sent so many later has come and it has not."""
REMEMBERED: Final = 1024
BASE_S: Final = 10.0
"""The shortest round trip of this time is the one without queues."""
DELIVERED_S: Final = 1.5
SMOOTHED: Final = 3
"""Round trips of which the shortest counts: one late message is no queue."""


@dataclass
class _Sent:
    wire_bytes: int
    sent_s: float
    spoken_of: bool = False
    came: bool = False


class _RoundTrip(NamedTuple):
    at_s: float
    rtt_s: float


class LinkEstimate:
    """Takes what was sent and what was acknowledged."""

    def __init__(self, first_sequence: int = 0) -> None:
        self._next = self._judged = first_sequence
        self._newest = first_sequence - 1
        self._sent: dict[int, _Sent] = {}
        self._trips: deque[_RoundTrip] = deque()
        self._delivered: deque[tuple[float, int]] = deque()
        self._ignore_before_s = 0.0
        self._waiting_since_s: float | None = None
        self.losses = LossWindow()

    def sent(self, wire_bytes: int, now_s: float) -> None:
        """Note the next message, with its headers."""
        self._sent[self._next] = _Sent(wire_bytes, now_s)
        self._next += 1
        self._waiting_since_s = now_s if self._waiting_since_s is None else self._waiting_since_s
        self._sent.pop(self._next - REMEMBERED, None)

    def acknowledged(self, acknowledgement: Acknowledgement, now_s: float) -> None:
        """Take an acknowledgement; one of what was never sent is ignored."""
        newest = unwrap_sequence(acknowledgement.newest, self._next - 1)
        if acknowledgement.newest < 0 or newest not in self._sent:
            return
        self._waiting_since_s = None
        self._mark(newest, True, now_s)
        for back in range(1, ACKNOWLEDGED_BEFORE + 1):
            self._mark(newest - back, bool(acknowledgement.received >> (back - 1) & 1), now_s)
        if newest > self._newest:
            self._newest = newest
            self._add_round_trip(self._sent[newest].sent_s, now_s)
        self._judge()
        while self._delivered and self._delivered[0][0] < now_s - DELIVERED_S:
            self._delivered.popleft()

    def _mark(self, number: int, came: bool, now_s: float) -> None:
        message = self._sent.get(number)
        if message is None:
            return
        message.spoken_of = True
        if came and not message.came:
            message.came = True
            self._delivered.append((now_s, message.wire_bytes))

    def _add_round_trip(self, sent_s: float, now_s: float) -> None:
        if sent_s < self._ignore_before_s:
            return
        self._trips.append(_RoundTrip(now_s, now_s - sent_s))
        while self._trips[0].at_s < now_s - BASE_S:
            self._trips.popleft()

    def _judge(self) -> None:
        """Say of each message that is old enough whether it was lost; nothing is known of some, and nothing is said."""
        for number in range(self._judged, self._newest - OVERTAKEN + 1):
            message = self._sent.get(number)
            if message is not None and message.spoken_of:
                self.losses.add(not message.came)
        self._judged = max(self._judged, self._newest - OVERTAKEN + 1)

    def forget_queues(self, now_s: float) -> None:
        """Leave what was sent before now out of the round trips: it waited in an outage, not in a queue of ours."""
        self._ignore_before_s = now_s
        self._delivered.clear()

    def rebase(self, since_s: float) -> None:
        """Take the round trips since then for the new ones without queues: the way has become longer."""
        self._trips = deque(trip for trip in self._trips if trip.at_s >= since_s)

    @property
    def rtt_s(self) -> float | None:
        """The shortest of the last three round trips; None before the first."""
        return min(trip.rtt_s for trip in list(self._trips)[-SMOOTHED:]) if self._trips else None

    @property
    def queue_s(self) -> float:
        """How much longer than the shortest round trip the last ones were."""
        return self.rtt_s - min(trip.rtt_s for trip in self._trips) if self.rtt_s is not None else 0.0

    def spread_s(self, since_s: float) -> tuple[float, float] | None:
        """Shortest and longest round trip since then; None for fewer than three."""
        trips = [trip.rtt_s for trip in self._trips if trip.at_s >= since_s]
        return (min(trips), max(trips)) if len(trips) >= SMOOTHED else None

    @property
    def delivered_kbps(self) -> float | None:
        """What got through of late, headers included; None where too little is known."""
        if len(self._delivered) < SMOOTHED:
            return None
        first_s, last_s = self._delivered[0][0], self._delivered[-1][0]
        count = sum(wire_bytes for at_s, wire_bytes in self._delivered if at_s > first_s)
        return count * 8 / 1000 / (last_s - first_s) if last_s > first_s else None

    def silent_s(self, now_s: float) -> float:
        """How long messages have been sent since the last acknowledgement without another one."""
        return 0.0 if self._waiting_since_s is None else now_s - self._waiting_since_s
