"""The ways to send, best first: what is given up next when a link carries less.

DESIGN 7 has the order: messages get longer (each costs 93 B of headers), then frames are repeated less, then the voice
is coded at 9 kbps, then fewer frames are sent (the receiver shows 30 all the same), then they become coarser, then they
have fewer keypoints; at last the voice has 6 kbps. Where nobody speaks a step of the voice costs and saves nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from codec.wire import Level
from sender.loss_policy import DEEPEST

HEADERS_BYTES: Final = 93
"""Of a message below its payload: IP 20, UDP 8, DTLS 37, SCTP 28 (measured with aiortc)."""
MESSAGE_BYTES: Final = 7
"""Of a message above its frames: header, times, the coder's last bytes."""
INTERVALS_S: Final = (0.02, 0.04, 0.06, 0.08, 0.12)
LONGEST_S: Final = 0.24
"""The last resort: nobody can talk well with such a delay, but the face still moves."""
FEW_FRAMES: Final = 15.0
"""Or what is nearest and leaves every second frame, or third, ...: an even spacing is cheaper and smoother."""
FEW_REPEATS: Final = 1
LEVEL_SHARE: Final = {Level.HIGH: 1.0, Level.MEDIUM: 0.7, Level.LOW: 0.5}
"""Bytes of a frame against those of one at `high`."""
KEYPOINT_SHARES: Final = (0.75, 0.5, 0.25)
VOICE_BPS: Final = (12_000, 9_000, 6_000)
"""Opus of a voice: all is well; still wide; as on a telephone, and understood."""
POSE_SHARE: Final = 0.1
"""Of a frame's bytes, what its pose takes whatever the number of keypoints."""


@dataclass(frozen=True)
class Rung:
    """One way to send."""

    interval_s: float
    most_repeats: int
    frame_rate: float
    level: Level
    keypoints: int | None
    """A prefix of all; None is all of them."""
    voice_bps: int = VOICE_BPS[0]
    """Bits a second that a voice is coded at."""

    def kbps(self, repeat: int, frame_bytes: float, all_keypoints: int, sound_bytes: float | None = None) -> float:
        """Predict what it costs on the wire.

        Args: frame_bytes: of a frame with all keypoints at `high`. sound_bytes: a second, at the first of VOICE_BPS;
        None where there is no sound and messages are sent only when there are frames.
        """
        messages = 1 / (self.interval_s if sound_bytes is not None and self.interval_s else self.spacing_s)
        # of a message that is repeated its last frame rides along
        coded = self.frame_rate + messages * min(repeat, self.most_repeats)
        frames = coded * frame_bytes * self.share(all_keypoints)
        sound = (sound_bytes or 0.0) * self.voice_bps / VOICE_BPS[0]
        # SCTP pads to four bytes
        return (messages * (HEADERS_BYTES + MESSAGE_BYTES + 1.5) + frames + sound) * 8 / 1000

    @property
    def spacing_s(self) -> float:
        """From one message to the next, as sender/packetise.py does it: whole frames, as many as the interval takes."""
        return max(1, math.ceil(self.interval_s * self.frame_rate - 1e-6)) / self.frame_rate

    def share(self, all_keypoints: int) -> float:
        """Bytes of a frame against one with all keypoints at `high`."""
        kept = 1.0 if self.keypoints is None else self.keypoints / all_keypoints
        return LEVEL_SHARE[self.level] * (POSE_SHARE + (1 - POSE_SHARE) * kept)


def build_ladder(
    frame_rate: float,
    all_keypoints: int,
    best: Level = Level.HIGH,
    fewer_keypoints: bool = False,
    interval_s: float | None = None,
) -> tuple[Rung, ...]:
    """All ways to send what comes at `frame_rate`, best first, each no dearer than the one before.

    Args: best: the level to begin with. fewer_keypoints: whether the profile can send a prefix of the keypoints.
    interval_s: of all messages, if it is not to be chosen; nothing is given up then.
    """
    if interval_s is not None:
        return (Rung(interval_s, DEEPEST, frame_rate, best, None),)
    return tuple(_rungs(frame_rate, all_keypoints, best, fewer_keypoints))


def _rungs(frame_rate: float, all_keypoints: int, best: Level, fewer_keypoints: bool) -> Iterator[Rung]:
    interval_s = INTERVALS_S[-1]
    spacings_s: set[float] = set()
    for interval_s in INTERVALS_S:
        rung = Rung(interval_s, DEEPEST, frame_rate, best, None)
        if rung.spacing_s not in spacings_s:  # 20 and 40 ms are the same at 25 frames a second
            spacings_s.add(rung.spacing_s)
            yield rung
    full, less, least = VOICE_BPS
    yield Rung(interval_s, FEW_REPEATS, frame_rate, best, None, full)
    yield Rung(interval_s, FEW_REPEATS, frame_rate, best, None, less)
    rate = frame_rate / max(1, round(frame_rate / FEW_FRAMES))
    if rate < frame_rate:
        yield Rung(interval_s, FEW_REPEATS, rate, best, None, less)
    for level in Level:
        if level > best:
            yield Rung(interval_s, FEW_REPEATS, rate, level, None, less)
    keypoints = None
    for share in KEYPOINT_SHARES if fewer_keypoints else ():
        keypoints = max(1, round(share * all_keypoints))
        yield Rung(interval_s, FEW_REPEATS, rate, Level.LOW, keypoints, less)
    yield Rung(interval_s, FEW_REPEATS, rate, Level.LOW, keypoints, least)
    yield Rung(LONGEST_S, FEW_REPEATS, rate, Level.LOW, keypoints, least)
