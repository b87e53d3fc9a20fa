"""One direction of a call over simulated links: the real encoder, decoder and policies, in no time at all.

    frames -> Encoder -> link -> Decoder -> when was each frame there?
                ^                   |
                └───── link <───────┘  acknowledgements: alone, or in messages that go the other way anyway

A message leaves each interval with the frames captured since the one before.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec import Acknowledgement, CodecTables, Decoder, Encoder, Level, MediaMessage, MissingReference, Motion
from receiver.acknowledge import Acknowledger
from replay.link import Link
from sender.loss_policy import LossPolicy
from sender.rate_estimate import LinkEstimate
from sender.rate_ladder import HEADERS_BYTES

SAME_S: Final = 0.0006
Events = list[tuple[float, int, Callable[[float], None]]]


@dataclass
class SimulatedCall:
    """A call that can be run once. `repeat` None lets the policy choose; `riding`: acknowledgements need no packets."""

    tables: CodecTables
    motions: Sequence[Motion]
    """In the order of capture, from capture time 0 on; each at a whole millisecond of its own."""
    there: Link
    back: Link
    x_c: NDArray[np.float32] | None = None
    interval_s: float = 0.06
    repeat: int | None = None
    riding: bool = False
    level: Level = Level.HIGH
    payload_bytes: int = field(default=0, init=False)
    lacking: int = field(default=0, init=False)
    """Messages that came and could not be read, for what they build on was lost."""
    recoveries_s: list[float] = field(default_factory=list, init=False)
    """How long it took each time from the first such message to one that could be read."""
    repeats: list[int] = field(default_factory=list, init=False)
    came_s: NDArray[np.float64] = field(init=False)
    """When each frame was first there, infinite for never."""

    def __post_init__(self) -> None:
        self.came_s = np.full(len(self.motions), np.inf)
        self._encoder = Encoder(self.tables, level=self.level)
        if self.x_c is not None:
            self._encoder.set_source(self.x_c)
        self._decoder, self._acknowledger = Decoder(self.tables), Acknowledger()
        self._answering = Encoder(self.tables)
        self._answers = Decoder(self.tables)
        self._estimate = LinkEstimate()
        self._policy = LossPolicy(self._estimate.losses)
        self._events: Events = []
        self._count = 0
        self._next = 0
        self._lacking_since_s: float | None = None
        self._index = {_ms(motion): index for index, motion in enumerate(self.motions)}

    @property
    def wire_bytes(self) -> int:
        """Bytes that were sent, headers of IP included: motion, and acknowledgements in packets of their own."""
        return self.there.bytes + self.back.bytes

    def run(self) -> "SimulatedCall":
        """Play it to the end."""
        period_s = self.motions[-1].capture_time_s / max(1, len(self.motions) - 1)
        ticks = int((self.motions[-1].capture_time_s + period_s) / self.interval_s + 1e-6)
        for tick in range(1, ticks + 1):
            self._at(tick * self.interval_s, self._send)
            if self.riding:
                self._at((tick + 0.5) * self.interval_s, self._answer_by_the_way)
        while self._events:
            now_s, _, act = heapq.heappop(self._events)
            act(now_s)
        return self

    def _at(self, time_s: float, act: Callable[[float], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (time_s, self._count, act))

    def _send(self, now_s: float) -> None:
        first = self._next
        while self._next < len(self.motions) and self.motions[self._next].capture_time_s <= now_s + SAME_S:
            self._next += 1
        if first == self._next:
            return
        repeat = self._policy.depth(self.interval_s, now_s) if self.repeat is None else self.repeat
        message = self._encoder.encode(self.motions[first : self._next], repeat=repeat)
        self.repeats.append(repeat)
        self.payload_bytes += len(message)
        wire_bytes = on_the_wire(message)
        self._estimate.sent(wire_bytes, now_s)
        arrival_s = self.there.send(wire_bytes, now_s)
        if arrival_s is not None:
            self._at(arrival_s, lambda at_s: self._receive(message, at_s))

    def _receive(self, message: bytes, now_s: float) -> None:
        try:
            decoded = [self._decoder.decode(message), *self._decoder.unblocked()]
            if self._lacking_since_s is not None:
                self.recoveries_s.append(now_s - self._lacking_since_s)
                self._lacking_since_s = None
        except MissingReference:
            decoded = []
            self.lacking += 1
            self._lacking_since_s = now_s if self._lacking_since_s is None else self._lacking_since_s
        for one in decoded:
            self._take_frames(one, now_s)
        answer = self._decoder.acknowledgement()
        if answer is not None and not self.riding and self._acknowledger.due(answer, now_s):
            packet = self._answering.encode([], acknowledge=answer)
            self._answer(packet, on_the_wire(packet), now_s)

    def _take_frames(self, message: MediaMessage, now_s: float) -> None:
        for motion in (*message.repeated, *message.motions):
            index = self._index[_ms(motion)]
            self.came_s[index] = min(self.came_s[index], now_s)

    def _answer_by_the_way(self, now_s: float) -> None:
        answer = self._decoder.acknowledgement()
        if answer is not None:
            packet = self._answering.encode([], acknowledge=answer)
            self._answer(packet, len(packet), now_s)

    def _answer(self, packet: bytes, wire_bytes: int, now_s: float) -> None:
        arrival_s = self.back.send(wire_bytes, now_s)
        if arrival_s is not None:
            self._at(arrival_s, lambda at_s: self._acknowledged(self._answers.decode(packet).acknowledgement, at_s))

    def _acknowledged(self, acknowledgement: Acknowledgement | None, now_s: float) -> None:
        assert acknowledgement is not None
        self._encoder.take_acknowledgement(acknowledgement)
        self._estimate.acknowledged(acknowledgement, now_s)

    def shown(self, playout_s: float) -> "Shown":
        """What a screen showed that runs `playout_s` behind the camera."""
        capture_s = np.array([motion.capture_time_s for motion in self.motions])
        settled = slice(0, len(self.motions) - 25)  # the last second has no later messages to repeat it
        return judge(self.came_s[settled], capture_s[settled], playout_s)


@dataclass(frozen=True)
class Shown:
    """Frames by how they were shown.

    decoded: shares of frames that were there themselves when their time came. on_time: these, and single frames between
    two that were there, which are interpolated. freeze_s: the longest time that one picture stood.
    """

    decoded: float
    on_time: float
    freeze_s: float


def judge(came_s: NDArray[np.floating[Any]], capture_s: NDArray[np.floating[Any]], playout_s: float) -> Shown:
    """Judge frames that came at `came_s` [N] and were captured at `capture_s` [N]; each is due at capture + playout."""
    due_s = capture_s + playout_s
    decoded = came_s <= due_s
    # the way to the frame after begins at the frame before: both must be there before this one's time
    between = ~decoded
    between[[0, -1]] = False
    between[1:-1] &= decoded[:-2] & (came_s[2:] <= due_s[1:-1])
    moves = np.flatnonzero(decoded | between)
    stood_s = np.diff(due_s[moves]) if len(moves) > 1 else np.array([np.inf])
    return Shown(float(decoded.mean()), float((decoded | between).mean()), float(stood_s.max()))


def _ms(motion: Motion) -> int:
    return round(1000 * motion.capture_time_s)


def on_the_wire(message: bytes) -> int:
    """Bytes of a message as an IP packet; SCTP pads to four."""
    return HEADERS_BYTES + -(-len(message) // 4) * 4


def lengthened(motions: Sequence[Motion], frames: int) -> list[Motion]:
    """So many frames of a clip that is played forth and back, at its own rate."""
    period_s = motions[1].capture_time_s - motions[0].capture_time_s
    order = list(range(len(motions))) + list(range(len(motions) - 2, 0, -1))
    return [replace(motions[order[index % len(order)]], capture_time_s=index * period_s) for index in range(frames)]


def share_on_time(calls: Sequence[SimulatedCall], playout_s: float) -> dict[str, Any]:
    """The figures of several calls together, and of the one that fared worst."""
    shown = [call.shown(playout_s) for call in calls]
    return {
        "decoded": float(np.mean([one.decoded for one in shown])),
        "on_time": float(np.mean([one.on_time for one in shown])),
        "on_time_worst": min(one.on_time for one in shown),
        "freeze_ms": 1000 * max(one.freeze_s for one in shown),
        "wire_bytes": sum(call.wire_bytes for call in calls),
        "payload_bytes": sum(call.payload_bytes for call in calls),
    }
