"""Messages back in order. A plain object: time is passed in, nothing waits here.

The media channel is unordered and loses. A message that is ahead of its turn is held for a moment, in case the ones
before it were only overtaken; then they are taken for lost. What comes after that is late, and dropped.
"""

from dataclasses import dataclass, field

from codec.decoder import MediaMessage
from codec.motion import Motion
from codec.wire import unwrap_sequence

MOST_HELD = 64
"""Messages held at a time; at one each 60 ms that is 4 s, far more than any hold."""


@dataclass
class Collector:
    """Gives frames in the order of capture, as far as they came."""

    hold_s: float
    first_sequence: int = 0
    received: int = field(default=0, init=False)
    """Messages that were shown or will be."""
    late: int = field(default=0, init=False)
    duplicate: int = field(default=0, init=False)
    missing: int = field(default=0, init=False)
    """Messages taken for lost; one that then comes is late."""
    frames_dropped: int = field(default=0, init=False)
    """Frames of late and doubled messages, and those captured no later than the one before them."""
    _held: dict[int, tuple[float, MediaMessage]] = field(default_factory=dict, init=False)
    _last_s: float = field(default=-1.0, init=False)

    def __post_init__(self) -> None:
        self._next = self._newest = self.first_sequence
        self._recent: set[int] = set()

    def push(self, message: MediaMessage, now_s: float) -> None:
        """Take a decoded message that came at `now_s`."""
        number = unwrap_sequence(message.sequence, self._newest)
        if number in self._held or number in self._recent:
            self.duplicate += 1
            self.frames_dropped += len(message.motions)
        elif number < self._next:
            self.late += 1
            self.frames_dropped += len(message.motions)
        else:
            self.received += 1
            self._newest = max(self._newest, number)
            self._held[number] = (now_s, message)

    def pop(self, now_s: float) -> list[Motion]:
        """Return the frames whose turn it is at `now_s`."""
        frames: list[Motion] = []
        while self._held:
            first = min(self._held)
            worth_waiting = self.due_s is not None and now_s < self.due_s and len(self._held) <= MOST_HELD
            if first != self._next and worth_waiting:
                break
            frames += self._release(first)
        return frames

    def flush(self) -> list[Motion]:
        """Return all frames that are held: the call is over."""
        return [frame for number in sorted(self._held) for frame in self._release(number)]

    @property
    def due_s(self) -> float | None:
        """When `pop` will give up on a missing message; None while nothing is held."""
        return min(came_s for came_s, _ in self._held.values()) + self.hold_s if self._held else None

    def _release(self, number: int) -> list[Motion]:
        self.missing += number - self._next
        self._next = number + 1
        self._recent = {recent for recent in self._recent if recent > number - MOST_HELD} | {number}
        _, message = self._held.pop(number)
        return [motion for motion in (*message.repeated, *message.motions) if self._in_time(motion)]

    def _in_time(self, motion: Motion) -> bool:
        good = motion.capture_time_s > self._last_s
        self._last_s = max(self._last_s, motion.capture_time_s)
        self.frames_dropped += not good
        return good
