"""Stands in for MediaPipe's process: lays the mean face into a picture's green rectangle, finds nothing without one.

Speaks the same protocol as models/training/landmark_worker.py, so the pipe, crops and rejections are the real ones.
A picture of 13 px width ends it, as a crash would.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    """Answer pictures until stdin ends."""
    face = np.load(Path(sys.argv[1]))
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    answers.write(b'{"ready": true}\n')
    for line in sys.stdin.buffer:
        request = json.loads(line)
        width, height = request["width"], request["height"]
        data = sys.stdin.buffer.read(width * height * 3)
        if width == 13:
            return
        picture = np.frombuffer(data, np.uint8).reshape(height, width, 3).astype(int)
        green = (picture[..., 1] > 150) & (picture[..., 0] < 110) & (picture[..., 2] < 110)
        points = np.full((478, 3), np.nan, "<f4")
        if green.sum() > 20:
            rows, columns = np.flatnonzero(green.any(1)), np.flatnonzero(green.any(0))
            size = np.array([columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]])
            places = (face[:, :2] - low) / (high - low) * size + (columns[0], rows[0])
            depth = face[:, 2:] / (high - low)[:1] * size[0]
            points[:] = np.concatenate((places, depth), 1) / (width, height, width)
        answers.write(points.tobytes())


if __name__ == "__main__":
    main()
