"""Every profile, level and number of keypoints over the same motion: bytes, keypoint error, time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from benchmarks.val_motion import RATE, ClipMotion, keypoints_px
from codec import CodecTables, Decoder, Encoder, Level, Motion, Profile
from models.weights import Model
from sender.compress import MESSAGE_S, encode_motions
from sender.keypoints import ALLOWED_PX, read_choice

T = TypeVar("T")


class Way(NamedTuple):
    """One way to code motion; keypoints as `--keypoints` takes them."""

    profile: Profile
    level: Level
    keypoints: str = "all"

    @property
    def name(self) -> str:
        """What the tables call it."""
        if self.profile is Profile.PREDICTIVE:
            return f"predictive, {self.level.name.lower()}"
        if self.keypoints == "adaptive":
            return f"paper, adaptive {ALLOWED_PX[self.level]:g} px"
        return f"paper, {self.keypoints} keypoints"


LEVELS = tuple(Way(Profile.PREDICTIVE, level) for level in Level)
ADAPTIVE = tuple(Way(Profile.PAPER, level, "adaptive") for level in Level)
FIXED = tuple(Way(Profile.PAPER, Level.HIGH, keypoints) for keypoints in ("all", "17", "14", "11", "8", "5"))
WAYS = LEVELS + FIXED + ADAPTIVE


@dataclass(frozen=True)
class Coded:
    """One clip coded one way. decoded: the motions as the receiver has them; times are CPU ms of one message each."""

    clip: ClipMotion
    messages: tuple[bytes, ...]
    decoded: tuple[Motion, ...]
    encode_ms: tuple[float, ...]
    decode_ms: tuple[float, ...]
    errors_px: Any
    """How far each keypoint lies from where the uncoded motion puts it, at 256 px, in x and y together: [N,K]."""


def code_clip(clip: ClipMotion, model: Model, tables: CodecTables, way: Way) -> Coded:
    """Code and decode a clip as a sender and a receiver on a link without loss would, in messages of 60 ms.

    Raises AssertionError where the frames or times that come out are not those that went in.
    """
    encoder = Encoder(tables, way.profile, way.level)
    encoder.set_source(clip.x_c[0].numpy())
    choice = read_choice(way.keypoints, way.profile, model.config, way.level)
    sent, encode_ms = timed(encode_motions(clip.motions, encoder, choice, MESSAGE_S, 1 / RATE))
    messages = tuple(message for _, message in sent)
    decoder = Decoder(tables)
    spoken, decode_ms = timed(decoder.decode(message) for message in messages)
    decoded = tuple(motion for message in spoken for motion in message.motions)
    if [motion.capture_time_s for motion in decoded] != [motion.capture_time_s for motion in clip.motions]:
        raise AssertionError(f"{clip.name}: {way.name} does not give the frames back that went in")
    moved = keypoints_px(model, clip.x_c, decoded) - keypoints_px(model, clip.x_c, clip.motions)
    return Coded(clip, messages, decoded, encode_ms, decode_ms, np.linalg.norm(moved, axis=2))


def timed(items: Iterator[T]) -> tuple[tuple[T, ...], tuple[float, ...]]:
    """All of what an iterator gives, and the CPU milliseconds that each took to make."""
    made: list[T] = []
    times_ms: list[float] = []
    while True:
        begin = time.thread_time()
        item = next(items, None)
        if item is None:
            return tuple(made), tuple(times_ms)
        times_ms.append((time.thread_time() - begin) * 1e3)
        made.append(item)


def summarise(way: Way, clips: Sequence[Coded]) -> dict[str, Any]:
    """Figures of all clips together, each frame of equal weight."""
    messages = [message for coded in clips for message in coded.messages]
    frames = sum(len(coded.decoded) for coded in clips)
    errors = np.concatenate([coded.errors_px for coded in clips])
    a_frame = sum(map(len, messages)) / frames
    return {
        "way": way.name,
        "profile": way.profile.name.lower(),
        "level": way.level.name.lower(),
        "keypoints": way.keypoints,
        "frames": frames,
        "messages": len(messages),
        "bytes_per_frame": round(a_frame, 3),
        "kbps": round(a_frame * RATE * 8 / 1000, 3),
        "error_px": {
            "mean": round(float(errors.mean()), 4),
            "rms_x_y": round(float(np.sqrt((errors**2).mean() / 2)), 4),
            "p95": round(float(np.percentile(errors, 95)), 4),
            "max": round(float(errors.max()), 4),
        },
        "encode_ms": _percentiles(coded.encode_ms for coded in clips),
        "decode_ms": _percentiles(coded.decode_ms for coded in clips),
        "clips": {coded.clip.name: round(sum(map(len, coded.messages)) / len(coded.decoded), 3) for coded in clips},
    }


def _percentiles(times_ms: Iterator[Sequence[float]]) -> dict[str, float]:
    together = [time_ms for clip in times_ms for time_ms in clip]
    return {f"p{share}": round(float(np.percentile(together, share)), 3) for share in (50, 95)}
