"""A clip's sound, with its times on the clock of the clip's pictures, and at its own pace."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError

from codec.sound import PACKET_MS, PACKET_SAMPLES, SAMPLE_RATE
from sender.errors import InputError
from sender.opus import Samples
from sender.voice import Voice

PACKET_S: Final = PACKET_MS / 1000
MOST_GAP_S: Final = 0.02
"""By so much a clip's times may be off what its samples say before they count: less is rounding."""


def has_sound(path: Path) -> bool:
    """Whether a clip has sound. Raises InputError for a file that cannot be read."""
    with _opened(path) as container:
        return bool(container.streams.audio)


def clip_sound(path: Path) -> Iterator[tuple[float, Samples]]:
    """Yield (time in s from the clip's first picture, int16 [n] at 48 kHz); nothing for a clip without sound. Blocks.

    Raises InputError for a file that cannot be read.
    """
    try:
        with _opened(path) as container:
            if container.streams.audio:
                yield from _pieces(container)
    except (FFmpegError, OSError) as error:
        raise InputError(f"{path}: expected sound that can be read, failed: {error.strerror}") from None


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except (FFmpegError, OSError) as error:
        raise InputError(f"{path}: expected sound that can be read, failed: {error.strerror}") from None


def _pieces(container: av.container.InputContainer) -> Iterator[tuple[float, Samples]]:
    video = container.streams.video[0] if container.streams.video else None
    start_s = float((video.start_time or 0) * video.time_base) if video is not None and video.time_base else 0.0
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    time_s: float | None = None
    for frame in container.decode(container.streams.audio[0]):
        said_s = (frame.time or 0.0) - start_s
        if time_s is None or abs(said_s - time_s) > MOST_GAP_S:
            time_s = said_s
        for piece in resampler.resample(frame):
            samples = np.asarray(piece.to_ndarray()[0], np.int16)
            yield time_s, samples
            time_s += len(samples) / SAMPLE_RATE


async def play_sound(
    path: Path,
    voice: Voice,
    begin_s: Awaitable[float],
    take: Callable[[bytes, float], None],
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Give a clip's packets to `take`, with their times by the clip, as a microphone would: when they have been heard.

    Args: begin_s: when the clip's first picture was filmed, by `now`. Raises InputError, SoundError.
    """
    pieces = clip_sound(path)
    started_s = await begin_s
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        time_s, samples = piece
        for packet_s, opus in voice_packets(voice, samples, time_s):
            await asyncio.sleep(max(0.0, started_s + packet_s + PACKET_S - now()))
            take(opus, packet_s)


def voice_packets(voice: Voice, samples: Samples, time_s: float) -> Iterator[tuple[float, bytes]]:
    """Packets one at a time, so that a rate that changes meanwhile counts for the next one."""
    for start in range(0, max(len(samples), 1), PACKET_SAMPLES):
        yield from voice.take(samples[start : start + PACKET_SAMPLES], time_s + start / SAMPLE_RATE)
