"""Finds face landmarks for another process. Run by the python that has MediaPipe, never imported by facewire.

stdin   a line of JSON {"width": W, "height": H, "stream": n, "still": bool}, then W*H*3 bytes RGB, again and again
stdout  one line {"ready": true} at the start, then for each picture 478*3 float32, little-endian: MediaPipe's x, y, z
        (fractions of width, height, width); all NaN where no face was found

A new stream number starts the tracker afresh. A still is searched on its own; in a video the last frame's face helps.
It has to run with numpy < 2 and without this package, so it imports nothing of it.
"""

import json
import os
import sys
from typing import Any, BinaryIO

LANDMARKS = 478


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Read `size` bytes, or raise EOFError when the other side is gone."""
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def main() -> None:
    """Answer pictures until stdin ends."""
    # What the libraries print must not mix with the landmarks: stdout becomes stderr, the answers keep the pipe.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    import mediapipe
    import numpy as np

    def new_mesh(still: bool) -> Any:
        return mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=still,
            refine_landmarks=True,
            max_num_faces=1,
            min_detection_confidence=0.5,
            min_tracking_confidence=0.5,
        )

    answers.write(b'{"ready": true}\n')
    stills = new_mesh(True)
    tracker: Any = None
    stream = None
    pipe = sys.stdin.buffer
    for line in pipe:
        request = json.loads(line)
        width, height = request["width"], request["height"]
        picture = np.frombuffer(read_exactly(pipe, width * height * 3), np.uint8).reshape(height, width, 3)
        if not request["still"] and request["stream"] != stream:
            if tracker is not None:
                tracker.close()
            tracker, stream = new_mesh(False), request["stream"]
        found = (stills if request["still"] else tracker).process(picture).multi_face_landmarks
        points = np.full((LANDMARKS, 3), np.nan, "<f4")
        if found:
            points[:] = [(point.x, point.y, point.z) for point in found[0].landmark]
        answers.write(points.tobytes())


if __name__ == "__main__":
    main()
