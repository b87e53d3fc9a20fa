"""extract.py with a tiny network: what travels is what the network said."""

import math
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from codec.motion import Motion
from models.renderer import Renderer
from models.weights import Model, build_model, load_model
from sender.camera import open_source
from sender.crop_square import Square, cut
from sender.extract import Extractor, to_tensor

DEMO = Path(__file__).parents[2] / "replay/assets/demo.mp4"


@pytest.fixture(scope="module")
def tiny() -> Model:
    return build_model("tiny")


def crop(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)


def test_to_tensor_is_rgb_in_unit_range_channels_first() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[0, 1] = (255, 51, 0)
    tensor = to_tensor(image)
    assert tensor.shape == (1, 3, 64, 64)
    assert tensor[0, :, 0, 1].tolist() == pytest.approx([1.0, 0.2, 0.0])


async def test_extract_gives_the_networks_numbers_from_another_thread(
    tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()
    extractor = Extractor(tiny)
    extractor.set_source(crop(1))
    here_and_now = extractor.extract_now

    def watched(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], time_s: float) -> object:
        threads.add(threading.current_thread().name)
        return here_and_now(image, time_s)

    monkeypatch.setattr(extractor, "extract_now", watched)
    extracted = await extractor.extract(crop(), 1.5)
    extractor.close()
    expected = tiny.extract(to_tensor(crop()), tiny.canonical(to_tensor(crop(1))))
    assert threads == {"extract_0"}
    assert extracted.motion.capture_time_s == 1.5
    assert extracted.motion.yaw_deg == pytest.approx(float(expected.motion.yaw_deg[0]))
    assert extracted.motion.roll_deg == pytest.approx(float(expected.motion.roll_deg[0]))
    assert np.allclose(extracted.motion.delta, expected.motion.delta[0].numpy())
    assert extracted.face_score == pytest.approx(float(expected.face_score[0]))


def test_extract_before_a_source(tiny: Model) -> None:
    extractor = Extractor(tiny)
    with pytest.raises(RuntimeError, match="expected set_source to be called first"):
        extractor.extract_now(crop(), 0.0)
    extractor.close()


def test_face_score_is_that_of_h_before_there_is_a_source_picture(tiny: Model) -> None:
    extractor = Extractor(tiny)
    score = extractor.face_score(crop(3))
    extractor.set_source(crop(3))
    assert score == pytest.approx(extractor.extract_now(crop(3), 0.0).face_score)
    extractor.close()
    assert 0 <= score <= 1


def test_source_of_twice_the_size_is_told_as_the_receiver_sees_it(tiny: Model) -> None:
    """Both sides take the same picture down to the networks' size, so that they mean the same by delta."""
    large = np.random.default_rng(3).integers(0, 256, (128, 128, 3), np.uint8)
    extractor, renderer = Extractor(tiny), Renderer(tiny)
    extractor.set_source(large)
    renderer.set_source(to_tensor(large))
    assert extractor._x_c is not None
    assert renderer._x_c is not None
    assert torch.equal(extractor._x_c, renderer._x_c)
    extractor.close()


def test_drift_is_none_in_the_source_picture_itself(tiny: Model) -> None:
    extractor = Extractor(tiny)
    extractor.set_source(crop(1))
    assert extractor.drift(extractor.extract_now(crop(1), 0.0).motion) == (0.0, 0.0, 0.0)
    extractor.set_source(crop(2))
    assert extractor.drift(extractor.extract_now(crop(2), 0.0).motion) == (0.0, 0.0, 0.0)
    extractor.close()


def test_drift_before_a_source(tiny: Model) -> None:
    extractor = Extractor(tiny)
    motion = Motion(0.0, 0.0, 0.0, np.zeros(3, np.float32), np.zeros((20, 3), np.float32), 0.0)
    with pytest.raises(RuntimeError, match="expected set_source to be called first"):
        extractor.drift(motion)
    extractor.close()


@pytest.mark.parametrize(("preset", "size"), [("tiny", 0.3), ("paper-tiny", 0.0)])
def test_drift_is_in_sides_and_has_a_size_where_t_z_tells_one(preset: str, size: float) -> None:
    model = build_model(preset)
    picture = np.zeros((model.config.size, model.config.size, 3), np.uint8)
    extractor = Extractor(model)
    extractor.set_source(picture)
    motion = extractor.extract_now(picture, 0.0).motion
    moved = replace(motion, t=motion.t + np.array([0.2, -0.1, 0.3], np.float32))
    assert extractor.drift(moved) == pytest.approx((0.1, -0.05, size), abs=1e-5)
    extractor.close()


@pytest.mark.weights
@pytest.mark.parametrize(("right", "down", "size"), [(0.1, 0, 0), (-0.1, 0, 0), (0, 0.1, 0), (0, -0.1, 0), (0, 0, 0.2)])
def test_shipped_networks_see_where_the_head_went(right: float, down: float, size: float) -> None:
    """A real face, and the same one elsewhere in the crop."""
    extractor = Extractor(load_model())
    frames = open_source(str(DEMO))
    first = frames.read()
    frames.close()
    assert first is not None
    side = first.image.shape[0]
    wide = np.pad(first.image, ((side // 2, side // 2), (side // 2, side // 2), (0, 0)), mode="reflect")
    middle, extent = Square(side // 2, side // 2, side), side * math.exp(-size)
    moved = Square(side - right * side - extent / 2, side - down * side - extent / 2, extent)
    extractor.set_source(cut(wide, middle, 256))
    found = extractor.extract_now(cut(wide, moved, 256), 0.0)
    extractor.close()
    drift = extractor.drift(found.motion)
    assert (drift.x, drift.y) == pytest.approx((right, down), abs=0.04)
    assert drift.size == pytest.approx(size, abs=0.1)
