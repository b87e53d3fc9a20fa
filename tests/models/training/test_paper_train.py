"""`facewire train --preset paper-tiny`: trains, resumes, and leaves weights that renderer and loader take."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import facewire
from models.paper.config import PAPER_TINY
from models.paper.networks import PaperNetworks
from models.renderer import Renderer
from models.training import paper_train
from models.training.checkpoint import load_average
from models.training.data import Store, load_clips
from models.training.discriminator import discriminator_for
from models.training.errors import DataError
from models.training.paper_stage import PaperOptions, PaperStage
from models.training.paper_train import assemble_paper, paper_grid, start_from
from models.training.run import Plan, run_stage
from models.weights import load_model
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"), clips=2, stills=0)


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without perceptual weights."""
    monkeypatch.setattr(paper_train, "find_lpips_weights", lambda: None)


@pytest.mark.usefixtures("no_weights")
def test_command_trains_resumes_and_leaves_a_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--preset", "paper-tiny", "--data", str(folder), "--out", str(tmp_path), "--split", "train"]
    words += ["--batch", "2", "--threads", "1", "--device", "cpu", "--discriminator-width", "4", "--seed", "1"]
    assert facewire.run([*words, "--steps", "1"]) == 0
    first = load_model(tmp_path / "weights")
    assert first.config == PAPER_TINY
    assert facewire.run([*words, "--steps", "3", "--resume"]) == 0
    model = load_model(tmp_path / "weights")
    assert model.model_id != first.model_id
    assert "compared by L1" in capsys.readouterr().out
    source = torch.rand(1, 3, 64, 64)
    renderer = Renderer(model)
    renderer.set_source(source)
    assert renderer.render(model.extract(source, model.canonical(source)).motion).shape == (1, 3, 64, 64)


def test_stored_weights_draw_what_the_average_draws(folder: Path, tmp_path: Path) -> None:
    """Spectral norm is multiplied in: plain networks give the same picture."""
    torch.manual_seed(0)
    store = Store(load_clips(folder, ["train"], 64), torch.device("cpu"))
    stage = PaperStage(
        PaperNetworks(PAPER_TINY), store, 64, 2, discriminator_for(64, 4), None, PaperOptions(pixels=1.0)
    )
    run_stage(stage, Plan(size=64, minutes=None, steps=2, warm_up=1), tmp_path, resume=False)
    plain = assemble_paper(tmp_path / "paper.safetensors", PAPER_TINY)
    assert not any("parametrizations" in name for name in plain.state_dict())
    stage.module.load_state_dict(load_average(tmp_path / "paper.safetensors")[0])
    stage.module.eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        drawn = []
        for networks in (stage.networks, plain):
            x_c = networks.canonical(image)
            placed = networks.place(x_c, networks.extractor(image, x_c).motion)
            drawn.append(networks.draw(networks.appearance(image), placed, placed).image)
    torch.testing.assert_close(drawn[0], drawn[1], atol=1e-5, rtol=0.0)
    assert paper_grid(stage, rows=3).shape == (3, 3 * 64, 3 * 64)


def test_larger_pictures_start_from_smaller_ones() -> None:
    torch.manual_seed(0)
    small, large = PaperNetworks(PAPER_TINY), PaperNetworks(replace(PAPER_TINY, size=128))
    new = start_from(large, small.state_dict())
    assert {name.split(".")[0] for name in new} == {"appearance", "generator"}
    assert torch.equal(large.motion_field.mask.weight, small.motion_field.mask.weight)
    assert torch.equal(large.generator.decoder.up["from0"].conv.weight, small.generator.decoder.up["from0"].conv.weight)


def test_wrong_stage_and_size(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--preset", "paper-tiny", "--data", str(folder), "--out", str(tmp_path), "--steps", "1"]
    assert facewire.run([*words, "--stage", "joint"]) != 0
    assert "--stage: expected all, since paper-tiny trains in one stage" in capsys.readouterr().err
    assert facewire.run([*words, "--size", "128", "--device", "cpu"]) != 0
    assert "--size: expected 64, the size of paper-tiny, got 128" in capsys.readouterr().err


def test_state_of_another_preset(folder: Path, tmp_path: Path) -> None:
    store = Store(load_clips(folder, ["train"], 64), torch.device("cpu"))
    stage = PaperStage(
        PaperNetworks(PAPER_TINY), store, 64, 2, discriminator_for(64, 4), None, PaperOptions(pixels=1.0)
    )
    run_stage(stage, Plan(size=64, minutes=None, steps=1), tmp_path, resume=False)
    with pytest.raises(DataError, match="expected the state of preset paper-tiny, got another"):
        assemble_paper(tmp_path / "paper.safetensors", replace(PAPER_TINY, keypoints=10))
