"""headless.py: two clips call each other; each side's film has the other's pictures and sound."""

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest

from call.headless import FileFront, call_headless
from call.room_link import RoomLink
from models.weights import Model
from receiver.show import VideoWriter
from tests.call.engines import make_engine
from tests.call.fronts import picture
from tests.receiver.sounds import tone

pytestmark = pytest.mark.network


def make_clip(path: Path, seconds: float) -> Path:
    """A clip with stripes and a tone."""
    film = VideoWriter(path, 12.5, 18, sound=True)
    for index in range(round(12.5 * seconds)):
        film.write(picture(index), index / 12.5)
        film.hear(tone(0.08), 0.08 * index)
    film.close()
    return path


async def test_two_clips_call_each_other_and_both_films_have_picture_and_sound(
    tiny: Model, url: str, tmp_path: Path
) -> None:
    said: list[str] = []
    calls, films = [], []
    for name, seconds in (("a", 4.0), ("b", 8.0)):
        clip = await asyncio.to_thread(make_clip, tmp_path / f"{name}.mp4", seconds)
        films.append(tmp_path / f"seen_by_{name}.mp4")
        front = FileFront(films[-1], 6.0, said.append)
        calls.append(call_headless(make_engine(tiny, RoomLink(url, "r"), front), front, str(clip)))
    async with asyncio.timeout(60):
        reasons = await asyncio.gather(*calls)
    assert sorted(reasons) == [
        "the other side came to the end of its clip",
        "this side came to the end of its clip",
    ]
    for film in films:
        with av.open(str(film)) as container:
            assert len(list(container.decode(video=0))) >= 3
        with av.open(str(film)) as container:
            levels = [float(np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
        assert max(levels) > 0.1
    assert any("in call" in line for line in said)
