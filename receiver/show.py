"""Where rendered frames end: an H.264 file whose timestamps are the capture times."""

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

Image = NDArray[np.uint8]
"""uint8 RGB [H,W,3]."""
TIME_BASE: Final = Fraction(1, 90000)
FALLBACK_RATE: Final = 25


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
    """Writes frames as they come; the file is whole once it is closed. Opened by the first frame."""

    def __init__(self, path: Path, frame_rate: float, crf: int) -> None:
        self._path = path
        self._rate = Fraction(frame_rate or FALLBACK_RATE).limit_denominator(1001)
        self._crf = crf
        self._container: av.container.OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._last_pts = -1
        self.frames = 0

    def write(self, image: Image, capture_time_s: float) -> None:
        """Append a frame uint8 RGB [S,S,3]. Times that do not rise are moved up by 11 us. Raises OutputError."""
        try:
            container, stream = self._open(image)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = TIME_BASE
            frame.pts = self._last_pts = max(round(capture_time_s / TIME_BASE), self._last_pts + 1)
            container.mux(stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to write the video, failed: {error.strerror}") from None
        self.frames += 1

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
        return self._container, self._stream

    def close(self) -> None:
        """Write what is missing and close the file; nothing to do before the first frame. Raises OutputError."""
        container, stream, self._container, self._stream = self._container, self._stream, None, None
        if container is None or stream is None:
            return
        try:
            container.mux(stream.encode(None))
            container.close()
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to finish the video, failed: {error.strerror}") from None
