from pathlib import Path

import numpy as np
import pytest
import torch

import facewire
from models.runtime.ranges import Range, load_ranges
from models.training.dataset_index import read_index
from models.training.fit_int8 import cost_of, watch, watched
from models.weights import Model, build_model, load_model, save_model
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    made = build_model("tiny")
    torch.nn.init.normal_(made.networks.generator.up_full.weight, std=0.05)
    folder = tmp_path_factory.mktemp("weights")
    save_model(made.networks, made.codec_tables, folder, {"source": "random", "licence": "Apache-2.0"})
    return load_model(folder)


def test_ranges_widen_with_what_comes_in(model: Model) -> None:
    seen: dict[str, Range] = {}
    enter = model.networks.generator.enter
    first, second = torch.zeros(1, enter.in_channels, 2, 2), torch.zeros(1, enter.in_channels, 2, 2)
    first[0, 0, 0, 1], second[0, 0, 1, 1], second[0, 2, 0, 0] = -3.0, 5.0, 7.0
    with watched(model.networks, seen):
        for x in (first, second):
            enter(x)
    enter(100 + first)  # nobody looks any more
    low, high = seen["generator.enter"]
    assert (low[0], high[0], low[2], high[2]) == (-3.0, 5.0, 0.0, 7.0)
    assert (low[1], high[1]) == (0.0, 0.0)


def test_what_is_watched_is_g_without_flow_and_colours(model: Model, tmp_path: Path) -> None:
    data = write_prepared(tmp_path, clips=1, frames=5, stills=0)
    ranges = watch(model, data, read_index(data).clips, 2)
    assert all(name.startswith("generator.") for name in ranges.of_modules)
    assert {"generator.correct", "generator.up_full"}.isdisjoint(ranges.of_modules)
    assert {"generator.enter", "generator.mix_half", "generator.blocks_half.0.conv2"} <= set(ranges.of_modules)
    assert not ranges.invisible  # nothing was measured yet
    assert all(np.isfinite(seen.low).all() and (seen.low <= seen.high).all() for seen in ranges.of_modules.values())


def test_command_measures_and_keeps(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    data = write_prepared(tmp_path, clips=2, frames=5, stills=0)
    monkeypatch.setattr("models.training.fit_int8.find_lpips_weights", lambda: Path("lpips"))
    monkeypatch.setattr("models.training.fit_int8.Lpips", lambda path: lambda a, b: (a - b).abs().mean()[None])
    arguments = ["fit-int8", str(model.folder), "--data", str(data), "--split", "train", "--frames", "2"]
    assert facewire.run(arguments) == 0
    ranges = load_ranges(model)
    assert ranges is not None
    assert 0.0 < ranges.lpips < 4e-3  # here: the mean difference
    assert abs(ranges.loss_db) < 0.05
    cost = cost_of(model, ranges, data, read_index(data).clips[0], 2, lambda a, b: torch.zeros(1))  # type: ignore[arg-type]
    assert 0.0 < cost.mean_levels < cost.largest_levels


def test_command_without_lpips_says_so(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("models.training.fit_int8.find_lpips_weights", lambda: None)
    assert facewire.run(["fit-int8", str(model.folder), "--data", str(tmp_path)]) == 1
    assert "expected LPIPS weights" in capsys.readouterr().err
