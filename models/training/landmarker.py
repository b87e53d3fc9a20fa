"""Face landmarks of pictures, found by MediaPipe in a process of its own (`landmark_worker.py`)."""

import contextlib
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from models.training.errors import PrepareError

LANDMARKS = 478
WORKER = Path(__file__).with_name("landmark_worker.py")

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]


class Landmarker:
    """A running landmark process; a context manager, one picture at a time.

    Raises `PrepareError` when MediaPipe does not start or dies.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self._stream = 0
        try:
            self._process = subprocess.Popen(
                [str(python), "-u", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise PrepareError(
                f"expected a python with MediaPipe at {python}, but it does not start: {error}"
            ) from None
        if b"ready" not in self._pipe(self._process.stdout).readline():
            self.close()
            raise PrepareError(f"expected a python with mediapipe 0.10.21 at {python}, but importing it failed there")

    def start_clip(self) -> None:
        """Forget the last face: the next picture begins another clip."""
        self._stream += 1

    def find(self, picture: Picture, still: bool = False) -> Points:
        """Landmarks of the most prominent face.

        Args: picture uint8 RGB [H,W,3]; still: search afresh instead of tracking the last picture's face.
        Returns: [478,3] in pixels (x right, y down, z in the same unit, negative towards the camera); NaN: no face.
        """
        height, width, _ = picture.shape
        request = {"width": width, "height": height, "stream": self._stream, "still": still}
        pipe = self._pipe(self._process.stdin)
        try:
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.write(np.ascontiguousarray(picture).tobytes())
            pipe.flush()
            answer = self._pipe(self._process.stdout).read(LANDMARKS * 3 * 4)
        except BrokenPipeError:
            answer = b""
        if len(answer) != LANDMARKS * 3 * 4:
            raise PrepareError(f"expected landmarks from MediaPipe ({self._python}), but its process ended")
        fractions = np.frombuffer(answer, "<f4").reshape(LANDMARKS, 3)
        return fractions * np.array([width, height, width], np.float32)

    def close(self) -> None:
        """End the process; calling it again does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None  # both ends are asked for above
        return pipe
