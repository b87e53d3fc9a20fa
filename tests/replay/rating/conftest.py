"""A folder of pairs to rate, with small real videos."""

from pathlib import Path

import av
import numpy as np
import pytest

from replay.rating.pairs import Pair, PairSet, Version, write_pairs


def write_video(path: Path, grey: int, seconds: float = 0.4) -> None:
    """An H.264 film of one grey, 64 px, 25 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        picture = np.full((64, 64, 3), grey, np.uint8)
        for _ in range(round(25 * seconds)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pairs of "ours" and "x264"."""
    pairs = []
    for number in range(3):
        for name, grey in (("ours", 60), ("x264", 180)):
            write_video(tmp_path / f"{name}_{number}.mp4", grey + number)
        versions = [Version(name=name, video=f"{name}_{number}.mp4") for name in ("ours", "x264")]
        pairs.append(Pair(id=f"pair{number}", clip=f"clip{number}", a=versions[0], b=versions[1]))
    write_pairs(tmp_path, PairSet(pairs=tuple(pairs)))
    return tmp_path
