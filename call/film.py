"""The film of a call: H.264 pictures and AAC sound in one file, both by the other side's capture times."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.video.stream import VideoStream

from codec.sound import SAMPLE_RATE
from receiver.errors import OutputError
from receiver.opus import Samples
from receiver.show import Image

TIME_BASE: Final = Fraction(1, 90000)
LONGEST_GAP_S: Final = 600.0


class FilmWriter:
    """Times count from the first picture or packet. Missing sound is silence; sound out of its turn is left out."""

    def __init__(self, path: Path, frame_rate: float, crf: int = 18) -> None:
        self._path = path
        self._rate = Fraction(frame_rate).limit_denominator(1001)
        self._crf = crf
        self._container: av.container.OutputContainer | None = None
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._begin_s: float | None = None
        self._last_pts = -1
        self._written = 0
        self._waiting: list[tuple[Samples, float]] = []

    def write(self, image: Image, time_s: float) -> None:
        """Append a picture uint8 RGB [S,S,3]. Raises OutputError."""
        try:
            self._open(image)
            begin_s = self._begin(time_s)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = TIME_BASE
            frame.pts = self._last_pts = max(round((time_s - begin_s) / TIME_BASE), self._last_pts + 1)
            assert self._container is not None
            assert self._video is not None
            self._container.mux(self._video.encode(frame))
            waiting, self._waiting = self._waiting, []
            for samples, heard_s in waiting:
                self._append(samples, heard_s)
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to write the film, failed: {error.strerror}") from None

    def hear(self, samples: Samples, time_s: float) -> None:
        """Append sound, int16 [n] at 48 kHz; before the first picture it waits. Raises OutputError."""
        self._begin(time_s)
        if self._container is None:
            self._waiting = [*self._waiting, (samples, time_s)][-500:]
            return
        try:
            self._append(samples, time_s)
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to write the film, failed: {error.strerror}") from None

    def _append(self, samples: Samples, time_s: float) -> None:
        place = round((time_s - self._begin(time_s)) * SAMPLE_RATE)
        gap = place - self._written
        if gap < -len(samples) // 2 or gap > LONGEST_GAP_S * SAMPLE_RATE:
            return
        if gap > len(samples) // 2:
            self._encode(np.zeros(gap, np.int16))
        self._encode(samples)

    def _encode(self, samples: Samples) -> None:
        if not len(samples):
            return
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts, frame.time_base = self._written, Fraction(1, SAMPLE_RATE)
        self._written += len(samples)
        assert self._container is not None
        assert self._audio is not None
        self._container.mux(self._audio.encode(frame))

    def _begin(self, time_s: float) -> float:
        if self._begin_s is None:
            self._begin_s = time_s
        return self._begin_s

    def _open(self, image: Image) -> None:
        if self._container is not None:
            return
        container = av.open(str(self._path), "w")
        options = {"crf": str(self._crf), "preset": "veryfast", "tune": "zerolatency"}
        video = container.add_stream("libx264", rate=self._rate, options=options)
        video.height, video.width = image.shape[:2]
        video.pix_fmt, video.thread_count = "yuv420p", 1
        video.time_base = video.codec_context.time_base = TIME_BASE
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.codec_context.layout = "mono"
        self._container, self._video, self._audio = container, video, audio

    def close(self) -> None:
        """Write what is missing and close the file; nothing to do before the first picture. Raises OutputError."""
        container, self._container = self._container, None
        if container is None or self._video is None or self._audio is None:
            return
        try:
            container.mux(self._video.encode(None))
            container.mux(self._audio.encode(None))
            container.close()
        except (FFmpegError, OSError) as error:
            raise OutputError(f"{self._path}: expected to finish the film, failed: {error.strerror}") from None
