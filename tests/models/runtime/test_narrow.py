"""Folded batch norm gives the same numbers; half precision stays inside the convolutions."""

import copy

import pytest
import torch
from torch import Tensor, nn

from models.blocks import FaceTrunk
from models.runtime.examples import example
from models.runtime.graphs import RenderModule
from models.runtime.narrow import NarrowConvolution, fold_norms, narrow_convolutions
from models.weights import build_model


def test_fold_norms_by_hand() -> None:
    """One channel: convolution 2x + 1, norm with mean 3, variance 4, weight 5, bias 6: 5 (2x + 1 - 3) / 2 + 6."""
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0)).eval()
    convolution, norm = net[0], net[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    convolution.weight.data.fill_(2.0)
    for parameter, value in ((convolution.bias, 1.0), (norm.weight, 5.0), (norm.bias, 6.0)):
        assert parameter is not None
        parameter.data.fill_(value)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.fill_(3.0)
    norm.running_var.fill_(4.0)
    folded = fold_norms(net)
    assert isinstance(folded[1], nn.Identity)
    assert folded(torch.tensor([[[[10.0]]]])).item() == pytest.approx(5 * (2 * 10 + 1 - 3) / 2 + 6)


def test_fold_norms_of_a_trunk() -> None:
    torch.manual_seed(0)
    trunk = FaceTrunk(32, (8, 8, 8, 8), (1, 2, 1), 16).eval()
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias)
            assert module.running_mean is not None
            module.running_mean.normal_()
    image = torch.rand(1, 3, 32, 32)
    folded = fold_norms(copy.deepcopy(trunk))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(image), trunk(image), atol=1e-5, rtol=1e-4)


def test_narrow_convolutions_leave_coordinates_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, frames = example(build_model("tiny"), "render")
    module = copy.deepcopy(graph.module)
    assert isinstance(module, RenderModule)
    narrow_convolutions(module.networks, torch.bfloat16)
    grids: list[torch.dtype] = []
    plain = torch.nn.functional.grid_sample

    def watched(input: Tensor, grid: Tensor, **options: object) -> Tensor:
        grids.append(grid.dtype)
        return plain(input, grid, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.nn.functional, "grid_sample", watched)
    with torch.inference_mode():
        picture = module(*graph.fixed, *frames[1])
    assert set(grids) == {torch.float32}
    assert picture.dtype == torch.float32
    narrowed = [child for child in module.modules() if isinstance(child, NarrowConvolution)]
    assert narrowed
    assert all(child.convolution.weight.dtype == torch.bfloat16 for child in narrowed)
