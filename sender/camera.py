"""Where frames come from: a clip, played at its own pace, or a camera. RGB from here on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from sender.errors import InputError
from signaling.dropping_queue import DroppingQueue

Image = NDArray[np.uint8]
"""uint8 RGB [H,W,3]."""
LARGEST_SIDE_PX: Final = 1280
"""Larger frames are shrunk while they are converted: a face fills some 300 px of them, and the networks see 256."""
LEAST_FRAMES: Final = 2
FALLBACK_RATE: Final = 25.0


@dataclass(frozen=True)
class Frame:
    """One captured picture: uint8 RGB [H,W,3], and seconds since the first one."""

    image: Image
    capture_time_s: float


class FrameSource(Protocol):
    """A clip or a camera; `read` blocks, so it belongs into a thread."""

    frame_rate: float
    """Frames a second; 0 where unknown."""
    live: bool
    """Whether `read` itself waits for the right time."""

    def read(self) -> Frame | None:
        """Return the next frame, None at the end. Raises InputError."""

    def close(self) -> None:
        """Let go of the file or device."""


def open_source(name: str) -> FrameSource:
    """Open `camera`, `camera:N`, or a video file. Raises InputError."""
    if name == "camera" or name.startswith("camera:"):
        index = name.partition(":")[2] or "0"
        if not index.isdecimal():
            raise InputError(f"expected camera:0, camera:1, ..., got {name!r}")
        return Webcam(int(index))
    return Clip(Path(name))


def check_source(name: str) -> None:
    """Raise InputError for what is clearly no clip, before anything slow begins. Cameras are left alone."""
    if name != "camera" and not name.startswith("camera:"):
        Clip(Path(name)).close()


class Clip:
    """A video file; timestamps are its own, from 0. Frames come in the order in which they are shown."""

    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            raise InputError(f"{path}: expected a video file or 'camera', found no such file")
        if not path.is_file():
            raise InputError(f"{path}: expected a video file, found something else")
        try:
            self._container = av.open(str(path))
        except (FFmpegError, OSError) as error:
            raise InputError(f"{path}: expected a video file, got one that is none ({_why(error)})") from None
        if not self._container.streams.video:
            self._container.close()
            raise InputError(f"{path}: expected a video file, got one without pictures")
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self.frame_rate = float(stream.average_rate or stream.guessed_rate or 0)
        self.frames = stream.frames
        """Frames that the file says it has; 0 where it does not."""
        self._frames = self._container.decode(stream)
        self._first_s: float | None = None
        self._read = 0
        self._last_s = 0.0

    def read(self) -> Frame | None:
        """Decode the next frame. Raises InputError where the clip ends at once or is damaged."""
        try:
            decoded = next(self._frames, None)
        except FFmpegError as error:
            if self._read < LEAST_FRAMES:
                raise InputError(f"{self._path}: expected a video file, got no pictures ({_why(error)})") from None
            raise InputError(
                f"{self._path}: expected a whole video, it is damaged after {self._read} frames ({_why(error)})"
            ) from None
        if decoded is None:
            if self._read < LEAST_FRAMES:
                what = "it ends at once" if self._read == 0 else "it ends after 1, a still picture"
                raise InputError(f"{self._path}: expected a video of at least {LEAST_FRAMES} frames, {what}")
            return None
        frame = Frame(_to_rgb(decoded), self._time_s(decoded))
        self._read += 1
        return frame

    def _time_s(self, decoded: av.VideoFrame) -> float:
        """Return the frame's own time, from 0 and never falling; by the frame rate where it has none."""
        if decoded.pts is not None and decoded.time_base is not None:
            time_s = float(decoded.pts * decoded.time_base)
        else:
            time_s = (self._first_s or 0.0) + self._read / (self.frame_rate or FALLBACK_RATE)
        if self._first_s is None:
            self._first_s = time_s
        self._last_s = max(self._last_s, time_s - self._first_s)
        return self._last_s

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _to_rgb(decoded: av.VideoFrame) -> Image:
    """Convert, shrink what is very large, and turn it as the file says (telephones record lying on their side)."""
    shrink = min(1.0, LARGEST_SIDE_PX / max(decoded.width, decoded.height))
    width, height = (
        max(2, round(side * shrink / 2) * 2) if shrink < 1 else side for side in (decoded.width, decoded.height)
    )
    image: Any = decoded.reformat(width, height, format="rgb24").to_ndarray()
    turns = round(decoded.rotation / 90) % 4  # counter-clockwise, as numpy counts
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else np.asarray(image, np.uint8)


class Webcam:
    """A camera through OpenCV; `read` waits for the next picture."""

    live = True

    def __init__(self, index: int, now: Callable[[], float] = time.monotonic) -> None:
        self._index = index
        self._now = now
        self._first_s: float | None = None
        self._device = cv2.VideoCapture(index)
        if not self._device.isOpened():
            raise InputError(f"expected a camera with number {index} that no other program uses, found none")
        self._device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old picture is of no use
        rate = self._device.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if 0 < rate <= 1000 else 0.0

    def read(self) -> Frame | None:
        """Wait for the next picture. Raises InputError when the camera stops."""
        good, bgr = self._device.read()
        now_s = self._now()
        if not good:
            raise InputError(f"expected camera {self._index} to go on, it gives no more pictures")
        if self._first_s is None:
            self._first_s = now_s
        return Frame(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), now_s - self._first_s)

    def close(self) -> None:
        """Give the camera back."""
        self._device.release()


async def film(
    source: FrameSource,
    queue: DroppingQueue[Frame],
    thread: Executor,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    began: Callable[[float], None] = lambda start_s: None,
) -> None:
    """Play a source into a queue at its own pace, decoding in `thread`; the queue always ends. Raises InputError.

    `began` is told when capture time 0 was, by `now`.
    """
    loop = asyncio.get_running_loop()
    start_s: float | None = None
    try:
        while (frame := await loop.run_in_executor(thread, source.read)) is not None:
            if start_s is None:
                start_s = now() - frame.capture_time_s
                began(start_s)
            if not source.live:
                await sleep(max(0.0, start_s + frame.capture_time_s - now()))
            queue.put(frame)
    finally:
        queue.end()
