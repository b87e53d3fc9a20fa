from pathlib import Path

import pytest
import torch

from models.generator import Picture
from models.renderer import Renderer
from models.sharpen import FILE, LARGEST_CHANGE, Sharpen, load_sharpen, save_sharpen
from models.weights import Model, WeightsError, build_model, load_model, save_model


def saved(folder: Path, seed: int = 0) -> Model:
    model = build_model("tiny", seed)
    save_model(model.networks, model.codec_tables, folder, {"source": "random", "licence": "Apache-2.0"})
    return load_model(folder)


def disturbed() -> Sharpen:
    network = Sharpen()
    torch.nn.init.normal_(network.leave.weight, std=0.3)
    return network


def test_untrained_it_changes_nothing_and_never_more_than_a_quarter() -> None:
    rng = torch.Generator().manual_seed(0)
    picture = Picture(*(torch.rand(2, channels, 32, 32, generator=rng) for channels in (3, 3, 1, 2)))
    assert torch.equal(Sharpen()(picture), picture.image)
    change = (disturbed()(picture) - picture.image).abs()
    assert 0.01 < change.max() <= LARGEST_CHANGE


def test_it_goes_over_large_pictures_of_its_own_model_only(tmp_path: Path) -> None:
    model = saved(tmp_path)
    assert load_sharpen(model) is None
    source = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    motion = model.extract(source[..., :64, :64], model.canonical(source[..., :64, :64])).motion

    def shown(size: int, sharpen: bool = True) -> torch.Tensor:
        renderer = Renderer(model, size, sharpen)
        renderer.set_source(source)
        return renderer.render(motion)

    before = [shown(64), shown(128)]
    save_sharpen(disturbed(), model, tmp_path)
    assert torch.equal(shown(64), before[0])
    assert torch.equal(shown(128, sharpen=False), before[1])
    assert (shown(128) - before[1]).abs().mean() > 1e-3
    other = saved(tmp_path / "other", seed=1)
    save_sharpen(disturbed(), model, tmp_path / "other")
    assert load_sharpen(other) is None  # it was trained on another model's pictures


def test_file_that_is_no_network(tmp_path: Path) -> None:
    model = saved(tmp_path)
    (tmp_path / FILE).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="expected a sharpening network, got something else"):
        load_sharpen(model)
