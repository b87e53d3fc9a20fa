"""Where rendered frames and sound end: an H.264 file whose timestamps are the capture times."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from receiver.errors import OutputError
from receiver.opus import Samples
from receiver.soundtrack import Soundtrack

Image = NDArray[np.uint8]
"""uint8 RGB [H,W,3]."""
TIME_BASE: Final = Fraction(1, 90000)
FALLBACK_RATE: Final = 25
MOST_WAITING: Final = 500
"""Pieces of sound that are kept for the first picture, without which there is no file."""


def check_output(path: Path) -> None:
    """Raise OutputError for a path to which no video can be written, before anybody is called."""
    if path.suffix.lower() not in (".mp4", ".mov", ".mkv"):
        raise OutputError(f"{path}: expected a name that ends in .mp4, .mov or .mkv")
    check_writable(path)


def check_writable(path: Path) -> None:
    """Raise OutputError for a path to which no file can be written."""
    if path.is_dir():
        raise OutputError(f"{path}: expected a file to write, found a folder")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: expected a folder {path.parent} to write into, found none")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"{path}: expected leave to write there, have none")


class VideoWriter:
    """Writes frames as they come, and sound if there is to be any; the file is whole once it is closed.

    Opened by the first frame, which says its size.
    """

    def __init__(self, path: Path, frame_rate: float, crf: int, sound: bool = False) -> None:
        self._path = path
        self._rate = Fraction(frame_rate or FALLBACK_RATE).limit_denominator(1001)
        self._crf = crf
        self._with_sound = sound
        self._container: av.container.OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._sound: Soundtrack | None = None
        self._waiting: list[tuple[Samples, float]] = []
        self._last_pts = -1
        self.frames = 0

    def write(self, image: Image, capture_time_s: float) -> float:
        """Append a frame uint8 RGB [S,S,3]; returns the time at which it stands. Raises OutputError.

        Times that do not rise are moved up by 11 us.
        """
        try:
            container, stream = self._open(image)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = TIME_BASE
            frame.pts = self._last_pts = max(round(capture_time_s / TIME_BASE), self._last_pts + 1)
            container.mux(stream.encode(frame))
            self._hear_what_waits()
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to write the video, failed: {error.strerror}") from None
        self.frames += 1
        return float(self._last_pts * TIME_BASE)

    def hear(self, samples: Samples, time_s: float) -> float | None:
        """Append sound, int16 [n] at 48 kHz, captured from then on; returns the time at which it stands.

        None where it was left out: no sound is wanted, or it lies before what is written. Raises OutputError.
        """
        if not self._with_sound:
            return None
        if self._container is None:
            self._waiting = [*self._waiting, (samples, time_s)][-MOST_WAITING:]
            return time_s
        try:
            return self._sound.append(samples, time_s) if self._sound is not None else None
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to write the sound, failed: {error.strerror}") from None

    def _hear_what_waits(self) -> None:
        waiting, self._waiting = self._waiting, []
        for samples, time_s in waiting:
            self.hear(samples, time_s)

    def _open(self, image: Image) -> tuple[av.container.OutputContainer, VideoStream]:
        if self._container is None or self._stream is None:
            self._container = av.open(str(self._path), "w")
            # zerolatency: no B-frames and nothing held back, so that a frame is in the file when it is written
            options = {"crf": str(self._crf), "preset": "veryfast", "tune": "zerolatency"}
            self._stream = self._container.add_stream("libx264", rate=self._rate, options=options)
            self._stream.height, self._stream.width = image.shape[:2]
            self._stream.pix_fmt = "yuv420p"
            self._stream.thread_count = 1  # the cores are wanted for the networks
            self._stream.time_base = self._stream.codec_context.time_base = TIME_BASE
            self._sound = Soundtrack(self._container) if self._with_sound else None
        return self._container, self._stream

    def close(self) -> None:
        """Write what is missing and close the file; nothing to do before the first frame. Raises OutputError."""
        container, stream, self._container, self._stream = self._container, self._stream, None, None
        if container is None or stream is None:
            return
        try:
            container.mux(stream.encode(None))
            if self._sound is not None:
                self._sound.finish()
            container.close()
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to finish the video, failed: {error.strerror}") from None
