import pytest
import torch

from models.geometry import View, fill_tail
from models.renderer import Renderer
from models.resize import resize
from models.training.dropout import drop_tail
from models.weights import build_model


@pytest.mark.parametrize("preset", ["tiny", "paper-tiny"])
def test_render_runs_neither_appearance_nor_canonical_keypoints(preset: str) -> None:
    model = build_model(preset)
    calls: list[str] = []
    for name in ("appearance", "canonical", "extractor", "motion_field", "generator"):
        getattr(model.networks, name).register_forward_hook(lambda *_, name=name: calls.append(name))
    renderer = Renderer(model)
    image = torch.rand(1, 3, 64, 64)
    motion = model.extract(image, model.canonical(image)).motion
    renderer.set_source(image)
    calls.clear()
    for _ in range(3):
        assert renderer.render(motion).shape == (1, 3, 64, 64)
    assert set(calls) == {"motion_field", "generator"}


@pytest.mark.parametrize("preset", ["tiny", "paper-tiny"])
def test_render_is_the_same_each_time_and_depends_on_motion_and_view(preset: str) -> None:
    model = build_model(preset)
    renderer = Renderer(model)
    source = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    renderer.set_source(source)
    motion = model.extract(source, model.canonical(source)).motion
    moved = motion._replace(t=motion.t + 0.2)
    zero = torch.zeros(1)
    first = renderer.render(motion)
    assert torch.equal(first, renderer.render(motion))
    assert not torch.equal(first, renderer.render(moved))
    turned = renderer.render(motion, View(zero + 20.0, zero, zero, torch.zeros(1, 3)))
    assert not torch.equal(first, turned)
    unturned = renderer.render(motion, View(zero, zero, zero, torch.zeros(1, 3)))
    torch.testing.assert_close(first, unturned, atol=1e-4, rtol=0.0)


def test_render_before_a_source() -> None:
    model = build_model("tiny")
    image = torch.rand(1, 3, 64, 64)
    motion = model.extract(image, model.canonical(image)).motion
    with pytest.raises(RuntimeError, match="expected set_source to be called first"):
        Renderer(model).render(motion)


def test_source_of_another_size() -> None:
    with pytest.raises(
        ValueError, match=r"expected shape \(1, 3, 64, 64\) or \(1, 3, 128, 128\), got \(1, 3, 256, 256\)"
    ):
        Renderer(build_model("tiny")).set_source(torch.rand(1, 3, 256, 256))


def test_twice_the_size_keeps_the_sources_own_detail() -> None:
    model = build_model("tiny")
    with torch.no_grad():  # G adds nothing, M moves nothing: what is left is the source image, warped at its own size
        for layer in (model.networks.generator.up_full, model.networks.generator.correct):
            layer.weight.zero_()
            if layer.bias is not None:
                layer.bias.zero_()
    source = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    small, large, plain = Renderer(model), Renderer(model, 128), Renderer(model, 128)
    motion = model.extract(resize(source, 64), model.canonical(resize(source, 64))).motion
    for renderer, picture in ((small, source), (large, source), (plain, resize(source, 64))):
        renderer.set_source(picture)
    assert small.render(motion).shape == (1, 3, 64, 64)
    shown = large.render(motion)
    assert shown.shape == (1, 3, 128, 128)
    assert (shown - source).abs().mean() < 0.5 * (plain.render(motion) - source).abs().mean()
    torch.testing.assert_close(small.source_rotation, large.source_rotation)


def test_size_that_the_model_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"size: expected 64 or 128 px for this model, got 96"):
        Renderer(build_model("tiny"), 96)


@pytest.mark.parametrize("preset", ["tiny", "paper-tiny"])
def test_prefix_of_the_keypoints_is_what_training_calls_a_dropped_tail(preset: str) -> None:
    model = build_model(preset)
    renderer = Renderer(model)
    source = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    renderer.set_source(source)
    x_c = model.canonical(source)
    motion = model.extract(source, x_c).motion
    motion = motion._replace(delta=motion.delta + 0.3)
    count = model.config.keypoints
    prefix = motion._replace(delta=motion.delta[:, : count // 2])
    dropped = drop_tail(model.networks.place(x_c, motion), torch.tensor([count // 2]))
    same = model.networks.place(x_c, fill_tail(prefix, count))
    torch.testing.assert_close(same.delta, dropped.delta)
    if preset == "tiny":  # in `paper` t_z is no scale, and no such dropout is trained
        torch.testing.assert_close(same.x, dropped.x)
    assert torch.equal(renderer.render(prefix), renderer.render(fill_tail(prefix, count)))
    assert not torch.equal(renderer.render(prefix), renderer.render(motion))


def test_more_keypoints_than_the_model_has() -> None:
    model = build_model("tiny")
    renderer = Renderer(model)
    image = torch.rand(1, 3, 64, 64)
    renderer.set_source(image)
    motion = model.extract(image, model.canonical(image)).motion
    with pytest.raises(ValueError, match="expected at most 20 keypoints, got 21"):
        renderer.render(motion._replace(delta=torch.zeros(1, 21, 3)))
