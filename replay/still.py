"""A picture for paper and README out of a video: some of its frames, one over the other.

python -m replay.still demo/side_by_side.mp4 docs/side_by_side.jpg
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from replay.errors import ClipError
from replay.pairs import shown_frames

PLACES = (0.35, 0.85)
"""Which frames, as shares of the video."""


def make_still(video: Path, picture: Path, places: Sequence[float] = PLACES) -> None:
    """Write some frames of a video as one JPEG; its folder is made. Raises ClipError."""
    frames = sum(1 for _ in shown_frames(video))
    wanted = {min(int(place * frames), frames - 1) for place in places}
    chosen = [frame.image for index, frame in enumerate(shown_frames(video)) if index in wanted]
    if not chosen:
        raise ClipError(f"{video}: expected a video with frames in it, found none")
    picture.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(chosen)).save(picture, quality=88, optimize=True)


if __name__ == "__main__":
    try:
        make_still(Path(sys.argv[1]), Path(sys.argv[2]))
    except IndexError:
        sys.exit("expected a video and a picture to write: python -m replay.still VIDEO PICTURE")
    except ClipError as error:
        sys.exit(f"still: {error}")
