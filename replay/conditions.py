"""A recorded call over another link: its motion is sent once more, by the real coders and policies, in no time at all.

What a recording holds was made for the link that it crossed: repeats and new starts are answers to what the other side
said then. So the motion of the frames is coded anew, and the acknowledgements of the simulated call decide.
"""

from dataclasses import dataclass, replace

import numpy as np

from codec.codec_tables import CodecTables
from codec.wire import Level
from replay.errors import TraceError
from replay.link import Link, LinkPiece, LinkTrace
from replay.recorded_call import Came, Face
from replay.simulated_call import SimulatedCall

MOST_DELAY_MS = 10_000.0


@dataclass(frozen=True)
class Conditions:
    """A link, the same in both directions.

    drop: share of packets lost. delay_ms, jitter_ms: on the way there, and on the way back. reorder: share of packets
    that others overtake. seed: which ones. Raises TraceError for what is out of range.
    """

    drop: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.drop < 1 and 0 <= self.reorder <= 1):
            raise TraceError(f"expected shares of packets from 0 to 1, got {self.drop:g} and {self.reorder:g}")
        if not (0 <= self.delay_ms <= MOST_DELAY_MS and 0 <= self.jitter_ms <= MOST_DELAY_MS):
            raise TraceError(
                f"expected delay and jitter of 0 to {MOST_DELAY_MS:g} ms, got {self.delay_ms:g} and {self.jitter_ms:g}"
            )

    @property
    def given(self) -> bool:
        """Whether there is anything to simulate."""
        return self != Conditions(seed=self.seed)


@dataclass(frozen=True)
class Resent:
    """Frames with their new arrivals, and what it took. lost: frames that never came."""

    frames: list[Came]
    lost: int
    payload_bytes: int


def resend(face: Face, tables: CodecTables, conditions: Conditions) -> Resent:
    """Send a face's motion over such a link. Arrivals are seconds since the first frame was captured."""
    first_s = face.frames[0].motion.capture_time_s
    motions = [replace(motion, capture_time_s=motion.capture_time_s - first_s) for motion in face.motions]
    (_, level), _ = face.codings.most_common(1)[0]
    piece = LinkPiece(
        delay_ms=conditions.delay_ms,
        jitter_ms=conditions.jitter_ms,
        loss=conditions.drop,
        overtaken=conditions.reorder,
    )
    there, back = (Link(LinkTrace((piece,)), conditions.seed * 2 + way) for way in (0, 1))
    call = SimulatedCall(tables, motions, there, back, level=Level[(level or "high").upper()]).run()
    came = [
        Came(motion, float(came_s))
        for motion, came_s in zip(face.motions, call.came_s, strict=True)
        if np.isfinite(came_s)
    ]
    return Resent(came, len(motions) - len(came), call.payload_bytes)
