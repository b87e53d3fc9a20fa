from pathlib import Path

import pytest
import torch

import facewire
from models.generator import Picture
from models.sharpen import FILE, Sharpen
from models.training.shards import Wanted, open_store
from models.training.sharpen import SharpenStage, soften
from models.weights import build_model, load_model, save_model
from tests.models.training.prepared import write_prepared


def test_soften_by_hand() -> None:
    # a chequerboard of 0 and 1 that G added, at the finest scale, is all gone; a step is only blurred; the warp stays
    chequers = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    warped = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    added = chequers.float().expand(1, 3, 8, 8)
    step = (torch.arange(8) >= 4).float().expand(1, 1, 8, 8)
    soft = soften(Picture(warped + added, warped, step, torch.zeros(1, 2, 2, 2)))
    torch.testing.assert_close(soft.image, warped + 0.5)
    assert torch.equal(soft.warped, warped)
    # two pixels each way are one below: 0 0 | 1 1 read at quarters between: 0, 0, 0, 1/4, 3/4, 1, 1, 1
    torch.testing.assert_close(soft.blend[0, 0, 0], torch.tensor([0, 0, 0, 0.25, 0.75, 1, 1, 1]))


def test_only_the_sharpening_network_is_trained_and_it_learns(tmp_path: Path) -> None:
    data = write_prepared(tmp_path, clips=2, frames=6, stills=0)
    model = build_model("tiny")
    torch.nn.init.normal_(model.networks.generator.up_full.weight, std=0.2)  # G adds what does not belong there
    store = open_store(data, Wanted(["train"], 64, still_camera=True), torch.device("cpu"), tmp_path / "packed")
    stage = SharpenStage(model.networks, store, 64, sources=2, driving=1)  # type: ignore[arg-type]
    assert [name.split(".")[0] for name, _ in stage.module.named_parameters()] == ["sharpen"] * 8
    optimizer = torch.optim.Adam(stage.module.parameters(), 6e-3)
    losses = []
    for _ in range(20):
        loss = torch.stack(list(stage.loss(torch.Generator().manual_seed(1)).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert all(part.grad is None for part in model.networks.parameters())


def test_train_stage_sharpen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_prepared(tmp_path / "data", clips=2, frames=6, stills=0)
    tiny = build_model("tiny")
    save_model(tiny.networks, tiny.codec_tables, tmp_path / "weights", {"source": "random", "licence": "Apache-2.0"})
    command = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--stage", "sharpen", "--steps", "2"]
    assert facewire.run([*command, "--size", "64", "--batch", "1", "--weights", str(tmp_path / "weights")]) == 0
    assert str(tmp_path / "run" / FILE) in capsys.readouterr().out
    from safetensors import safe_open

    with safe_open(tmp_path / "run" / FILE, "pt") as stored:
        assert stored.metadata()["weights"] == load_model(tmp_path / "weights").manifest["weights"]["sha256"]
        assert set(stored.keys()) == set(Sharpen().state_dict())
