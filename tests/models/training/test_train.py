"""Training in seconds on the tiny preset: it learns, stops, resumes to the same state, and leaves loadable weights."""

import csv
import math
import signal
from pathlib import Path

import pytest
import torch

import facewire
from models.config import TINY
from models.networks import Networks
from models.training.checkpoint import load_average, load_part
from models.training.data import Store, load_clips
from models.training.errors import DataError
from models.training.regions import RegionStage
from models.training.run import Plan, run_stage
from models.training.stages import JointStage, KeypointStage, PictureStage, Stage
from models.training.train import assemble
from models.weights import load_model
from tests.models.training.prepared import write_prepared

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"))


def make_stage(name: str, folder: Path) -> Stage:
    torch.manual_seed(0)
    networks = Networks(TINY)
    faces = Store(load_clips(folder, ["train", "stills"], 40), CPU)
    keypoints = KeypointStage(networks, faces, TINY.trunk_size, pairs=4)
    if name == "keypoints":
        return keypoints
    if name == "regions":
        return RegionStage(networks, Store(load_clips(folder, ["train", "stills"], 64), CPU), 64, faces=6)
    videos = Store(load_clips(folder, ["train", "stills"], 64), CPU)
    if name == "windows":
        videos = Store(load_clips(folder, ["train", "stills"], 128), CPU)
        return PictureStage(networks, videos, 128, sources=4, driving=2, window=64)
    if name == "pictures":
        return PictureStage(networks, videos, 64, sources=2, driving=2)
    return JointStage(networks, videos, 64, keypoints, sources=2, driving=2)


def plan(steps: int) -> Plan:
    return Plan(size=64, minutes=None, steps=steps, warm_up=1)


@pytest.mark.parametrize("name", ["keypoints", "regions", "pictures", "windows", "joint"])
def test_stage_terms_are_finite_and_reach_its_modules(name: str, folder: Path) -> None:
    stage = make_stage(name, folder)
    terms = stage.loss(torch.Generator().manual_seed(0))
    assert all(math.isfinite(float(term.detach())) for term in terms.values())
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    for part, module in stage.module.named_children():
        assert any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in module.parameters()), part


def test_stopped_and_resumed_equals_uninterrupted(folder: Path, tmp_path: Path) -> None:
    for out in ("whole", "parts"):
        (tmp_path / out).mkdir()
    assert run_stage(make_stage("pictures", folder), plan(6), tmp_path / "whole", resume=False)
    calls = iter([False, False, False, True])
    stopped = run_stage(make_stage("pictures", folder), plan(6), tmp_path / "parts", False, lambda: next(calls))
    assert not stopped
    assert run_stage(make_stage("pictures", folder), plan(6), tmp_path / "parts", resume=True)
    whole, parts = (load_average(tmp_path / out / "pictures.safetensors") for out in ("whole", "parts"))
    assert whole[1]["step"] == parts[1]["step"] == 6
    for name, value in whole[0].items():
        assert torch.equal(value, parts[0][name]), name


def test_keypoints_are_learned(folder: Path, tmp_path: Path) -> None:
    """Sixty steps on five dotted faces lower the keypoint error by a third at the least."""
    stage = make_stage("keypoints", folder)
    before = float(stage.loss(torch.Generator().manual_seed(9))["keypoints"].detach())
    run_stage(stage, plan(60), tmp_path, resume=False)
    after = float(stage.loss(torch.Generator().manual_seed(9))["keypoints"].detach())
    assert after < before * 2 / 3


def test_regions_are_learned(folder: Path, tmp_path: Path) -> None:
    """Eighty steps on five dotted faces bring the lips a third nearer to where they are."""
    stage = make_stage("regions", folder)
    before = float(stage.loss(torch.Generator().manual_seed(9))["mouth"].detach())
    run_stage(stage, plan(80), tmp_path, resume=False)
    after = float(stage.loss(torch.Generator().manual_seed(9))["mouth"].detach())
    assert after < before * 2 / 3


def test_windows_show_the_face_larger_and_bend_stills_only(folder: Path) -> None:
    stage = make_stage("windows", folder)
    assert isinstance(stage, PictureStage)
    rng = torch.Generator().manual_seed(3)
    batches = [stage.draw(rng) for _ in range(8)]
    sizes = {s.image.shape[-1] for s, _ in batches}
    assert sizes == {64, 128}  # windows, and now and then the whole picture
    windows = [(s, d) for s, d in batches if s.image.shape[-1] == 64]
    for s, d in windows:
        low, high = s.x[..., :2].amin(1), s.x[..., :2].amax(1)
        assert bool(((low + high) / 2).abs().lt(0.6).all())  # the face lies about the middle
        assert d.bent is not None
        assert d.bent.sum() == 2  # one of four clips is a still, with two driving frames
    whole = next(s for s, _ in batches if s.image.shape[-1] == 128)
    spread = [float(s.x[..., :2].std(1).mean()) for s in (windows[0][0], whole)]
    assert spread[0] > 1.15 * spread[1]


def test_joint_stage_starts_from_the_trained_keypoints_and_moves_them_slowly(folder: Path, tmp_path: Path) -> None:
    """Adam's first step is the learning rate: a tenth of it for L, H, Δ and the heads that came trained."""
    trained = make_stage("keypoints", folder)
    run_stage(trained, plan(3), tmp_path, resume=False)
    joint = make_stage("joint", folder)
    assert isinstance(joint, JointStage)
    load_part(tmp_path / "keypoints.safetensors", joint.keypoints.module)
    average, _ = load_average(tmp_path / "keypoints.safetensors")
    assert torch.equal(joint.keypoints.dense.weight, average["dense.weight"])
    before = {name: value.detach().clone() for name, value in joint.module.named_parameters()}
    run_stage(joint, plan(1), tmp_path, resume=False)
    moved = {name: (value - before[name]).abs().max().item() for name, value in joint.module.named_parameters()}
    slow = [step for name, step in moved.items() if name.split(".")[0] in trained.module]
    fast = [step for name, step in moved.items() if name.split(".")[0] not in trained.module]
    assert max(fast) == pytest.approx(2.0 * joint.rate, rel=0.01)  # G; F and M at half of that
    assert max(slow) == pytest.approx(joint.rate / 10.0, rel=0.01)


def test_state_of_another_preset(folder: Path, tmp_path: Path) -> None:
    run_stage(make_stage("keypoints", folder), plan(1), tmp_path, resume=False)
    (tmp_path / "keypoints.safetensors").rename(tmp_path / "pictures.safetensors")
    with pytest.raises(DataError, match="expected the state of this stage and preset"):
        run_stage(make_stage("pictures", folder), plan(1), tmp_path, resume=True)


def test_cut_state(folder: Path, tmp_path: Path) -> None:
    run_stage(make_stage("keypoints", folder), plan(1), tmp_path, resume=False)
    state = tmp_path / "keypoints.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(DataError, match="expected a training state, found none that is whole"):
        run_stage(make_stage("keypoints", folder), plan(2), tmp_path, resume=True)


def test_assemble_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected the state of a stage"):
        assemble(tmp_path, Networks(TINY))


def test_rate_warms_up_and_falls() -> None:
    schedule = Plan(size=64, minutes=None, steps=1000, warm_up=100)
    rates = [schedule.rate(step, schedule.progress(step, 0.0)) for step in (0, 99, 499, 750, 999)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[1] == rates[2] == pytest.approx(1.0)
    assert rates[3] == pytest.approx(0.51, abs=0.01)
    assert rates[4] == pytest.approx(0.02, abs=0.001)
    assert Plan(size=64, minutes=2.0, steps=None).progress(7, 60.0) == 0.5


@pytest.mark.slow
def test_command_trains_all_stages_and_resumes(folder: Path, tmp_path: Path) -> None:
    words = ["train", "--preset", "tiny", "--data", str(folder), "--out", str(tmp_path), "--steps", "2"]
    words += ["--threads", "1", "--batch", "1", "--pairs", "3", "--device", "cpu"]
    handler = signal.getsignal(signal.SIGTERM)
    assert facewire.run(words) == 0
    assert signal.getsignal(signal.SIGTERM) is handler
    model = load_model(tmp_path / "weights")
    assert model.config == TINY
    assert set(model.manifest["training"]) == {"keypoints", "regions", "pictures", "refine", "joint", "adversarial"}
    assert facewire.run([*words, "--resume"]) == 0
    assert load_model(tmp_path / "weights").model_id == model.model_id
    assert (tmp_path / "tensorboard" / "joint").is_dir()


def test_scalars_are_logged(folder: Path, tmp_path: Path) -> None:
    run_stage(make_stage("keypoints", folder), plan(50), tmp_path, resume=False)
    rows = list(csv.reader((tmp_path / "keypoints.csv").open()))
    assert rows[0][0] == "50"
    assert any(cell.startswith("keypoints=") for cell in rows[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--precision", "fp8"], "--precision: expected auto, fp32 or bf16, got 'fp8'"),
        (["--keypoint-dropout", "1"], "--keypoint-dropout: expected 0 to below 1, got 1.0"),
        (["--stage", "gan"], "--stage: expected all or one of keypoints"),
    ],
)
def test_bad_options_in_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--steps", "1"]
    assert facewire.run([*command, *words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
