"""Motion and sound become media messages: what an interval brings travels together, for each costs 93 B of headers.

While sound flows its packets set the pace, and frames ride along.
"""

from typing import Final, NamedTuple

from codec.encoder import Encoder
from codec.motion import Motion
from codec.sound import PACKET_MS, SoundPacket
from codec.wire import MAX_FRAMES
from sender.rate import Plan
from sender.sound_out import LATE_S, SoundOut
from signaling.stages import StageTimes

SLACK_S: Final = 0.008
"""Clocks of pictures and sound do not agree: what is due by less than this goes now."""


class Packed(NamedTuple):
    """A message, how many new frames are in it, and how many of its bytes are sound."""

    message: bytes
    frames: int
    sound_bytes: int


class Packetiser:
    """Gathers frames and encodes them. Plain; `now_s` is passed in, seconds of a monotonic clock."""

    def __init__(
        self,
        encoder: Encoder,
        interval_s: float,
        frame_period_s: float,
        times: StageTimes | None = None,
        sound: SoundOut | None = None,
    ) -> None:
        """Gather for `interval_s`. Frames come each `frame_period_s` (0: unknown), so it is known when no more fit."""
        self.sound = sound or SoundOut()
        self._encoder = encoder
        self._interval_s = interval_s
        self._frame_period_s = self._source_period_s = frame_period_s
        self._repeat = 0
        self._keypoints: int | None = None
        self._times = times or StageTimes("encode")
        self._waiting: list[Motion] = []
        self._began_s = self._sent_s = 0.0

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

    def add_sound(self, packet: SoundPacket, now_s: float) -> None:
        """Take a packet of sound that has just been heard."""
        self.sound.add(packet, now_s)

    @property
    def due_s(self) -> float | None:
        """When what waits must leave at the latest; None where there is nothing."""
        frames_s = self._gathered_s() if self._waiting else None
        if self.sound.waiting:
            sound_s = self._sent_s + self._interval_s - SLACK_S
            return sound_s if frames_s is None else min(sound_s, frames_s)
        return frames_s

    def due(self, now_s: float) -> bool:
        """Whether it is time to send: the interval is over, or would be before the next frame comes."""
        if len(self._waiting) == MAX_FRAMES:
            return True
        if self.sound.waiting:
            return now_s >= self._sent_s + self._interval_s - SLACK_S
        if not self._waiting:
            return False
        if self._waits_for_sound():
            return now_s >= self._gathered_s()
        return now_s + self._frame_period_s >= self._gathered_s()

    def _waits_for_sound(self) -> bool:
        return self._interval_s >= 0.75 * PACKET_MS / 1000 and self.sound.flows(self._began_s)

    def _gathered_s(self) -> float:
        return self._began_s + self._interval_s + (LATE_S if self._waits_for_sound() else 0.0)

    def discard(self) -> int:
        """Forget the frames that wait, and old sound; returns how many frames."""
        count = len(self._waiting)
        self._waiting.clear()
        self.sound.keep_newest()
        return count

    def pack(self, now_s: float = 0.0) -> Packed:
        """Encode what waits into one message."""
        frames, self._sent_s = tuple(self._waiting), now_s
        self._waiting.clear()
        section = self.sound.take(now_s)
        with self._times.measure("encode"):
            message = self._encoder.encode(frames, repeat=self._repeat, keypoints=self._keypoints, sound=section)
        return Packed(message, len(frames), len(section))
