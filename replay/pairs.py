"""What the camera saw and what was on the screen then, frame by frame, with a few frames in memory at a time."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from replay.errors import ClipError
from sender.camera import Clip, Frame, Image
from sender.crop import Crops

SLACK_S = 1.5e-3
"""Capture times travel in whole milliseconds, and a container's clock rounds once more."""


@dataclass(frozen=True)
class Pair:
    """One camera frame, cropped [S,S,3], and the picture [S,S,3] that was shown for it."""

    time_s: float
    camera: Image
    shown: Image | None
    """None before the first one was shown."""
    fresh: bool
    """Whether `shown` was rendered from this very frame; else it is the last one, held."""


def pair_files(clip: Path, cropper: Crops, received: Path) -> Iterator[Pair]:
    """Pair a clip's frames with the receiver's video. Raises InputError, ClipError."""
    return pair_frames(camera_frames(clip, cropper), shown_frames(received))


def camera_frames(path: Path, cropper: Crops) -> Iterator[Frame]:
    """Frames of a clip, cropped as the sender did. Raises InputError."""
    with closing(Clip(path)) as clip:
        while (frame := clip.read()) is not None:
            yield Frame(cropper.crop(frame), frame.capture_time_s)


def shown_frames(path: Path) -> Iterator[Frame]:
    """Frames of the receiver's video; its times are capture times and may begin after 0. Raises ClipError."""
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.time is None:
                    raise ClipError(f"{path}: expected a time on every frame, found one without")
                yield Frame(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), frame.time)
    except (FFmpegError, OSError) as error:
        raise ClipError(f"{path}: expected the receiver's video, got one that cannot be read ({error})") from None


def pair_frames(camera: Iterable[Frame], shown: Iterable[Frame]) -> Iterator[Pair]:
    """Pair frames by capture time: with each camera frame goes the last picture whose time is not later."""
    coming = iter(shown)
    following = next(coming, None)
    current: Frame | None = None
    for frame in camera:
        while following is not None and following.capture_time_s <= frame.capture_time_s + SLACK_S:
            current, following = following, next(coming, None)
        fresh = current is not None and abs(current.capture_time_s - frame.capture_time_s) <= SLACK_S
        yield Pair(frame.capture_time_s, frame.image, current.image if current else None, fresh)
