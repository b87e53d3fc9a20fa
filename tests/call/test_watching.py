"""watching.py with the shipped networks: the crop goes with somebody who moves, the place in the picture does not."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from call.fitting import Fitting
from call.likeness import SIDE
from call.own_source import OwnSource
from call.seen import Picture, Seen
from call.watching import Watching
from models.face_finder_weights import load_finder
from models.weights import load_model
from sender.camera import Image, open_source
from sender.crop_follow import AWAY
from sender.crop_square import cut

pytestmark = [pytest.mark.slow, pytest.mark.weights]

CLIP = Path(__file__).parents[2] / "replay/assets/demo.mp4"
RATE = 10.0
ASIDE_PX = 40
"""Of a face's crop of 256: a sixth."""


def camera(frames: int) -> list[Image]:
    """A face in the middle of a wide picture, which after a second goes to the right, picture and all."""
    source = open_source(str(CLIP))
    faces = [frame.image for frame in iter(source.read, None)][: 3 * frames : 3]
    source.close()
    wide = [np.pad(image, ((64, 64), (128, 128), (0, 0)), mode="edge") for image in faces]
    return [np.roll(image, min(max(0, 4 * (index - 10)), ASIDE_PX), 1) for index, image in enumerate(wide)]


async def test_crop_follows_a_head_back_to_its_place_and_the_place_is_looked_at_where_it_was() -> None:
    model, seen, taken = load_model(), list[Seen](), list[OwnSource]()
    finder = load_finder(model.folder)
    fitting = Fitting(model.config.size, 90)
    watching = Watching(model, finder, 0.5, 90, fitting, seen.append, taken.append)
    running = asyncio.create_task(watching.run())
    pictures = camera(60)
    try:
        watching.take_source = True
        for index, image in enumerate(pictures):
            before = len(seen)
            watching.picture(Picture(image, index / RATE))
            async with asyncio.timeout(20):
                while len(seen) == before or index == 5 and not taken:
                    if len(seen) > before:
                        watching.picture(Picture(image, index / RATE))
                    await asyncio.sleep(0.01)
            if index == 5:
                watching.use(taken[0], 0.0, lambda: None)
    finally:
        watching.close()
        await asyncio.gather(running, return_exceptions=True)
        fitting.close()
    first, last = next(one for one in seen if one.motion is not None), seen[-1]
    assert first.motion is not None
    assert last.motion is not None
    assert first.square is not None
    assert last.square is not None
    assert first.still is None
    assert last.square.left - first.square.left >= ASIDE_PX / 3  # the person sways a little as well
    assert ASIDE_PX / first.square.side > 2 * AWAY
    assert abs(last.motion.t[0] - first.motion.t[0]) / 2 < 1.2 * AWAY
    assert last.still is not None
    assert last.still.square == first.square
    assert np.array_equal(last.still.crop, cut(pictures[round(RATE * last.time_s)], first.square, SIDE))
