"""The stage of `paper` on tiny sizes: every term, who learns from what, and the ablations."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.geometry import HeadMotion
from models.interface import Keypoints
from models.paper.config import PAPER_TINY, PaperConfig
from models.paper.networks import PaperNetworks
from models.training.data import Store, load_clips
from models.training.discriminator import discriminator_for
from models.training.equivariance import PlaneWarp
from models.training.paper_stage import PaperOptions, PaperStage, Placed
from models.training.perceptual import PerceptualLoss, SqueezeFeatures
from models.training.run import Plan, run_stage
from models.training.stages import Terms
from tests.models.squeeze_weights import write_squeeze
from tests.models.training.prepared import write_prepared

CPU = torch.device("cpu")
KEYPOINT_TERMS = {"equivariance", "jacobian", "keypoints", "pose", "deformation", "face"}
PICTURE_TERMS = {"perceptual", "gan", "features", "discriminator"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = write_prepared(tmp_path_factory.mktemp("prepared"), clips=2, stills=0)
    return Store(load_clips(folder, ["train"], 64), CPU)


@pytest.fixture(scope="module")
def perceptual(tmp_path_factory: pytest.TempPathFactory) -> PerceptualLoss:
    return PerceptualLoss([SqueezeFeatures(write_squeeze(tmp_path_factory.mktemp("squeeze")))])


def make_stage(
    store: Store,
    perceptual: PerceptualLoss | None = None,
    config: PaperConfig = PAPER_TINY,
    options: PaperOptions | None = None,
) -> PaperStage:
    torch.manual_seed(0)
    stage = PaperStage(PaperNetworks(config), store, 64, 3, discriminator_for(64, 4), perceptual, options)
    stage.train()
    return stage


def terms_of(stage: PaperStage) -> Terms:
    return stage.loss(torch.Generator().manual_seed(0))


def moved(stage: PaperStage) -> dict[str, float]:
    """Sum of |gradient| of every module; then they are cleared."""
    sums = {
        name: sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None)
        for name, part in stage.module.items()
    }
    stage.module.zero_grad()
    return sums


def test_every_term_is_finite_and_reaches_whom_it_should(store: Store, perceptual: PerceptualLoss) -> None:
    stage = make_stage(store, perceptual)
    for parameter in stage.networks.extractor.parameters():  # Δ and t begin at 0, which hides the trunk
        parameter.data.add_(torch.randn_like(parameter) * 0.02)
    terms = terms_of(stage)
    assert set(terms) == KEYPOINT_TERMS | PICTURE_TERMS
    assert all(math.isfinite(float(term.detach())) for term in terms.values())
    drawing, finding = {"appearance", "motion_field", "generator"}, {"canonical", "extractor"}
    reached = {
        "perceptual": drawing | finding,  # the picture teaches the keypoints
        "gan": drawing | finding,
        "features": drawing | finding,
        "equivariance": finding,
        "jacobian": finding,
        "keypoints": finding,
        "pose": {"extractor"},
        "deformation": {"extractor"},
        "face": {"extractor"},
        "discriminator": {"discriminator"},
    }
    for name, modules in reached.items():
        terms[name].backward(retain_graph=True)  # type: ignore[no-untyped-call]
        assert {part for part, gradient in moved(stage).items() if gradient > 0.0} == modules, name


def test_a_few_steps_move_all_networks_and_stay_finite(
    store: Store, perceptual: PerceptualLoss, tmp_path: Path
) -> None:
    stage = make_stage(store, perceptual)
    before = {name: value.detach().clone() for name, value in stage.module.named_parameters()}
    assert run_stage(stage, Plan(size=64, minutes=None, steps=3, warm_up=1), tmp_path, resume=False)
    parts = {"appearance", "motion_field", "generator", "canonical", "extractor", "discriminator"}
    after = dict(stage.module.named_parameters())
    assert all(bool(torch.isfinite(value).all()) for value in after.values())
    assert {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])} == parts
    still = {name for name, value in after.items() if torch.equal(value, before[name])}
    # while no patch is told apart by 1, both halves of the hinge pull at the last bias alike
    assert still <= {"discriminator.scales.0.score.bias"}


def test_weights_of_eq_5() -> None:
    """Keypoints by hand: x_d = 0, x_T(d) = (0.1, 0, 0) under no warp, angles off by 45 degrees, delta 0.2 and 0."""
    count = 2
    x = torch.zeros(1, count, 3)
    R = torch.eye(3)[None]
    zero = torch.zeros(1)
    points = Keypoints(x, R, torch.zeros(1, 3), x)
    delta = torch.zeros(1, count, 3)
    delta[0, 0] = 0.2
    motion = HeadMotion(zero + 45.0, zero, zero, torch.zeros(1, 3), delta)
    warped = points._replace(x=x + torch.tensor([0.1, 0.0, 0.0]))
    placed = Placed(points, points, warped, torch.eye(3).expand(1, count, 3, 3), motion, None)
    same = PlaneWarp(torch.eye(2, 3)[None], torch.zeros(1, 2, 25))
    stage = object.__new__(PaperStage)
    stage.options = PaperOptions()
    stage.networks = PaperNetworks(PAPER_TINY)
    still = HeadMotion(zero, zero, zero, torch.zeros(1, 3), delta * 0.0)

    class Target:
        motion = still

    terms = stage.weigh_keypoints(placed, Target(), same)  # type: ignore[arg-type]
    assert float(terms["equivariance"]) == pytest.approx(20 * 0.1 / 2)  # mean over x and y
    assert float(terms["jacobian"]) == pytest.approx(0.0, abs=1e-5)
    assert float(terms["keypoints"]) == pytest.approx(10 * (2 * 0.1 + 0.33))  # both orders of the one pair; depth 0
    assert float(terms["pose"]) == pytest.approx(20.0)
    assert float(terms["deformation"]) == pytest.approx(5 * 0.1)


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"direct": True, "jacobians": False}, {"jacobian", "pose", "deformation", "face"}),
        ({"warp_2d": True}, set()),
        ({"keypoints": 10}, set()),
        ({"spade": True}, set()),
    ],
)
def test_ablations_train(change: dict[str, int], missing: set[str], store: Store, perceptual: PerceptualLoss) -> None:
    stage = make_stage(store, perceptual, replace(PAPER_TINY, **change))  # type: ignore[arg-type]
    terms = terms_of(stage)
    assert set(terms) == (KEYPOINT_TERMS | PICTURE_TERMS) - missing
    torch.stack([term.float() for term in terms.values()]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(gradient > 0.0 for gradient in moved(stage).values())


def test_head_start_from_landmarks(store: Store) -> None:
    """Landmarks as targets take the place of the prior that pushes keypoints apart."""
    stage = make_stage(store, None, replace(PAPER_TINY, keypoints=10), PaperOptions(pixels=10.0, landmarks=10.0))
    terms = terms_of(stage)
    assert "landmarks" in terms
    assert "pixels" in terms
    assert "keypoints" not in terms
    assert "perceptual" not in terms


def test_steps_in_bf16(store: Store, perceptual: PerceptualLoss, tmp_path: Path) -> None:
    """Autocast leaves keypoints, flows and spectral norms in fp32, and the loss finite."""
    stage = make_stage(store, perceptual)
    with torch.autocast("cpu", torch.bfloat16):
        s, d = stage.draw(torch.Generator().manual_seed(0))
        same = PlaneWarp(torch.eye(2, 3)[None], torch.zeros(1, 2, 25))
        placed = stage.place(s, d, same, None)
        drawing = stage.render(s, placed)
    assert placed.d.x.dtype == drawing.field.flow.dtype == drawing.image.dtype == torch.float32
    assert run_stage(stage, Plan(size=64, minutes=None, steps=2, warm_up=1, bf16=True), tmp_path, resume=False)
    assert all(bool(torch.isfinite(value).all()) for value in stage.module.parameters())


def test_gradients_of_each_network_are_clipped_apart(store: Store) -> None:
    """A head pose that is far off does not hold G back."""
    stage = make_stage(store)
    for parameter in stage.module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    drawn, found = (next(stage.module[name].parameters()).grad for name in ("generator", "extractor"))
    assert drawn is not None
    assert found is not None
    drawn.flatten()[0], found.flatten()[0] = 3.0, 400.0
    assert stage.clip(5.0).item() == pytest.approx(403.0)
    assert drawn.norm().item() == pytest.approx(3.0)
    assert found.norm().item() == pytest.approx(5.0, rel=1e-3)
