"""The adversarial stage on the tiny preset: who learns from which term, and that it resumes exactly."""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.config import TINY
from models.networks import Networks
from models.training.adversarial import AdversarialStage, AdversarialWeights
from models.training.checkpoint import load_average
from models.training.data import Store, load_clips
from models.training.discriminator import discriminator_for
from models.training.perceptual import PerceptualLoss, SqueezeFeatures
from models.training.run import Plan, run_stage
from models.training.stages import KeypointStage
from tests.models.squeeze_weights import write_squeeze
from tests.models.training.prepared import write_prepared

CPU = torch.device("cpu")
PLAN = Plan(size=64, minutes=None, steps=4, warm_up=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"))


def make_stage(folder: Path, everything: bool = False, perceptual: PerceptualLoss | None = None) -> AdversarialStage:
    torch.manual_seed(0)
    networks = Networks(TINY)
    faces = Store(load_clips(folder, ["train", "stills"], 40), CPU)
    keypoints = KeypointStage(networks, faces, TINY.trunk_size, pairs=3)
    videos = Store(load_clips(folder, ["train"], 64), CPU)
    rival = discriminator_for(64, 4)
    return AdversarialStage(networks, videos, 64, keypoints, rival, 1, 2, perceptual, everything=everything)


def moved(module: nn.Module) -> float:
    return sum(float(p.grad.abs().sum()) for p in module.parameters() if p.grad is not None)


def test_each_side_learns_from_its_own_terms(folder: Path, tmp_path: Path) -> None:
    perceptual = PerceptualLoss([SqueezeFeatures(write_squeeze(tmp_path))])
    stage = make_stage(folder, perceptual=perceptual)
    assert set(stage.module) == {"appearance", "motion_field", "generator", "refiner", "discriminator"}
    stage.train()
    terms = stage.loss(torch.Generator().manual_seed(0))
    assert set(terms) == {"picture", "warped", "structure", "bending", "perceptual", "gan", "features", "discriminator"}
    drawn = [stage.networks.appearance, stage.networks.motion_field, stage.networks.generator]
    for name in ("gan", "features", "perceptual"):
        terms[name].backward(retain_graph=True)  # type: ignore[no-untyped-call]
        assert moved(stage.discriminator) == 0.0, name
        assert all(moved(part) > 0.0 for part in drawn), name
        stage.module.zero_grad()
    terms["discriminator"].backward()  # type: ignore[no-untyped-call]
    assert moved(stage.discriminator) > 0.0
    assert all(moved(part) == 0.0 for part in drawn)
    assert moved(stage.networks.extractor) == moved(stage.networks.canonical) == 0.0


def test_everything_learns_when_asked(folder: Path) -> None:
    stage = make_stage(folder, everything=True)
    assert {"canonical", "extractor", "discriminator"} <= set(stage.module)
    stage.train()
    terms = stage.loss(torch.Generator().manual_seed(0))
    terms["gan"].backward()  # type: ignore[no-untyped-call]
    assert moved(stage.networks.extractor.deformation) > 0.0
    assert stage.rates()["extractor"] == pytest.approx(stage.rate / 10.0)


def test_weights_scale_their_terms(folder: Path) -> None:
    stage = make_stage(folder)
    one = stage.loss(torch.Generator().manual_seed(0))
    again = make_stage(folder)
    again.weights = AdversarialWeights(gan=0.3, feature_matching=2.0)
    two = again.loss(torch.Generator().manual_seed(0))
    assert two["gan"].item() == pytest.approx(3.0 * one["gan"].item(), rel=1e-4)
    assert two["features"].item() == pytest.approx(2.0 * one["features"].item(), rel=1e-4)
    assert two["discriminator"].item() == pytest.approx(one["discriminator"].item(), rel=1e-4)


def test_gradients_are_clipped_apart(folder: Path) -> None:
    """A wild discriminator does not take the generator's gradient away."""
    stage = make_stage(folder)
    for parameter in stage.module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    generator, rival = next(stage.networks.generator.parameters()), next(stage.discriminator.parameters())
    assert generator.grad is not None
    assert rival.grad is not None
    generator.grad.flatten()[0] = 3.0
    rival.grad.flatten()[0] = 4000.0
    assert stage.clip(5.0).item() == pytest.approx(4003.0)
    assert generator.grad.norm().item() == pytest.approx(3.0)
    assert rival.grad.norm().item() == pytest.approx(5.0, rel=1e-3)


def test_stopped_and_resumed_equals_uninterrupted(folder: Path, tmp_path: Path) -> None:
    """The discriminator's weights, moments and power iterations included."""
    for out in ("whole", "parts"):
        (tmp_path / out).mkdir()
    whole, parts = make_stage(folder), make_stage(folder)
    run_stage(whole, PLAN, tmp_path / "whole", resume=False)
    calls = iter([False, False, True])
    assert not run_stage(make_stage(folder), PLAN, tmp_path / "parts", False, lambda: next(calls))
    assert run_stage(parts, PLAN, tmp_path / "parts", resume=True)
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, parts.module.state_dict()[name]), name
    average, numbers = load_average(tmp_path / "parts" / "adversarial.safetensors")
    assert numbers["step"] == 4
    assert any(name.startswith("discriminator.scales.0.hidden.0") for name in average)
