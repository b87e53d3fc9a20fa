"""Motion becomes media messages: the frames of one interval travel together, for each message costs 93 B of headers."""

from codec.encoder import Encoder
from codec.motion import Motion
from codec.wire import MAX_FRAMES
from sender.rate import Plan
from signaling.stages import StageTimes


class Packetiser:
    """Gathers frames and encodes them. Plain; `now_s` is passed in, seconds of a monotonic clock."""

    def __init__(
        self, encoder: Encoder, interval_s: float, frame_period_s: float, times: StageTimes | None = None
    ) -> None:
        """Gather for `interval_s`. Frames come each `frame_period_s` (0: unknown), so it is known when no more fit."""
        self._encoder = encoder
        self._interval_s = interval_s
        self._frame_period_s = self._source_period_s = frame_period_s
        self._repeat = 0
        self._keypoints: int | None = None
        self._times = times or StageTimes("encode")
        self._waiting: list[Motion] = []
        self._began_s = 0.0

    def follow(self, plan: Plan) -> None:
        """Gather and encode as the rate control says from now on."""
        self._interval_s, self._repeat, self._keypoints = plan.interval_s, plan.repeat, plan.keypoints
        self._frame_period_s = 1 / plan.frame_rate if plan.thin else self._source_period_s
        self._encoder.level = plan.level

    def add(self, motion: Motion, now_s: float) -> None:
        """Take a frame."""
        if not self._waiting:
            self._began_s = now_s
        self._waiting.append(motion)

    @property
    def due_s(self) -> float | None:
        """When the frames that wait must leave at the latest; None where there are none."""
        return self._began_s + self._interval_s if self._waiting else None

    def due(self, now_s: float) -> bool:
        """Whether it is time to send: the interval is over, or would be before the next frame comes."""
        if not self._waiting:
            return False
        full = len(self._waiting) == MAX_FRAMES
        return full or now_s + self._frame_period_s >= self._began_s + self._interval_s

    def discard(self) -> int:
        """Forget the frames that wait; returns how many."""
        count = len(self._waiting)
        self._waiting.clear()
        return count

    def pack(self) -> tuple[bytes, int]:
        """Encode the frames that wait into one message; returns it and their number."""
        frames = tuple(self._waiting)
        self._waiting.clear()
        with self._times.measure("encode"):
            return self._encoder.encode(frames, repeat=self._repeat, keypoints=self._keypoints), len(frames)
