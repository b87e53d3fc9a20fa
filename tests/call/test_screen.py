"""screen.py: one source picture gives way to another without a jump."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from call.own_source import OwnSource, from_crop
from call.screen import BLEND_S, Screen
from codec.motion import Motion
from models.placing import Points, place, retell
from models.weights import Model, build_model
from receiver.show import Image
from receiver.smooth import Smoother
from sender.extract import Extractor
from tests.call.fronts import picture

RATE = 20.0
SWITCH_S = 0.6
SOURCES = [from_crop(picture(3, 0), 90), from_crop(picture(23, 1), 90)]


@pytest.fixture(scope="module")
def shaped() -> Model:
    """Random networks of the smallest size whose L says something: as they are made it says nothing yet."""
    model = build_model("tiny")
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.networks.canonical.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


class Clock:
    """Seconds that go on when told to."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def canonical(model: Model, source: OwnSource) -> Points:
    """What motion is told against by who sends this picture."""
    extractor = Extractor(model)
    try:
        extractor.set_source(source.image)
        return extractor.canonical
    finally:
        extractor.close()


def motion_of(model: Model) -> Motion:
    """A head turned a little, told against the first picture."""
    delta = np.full((model.config.keypoints, 3), 0.01, np.float32)
    return Motion(8.0, -3.0, 2.0, np.array([0.05, 0.02, 0.0], np.float32), delta, 0.0)


async def ready(model: Model, shown: list[Image], clock: Clock) -> Screen:
    screen = Screen(model, lambda image, time_s: shown.append(image), RATE, now=clock)
    for source, from_s in zip(SOURCES, (0.0, SWITCH_S), strict=True):
        await screen.prepare(source.picture, source.mime, source.sha256)
        screen.use(source.sha256, from_s)
    return screen


async def test_motion_is_told_against_one_shape_whatever_it_came_with(shaped: Model) -> None:
    screen = await ready(shaped, [], Clock())
    try:
        first, second = (canonical(shaped, source) for source in SOURCES)
        assert not np.allclose(first, second, atol=1e-3)
        early, late = (replace(motion_of(shaped), capture_time_s=time_s) for time_s in (SWITCH_S - 0.05, SWITCH_S))
        assert np.array_equal(screen.retell(early).delta, early.delta)
        retold = screen.retell(late)
        assert np.allclose(place(retold, first, True), place(late, second, True), atol=1e-5)
    finally:
        screen.close()


async def test_pictures_blend_from_one_source_to_the_other(shaped: Model) -> None:
    """A head that stands still is told against both pictures in turn: all that changes is what is rendered from."""
    shown: list[Image] = []
    clock, smoother = Clock(), Smoother()
    screen = await ready(shaped, shown, clock)
    screen.smoother = smoother
    first, second = (canonical(shaped, source) for source in SOURCES)
    sources: list[str | None] = []
    try:
        for step in range(40):
            still = replace(motion_of(shaped), capture_time_s=step / RATE)
            sent = still if step / RATE < SWITCH_S else retell(still, first, second)
            smoother.push(screen.retell(sent), clock())
            count = len(shown)
            await screen._show_one()
            sources += [screen.current_sha256] * (len(shown) - count)
            clock.now_s += 1 / RATE
    finally:
        screen.close()
    before, after = shown[0].astype(int), shown[-1].astype(int)
    gap = np.abs(after - before).mean()
    assert gap > 2
    away = np.array([np.abs(image.astype(int) - before).mean() / gap for image in shown])
    switch = sources.index(SOURCES[1].sha256)
    blended = round(BLEND_S * RATE)
    assert away[:switch].max() < 0.05
    assert away[switch] < 0.1
    assert np.all(np.diff(away[switch : switch + blended]) > 0)
    assert np.diff(away).max() < 0.35
    assert away[switch + blended :].min() > 0.95
