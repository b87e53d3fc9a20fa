"""render.py with a tiny network: the picture is the renderer's own, made in another thread."""

import threading

import numpy as np
import pytest
import torch

from models.geometry import HeadMotion
from models.renderer import Renderer
from models.weights import Model, build_model
from receiver.errors import ViewError
from receiver.look import Look
from receiver.render import FaceRenderer, to_head_motion, to_image, to_tensor
from tests.receiver.motions import motion


@pytest.fixture(scope="module")
def tiny() -> Model:
    return build_model("tiny")


def source() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)


async def test_render_equals_the_models_renderer(tiny: Model) -> None:
    renderer = FaceRenderer(tiny)
    await renderer.set_source(source())
    name, shown = await renderer.in_thread(
        lambda: (threading.current_thread().name, renderer.render_now(motion(0.0, seed=2)))
    )
    renderer.close()
    eager = Renderer(tiny)
    eager.set_source(to_tensor(source()))
    assert name == "render_0"
    assert np.array_equal(shown, to_image(eager.render(to_head_motion(motion(0.0, seed=2)))))


def test_to_head_motion_keeps_every_number_in_its_place() -> None:
    travelled = motion(1.0, seed=7)
    head = to_head_motion(travelled)
    assert isinstance(head, HeadMotion)
    assert head.delta.shape == (1, 20, 3)
    angles = [float(angle) for angle in (head.yaw_deg, head.pitch_deg, head.roll_deg)]
    assert angles == pytest.approx([travelled.yaw_deg, travelled.pitch_deg, travelled.roll_deg])
    assert np.array_equal(head.t[0].numpy(), travelled.t)
    assert np.array_equal(head.delta[0].numpy(), travelled.delta)


def test_to_image_rounds_and_clips() -> None:
    rendered = torch.zeros(1, 3, 2, 2)
    rendered[0, :, 0, 1] = torch.tensor([1.2, -0.1, 100.6 / 255])
    assert to_image(rendered)[0, 1].tolist() == [255, 0, 101]


async def test_view_is_the_viewers_own_within_the_limits(tiny: Model) -> None:
    def shown(look: Look) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        renderer = FaceRenderer(tiny, look=look)
        renderer.set_source_now(source())
        picture = renderer.render_now(motion(0.0, seed=2))
        renderer.close()
        return picture

    plain, far = shown(Look()), shown(Look((90.0, 0.0, 0.0)))
    assert not np.array_equal(plain, far)
    # beyond the limits every wish ends at the same place
    assert np.abs(far.astype(int) - shown(Look((80.0, 0.0, 0.0)))).max() <= 1
    assert shown(Look(size=128)).shape == (128, 128, 3)
    with pytest.raises(ViewError, match="--size: expected 64 or 128 px for this model, got 100"):
        FaceRenderer(tiny, look=Look(size=100))
