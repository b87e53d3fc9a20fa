"""A rate controller on a simulated link, with messages that are only as long as real ones."""

from collections import deque
from dataclasses import dataclass, field, replace

from codec.acknowledgement import ACKNOWLEDGED_BEFORE, Acknowledgement
from receiver.acknowledge import Acknowledger
from replay.link import Link, LinkTrace
from sender.rate import Plan, RateController
from sender.rate_ladder import HEADERS_BYTES, LEVEL_SHARE, MESSAGE_BYTES

ACK_BYTES = 101
FRAME_BYTES = 7.0
SEQUENCES = 1024


@dataclass
class Second:
    """What happened in one second of the call."""

    sent_bytes: int = 0
    late_ms: list[float] = field(default_factory=list)
    sent: int = 0
    came: int = 0

    @property
    def kbps(self) -> float:
        return self.sent_bytes * 8 / 1000


class Receiver:
    """Knows which messages came; acknowledges as the real one does."""

    def __init__(self) -> None:
        self.came: set[int] = set()
        self.acknowledger = Acknowledger()

    def take(self, number: int, now_s: float) -> Acknowledgement | None:
        self.came.add(number)
        newest = max(self.came)
        bits = sum(1 << back - 1 for back in range(1, ACKNOWLEDGED_BEFORE + 1) if newest - back in self.came)
        acknowledgement = Acknowledgement(newest % SEQUENCES, bits)
        return acknowledgement if self.acknowledger.due(acknowledgement, now_s) else None


class Simulation:
    """Runs a controller against a link for a while; `plans` and `seconds` tell what became of it."""

    def __init__(
        self,
        trace: LinkTrace,
        controller: RateController,
        frame_rate: float = 25.0,
        seed: int = 0,
        there: Link | None = None,
    ) -> None:
        self.controller = controller
        # bursts last a while; counted in messages, those of the few acknowledgements would last for seconds
        back = LinkTrace(tuple(replace(piece, burst=0.0) for piece in trace.pieces), trace.queue_ms)
        self._there, self._back = there or Link(trace, seed), Link(back, seed + 1000)
        self._receiver = Receiver()
        self._frame_rate = frame_rate
        self._under_way: list[tuple[float, int, float]] = []
        self._acks: deque[tuple[float, Acknowledgement]] = deque()
        self.plans: list[tuple[float, Plan]] = []
        self.seconds: list[Second] = []

    def run(self, until_s: float) -> "Simulation":
        number, waiting, began_s, kept_s = 0, 0, 0.0, -1.0
        for index in range(int(until_s * self._frame_rate)):
            now_s = index / self._frame_rate
            self._deliver(now_s)
            while len(self.seconds) <= now_s:
                self.seconds.append(Second())
            plan = self.controller.plan(now_s)
            if not self.plans or self.plans[-1][1] != plan:
                self.plans.append((now_s, plan))
            if plan.thin and now_s - kept_s < 0.75 / plan.frame_rate:
                continue
            kept_s = now_s
            began_s = now_s if not waiting else began_s
            waiting += 1
            if now_s + 1 / plan.frame_rate - began_s >= plan.interval_s - 1e-6:
                self._send(number, waiting, plan, now_s)
                number, waiting = number + 1, 0
        return self

    def _send(self, number: int, frames: int, plan: Plan, now_s: float) -> None:
        payload = MESSAGE_BYTES + round((frames + plan.repeat) * FRAME_BYTES * LEVEL_SHARE[plan.level])
        self.controller.sent(payload, frames, now_s)
        second = self.seconds[int(now_s)]
        second.sent += 1
        second.sent_bytes += payload + HEADERS_BYTES
        arrival_s = self._there.send(payload + HEADERS_BYTES, now_s)
        if arrival_s is not None:
            self._under_way.append((arrival_s, number, now_s))

    def _deliver(self, now_s: float) -> None:
        for arrival in sorted(one for one in self._under_way if one[0] <= now_s):
            self._under_way.remove(arrival)
            arrival_s, number, sent_s = arrival
            self.seconds[int(sent_s)].came += 1
            self.seconds[int(sent_s)].late_ms.append(1000 * (arrival_s - sent_s))
            acknowledgement = self._receiver.take(number, arrival_s)
            back_s = self._back.send(ACK_BYTES, arrival_s) if acknowledgement else None
            if acknowledgement and back_s is not None:
                self._acks.append((back_s, acknowledgement))
        while self._acks and self._acks[0][0] <= now_s:
            self.controller.acknowledged(self._acks.popleft()[1], now_s)

    def plan_at(self, time_s: float) -> Plan:
        return [plan for at_s, plan in self.plans if at_s <= time_s][-1]

    def kbps(self, from_s: int, to_s: int) -> float:
        return sum(second.kbps for second in self.seconds[from_s:to_s]) / (to_s - from_s)

    def loss(self, from_s: int, to_s: int) -> float:
        of = self.seconds[from_s:to_s]
        return 1 - sum(second.came for second in of) / sum(second.sent for second in of)

    def slowest_ms(self, from_s: int, to_s: int) -> float:
        return max((late for second in self.seconds[from_s:to_s] for late in second.late_ms), default=0.0)

    def late_share(self, from_s: int, to_s: int, ms: float) -> float:
        """Share of what was sent that came later than that, or never."""
        of = self.seconds[from_s:to_s]
        in_time = sum(late <= ms for second in of for late in second.late_ms)
        return 1 - in_time / sum(second.sent for second in of)
