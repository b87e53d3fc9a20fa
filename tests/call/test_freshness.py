"""freshness.py in a real call with the shipped weights: the lamp goes off, words come, then a new picture."""

import asyncio
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from call import freshness
from call.engine import Engine
from call.fitness import Reason
from call.page_messages import AskSource
from call.room_link import RoomLink
from call.seen import Picture
from call.settings import CallSettings
from models.weights import Model, load_model
from sender.camera import Image, open_source
from signaling.peer import Peer
from tests.call.engines import until
from tests.call.fronts import Remembering

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.weights]

CLIP = Path(__file__).parents[2] / "replay/assets/demo.mp4"
RATE = 5.0
LAMP_OFF = 0.4


class Camera:
    """Films some seconds of a clip forwards and backwards; the lamp can be switched off."""

    def __init__(self) -> None:
        self.lit = True
        frames = open_source(str(CLIP))
        every = [frame.image for frame in iter(frames.read, None)][:90:6]
        frames.close()
        self._images = [*every, *every[::-1]]

    async def film(self, engine: Engine) -> None:
        for step in count():
            engine.take_picture(Picture(self._light(self._images[step % len(self._images)]), engine.now()))
            await asyncio.sleep(1 / RATE)

    def _light(self, image: Image) -> Image:
        return image if self.lit else np.asarray(image * LAMP_OFF, np.uint8)


def make_engine(model: Model, url: str, front: Remembering) -> Engine:
    """Wide enough that a picture crosses in a second; few pictures are shown."""
    settings = CallSettings(source_cache=None, frame_rate=RATE, show_rate=2.0, max_kbps=150.0)
    return Engine(settings, RoomLink(url, "fresh"), model, front, make_peer=Peer)


def questions(front: Remembering) -> list[str]:
    """What was asked, in order; "" takes a question back."""
    return [message.why for message in front.messages if isinstance(message, AskSource)]


async def test_lamp_that_goes_off_is_asked_about_and_then_mended(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "LOOK_EACH_S", 0.7)
    model = load_model()
    fronts = Remembering(), Remembering()
    a, b = (make_engine(model, url, front) for front in fronts)
    camera, other = Camera(), Camera()
    tasks: list[asyncio.Task[object]] = []
    try:
        for engine, films in ((a, camera), (b, other)):
            engine.start(consent=True)
            tasks += [asyncio.create_task(engine.run()), asyncio.create_task(films.film(engine))]
        await until(lambda: b.screen.current_sha256 is not None and a.freshness.looks >= 4, 240)
        assert questions(fronts[0]) == []
        first = b.screen.current_sha256

        camera.lit = False
        await until(lambda: len(questions(fronts[0])) > 0, 180)
        assert a.freshness.reason is Reason.LIGHT
        assert "the light on you has changed" in questions(fronts[0])[0]
        assert b.screen.current_sha256 == first

        a.freshness.keep = True
        await until(lambda: b.screen.current_sha256 != first, 240)
        assert a.own.renewals == 1
        await until(lambda: a.freshness.reason is None, 120)
        assert questions(fronts[0])[-1] == ""
        seen = len(fronts[1].pictures)
        await until(lambda: len(fronts[1].pictures) > seen + 3, 120)
        dark, lit = (float(np.mean(fronts[1].pictures[index][1])) for index in (-1, 0))
        assert dark < 0.6 * lit
        assert questions(fronts[1]) == []
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
