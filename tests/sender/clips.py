"""Clips made for tests: every frame is one colour that tells its number."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

MILLISECOND = Fraction(1, 1000)


def make_clip(
    path: Path,
    frames: int = 10,
    rate: int = 25,
    size: tuple[int, int] = (64, 64),
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
) -> Path:
    """Write a clip of (width, height) px. Frame i is grey of level 20+10i (mod 200) with a red left half.

    Args: times_s: when each frame is shown, instead of each 1/rate. rotation: in the file's display matrix.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "5", "preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = MILLISECOND
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, size), format="rgb24")
            time_s = times_s[index] if times_s else index / rate
            frame.pts, frame.time_base = round(time_s / MILLISECOND), MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def picture(index: int, size: tuple[int, int] = (64, 64)) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Frame `index` of a made clip, uint8 RGB [H,W,3]."""
    width, height = size
    image = np.full((height, width, 3), 20 + 10 * index % 200, np.uint8)
    image[:, : width // 2, 1:] = 0
    return image


def make_sound(path: Path) -> Path:
    """Write a file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 16000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    return path
