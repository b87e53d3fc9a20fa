"""A clip's sound: read as packets of Opus with their times, and written into the film of what was heard."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from codec.sound import PACKET_MS, SAMPLE_RATE
from sender.errors import InputError
from sender.opus import OpusEncoder


def clip_packets(path: Path) -> Iterator[tuple[float, bytes]]:
    """Yield (time in s from the clip's first frame, Opus packet of 60 ms); nothing for a clip without sound. Blocks.

    Raises InputError for a file that cannot be read.
    """
    try:
        with av.open(str(path)) as container:
            if container.streams.audio:
                yield from _packets(container)
    except (FFmpegError, OSError) as error:
        raise InputError(f"{path}: expected sound that can be read, failed: {error.strerror}") from None


def _packets(container: av.container.InputContainer) -> Iterator[tuple[float, bytes]]:
    video = container.streams.video[0] if container.streams.video else None
    start_s = float((video.start_time or 0) * video.time_base) if video is not None and video.time_base else 0.0
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    encoder = OpusEncoder()
    first_s: float | None = None
    number = 0
    for frame in container.decode(container.streams.audio[0]):
        first_s = (frame.time or 0.0) - start_s if first_s is None else first_s
        for piece in resampler.resample(frame):
            for packet in encoder.encode(np.asarray(piece.to_ndarray()[0], np.int16)):
                yield first_s + number * PACKET_MS / 1000, packet
                number += 1
