"""The frames of a clip as every way to send them gets them: square, yuv420p, at the clip's own rate.

A square clip of a size that facewire renders is taken as it is stored. Of any other the square is cut that a call would
cut in its first second (`sender.source`), and scaled to 512 px where it has that detail, else to 256.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from models.training.clip_files import find_sources
from models.training.errors import PrepareError
from replay.errors import CompareError
from sender.crop_square import Square, cut
from sender.source import LARGE_FROM

Picture = NDArray[np.uint8]
"""uint8 RGB [S,S,3]."""
Choose = Callable[[Path], Square]
"""Says which square of a clip a call would cut."""
FIRST: Final = 150
EVERY: Final = 6


@dataclass(frozen=True)
class ClipFile:
    """A clip on disk; `group` is its set, the name of the folder it lies in."""

    path: Path
    group: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Reference:
    """What a camera saw. frames: yuv420p, S x S; rate in frames a second; each `every`-th frame is measured."""

    file: ClipFile
    frames: tuple[av.VideoFrame, ...]
    rate: Fraction
    every: int = EVERY

    @property
    def size(self) -> int:
        """Side S of the pictures in px."""
        return self.frames[0].width

    @property
    def seconds(self) -> float:
        """How long the frames play."""
        return float(len(self.frames) / self.rate)

    @property
    def measured(self) -> tuple[int, ...]:
        """Numbers of the frames that are compared, from the first one on."""
        return tuple(range(0, len(self.frames), self.every))

    @property
    def wanted(self) -> tuple[int, ...]:
        """Numbers of the frames that are needed: those that are compared, and the one before each."""
        return tuple(sorted({number for n in self.measured for number in (max(n - 1, 0), n)}))

    @cached_property
    def pictures(self) -> dict[int, Picture]:
        """The wanted frames as RGB."""
        return {number: self.rgb(number) for number in self.wanted}

    def rgb(self, number: int) -> Picture:
        """A frame as RGB."""
        return to_rgb(self.frames[number])


def find_clips(paths: list[Path]) -> list[ClipFile]:
    """All clips in files and folders, sorted by set and name. Raises CompareError where there are none."""
    try:
        sources = [source for source in find_sources(paths) if source.kind == "video"]
    except PrepareError as error:
        raise CompareError(str(error)) from None
    if not sources:
        raise CompareError(f"expected video clips in {', '.join(map(str, paths))}, found pictures only")
    files = [ClipFile(source.path, source.split, source.name, _sha256(source.path)) for source in sources]
    return sorted(files, key=lambda file: (file.group, file.name))


def read_reference(
    file: ClipFile, choose: Choose, sizes: tuple[int, ...], first: int = FIRST, every: int = EVERY
) -> Reference:
    """Decode the first frames of a clip; `sizes`: sides of the pictures that facewire renders, the smallest first.

    Raises CompareError for a clip that cannot be read or is too short.
    """
    try:
        with av.open(str(file.path)) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate or Fraction(25)
            stream.thread_type = "AUTO"
            frames = [frame for frame, _ in zip(container.decode(stream), range(first), strict=False)]
    except (FFmpegError, OSError, IndexError) as error:
        raise CompareError(f"{file.path}: expected a video file, got one that cannot be read ({error})") from None
    if len(frames) <= every:
        raise CompareError(f"{file.path}: expected more than {every} frames, got {len(frames)}")
    width, height = frames[0].width, frames[0].height
    if width == height and width in sizes:
        kept = [frame.reformat(format="yuv420p") for frame in frames]
    else:
        kept = _cut_all(frames, choose(file.path), sizes)
    return Reference(file, tuple(kept), rate, every)


def to_rgb(frame: av.VideoFrame) -> Picture:
    """Convert as the sender's camera does."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _cut_all(frames: list[av.VideoFrame], square: Square, sizes: tuple[int, ...]) -> list[av.VideoFrame]:
    size = sizes[-1] if square.side >= LARGE_FROM * sizes[0] else sizes[0]
    squares = (cut(to_rgb(frame), square, size) for frame in frames)
    return [av.VideoFrame.from_ndarray(one, format="rgb24").reformat(format="yuv420p") for one in squares]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
