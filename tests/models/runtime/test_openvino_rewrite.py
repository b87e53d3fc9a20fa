"""Rewritten graphs give the same numbers. They are compiled here and never read back from disk."""

from importlib import import_module

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.runtime.base import Graph
from models.runtime.openvino_graph import bilinear_weights, convert
from models.runtime.openvino_rewrite import module_of, parts_of, split_joined


class Joined(nn.Module):
    """A convolution of features, of the same sampled elsewhere, and of a third part."""

    def __init__(self, sampled: bool) -> None:
        super().__init__()
        self.sampled = sampled
        self.enter = nn.Conv2d(3, 5, 3, padding=1)
        self.mix = nn.Conv2d(11, 4, 3, padding=1)

    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        elsewhere = functional.grid_sample(x, grid, align_corners=False) if self.sampled else x * 0.5
        joined = torch.cat((self.enter(x), elsewhere, x.square()), 1)
        out: Tensor = self.mix(functional.leaky_relu(joined, 0.1))
        return out


@pytest.mark.parametrize(("sampled", "expected"), [(True, 3), (False, 2)])
def test_joined_features_are_split_where_some_were_sampled(sampled: bool, expected: int) -> None:
    openvino = pytest.importorskip("openvino")
    torch.manual_seed(0)
    module = Joined(sampled)
    x, grid = torch.randn(1, 3, 8, 8), torch.rand(1, 8, 8, 2) * 2 - 1
    model = convert(Graph("render", module, (x,), (grid,)))
    assert [part.module for part in parts_of(model)] == ["enter", "mix"]
    parts = split_joined(model)
    assert len(parts) == len(parts_of(model)) == expected
    channels = [part.channels for part in parts if part.module == "mix"]
    assert channels == ([slice(0, 5), slice(5, 11)] if sampled else [slice(None)])
    request = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    got = request.infer([x.numpy(), grid.numpy()] if len(model.inputs) == 2 else [x.numpy()])[0]
    torch.testing.assert_close(torch.from_numpy(got.copy()), module(x, grid), atol=1e-5, rtol=0.0)


def test_modules_behind_readers_names() -> None:
    assert module_of("__module.networks.generator.mix/aten::_convolution/Convolution") == "generator.mix"
    assert module_of("__module.extractor.trunk/x") == "extractor.trunk"


@pytest.mark.parametrize("after", [4, 10, 23])
def test_bilinear_as_a_product_is_torchs(after: int) -> None:
    rows = torch.randn(3, 10, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(rows[None], (after,), mode="linear", align_corners=False)[0]
    torch.testing.assert_close(rows @ bilinear_weights(10, after).T, expected, atol=1e-5, rtol=0.0)


def test_opset_has_what_is_used() -> None:
    pytest.importorskip("openvino")
    assert {"concat", "convolution", "prelu", "fake_quantize"} <= set(dir(import_module("openvino.opset13")))
