"""Every way gives plain torch's numbers on both paths, or says in words why it cannot."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from models.runtime import openvino_graph, torch_frozen
from models.runtime.base import Graph, RuntimeUnusable, Way
from models.runtime.choose import compare
from models.runtime.cuda_graph import CudaGraph, HostCopies
from models.runtime.examples import example
from models.runtime.openvino_graph import OpenVino, plain_affine_grid
from models.runtime.torch_eager import Eager, Folded
from models.runtime.torch_frozen import Frozen, FrozenBf16
from models.weights import WeightsError, build_model, load_model

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the openvino extra is not installed")
CPU_WAYS = [Folded(), Frozen(), pytest.param(OpenVino(), marks=needs_openvino)]


def largest_difference(way: Way, path: str, model_device: str = "cpu", preset: str = "tiny") -> float:
    """Of a way from plain torch over a few frames, after another source was fixed in between."""
    model = build_model(preset)
    model.networks.to(model_device)
    graph, frames = example(model, path)
    plain, runner = Eager().build(graph), way.build(graph)
    other = tuple(tensor * 0.5 for tensor in graph.fixed)
    largest = 0.0
    for fixed in (other, graph.fixed):
        plain.fix(*fixed)
        runner.fix(*fixed)
        got = [runner.run(*frame) for frame in frames]  # held together: a result must not be overwritten
        result = compare(way.name, path, got, [plain.run(*frame) for frame in frames])
        assert result.largest_difference is not None
        largest = max(largest, result.largest_difference)
    return largest


@pytest.mark.parametrize("path", ["extract", "render"])
@pytest.mark.parametrize("way", CPU_WAYS, ids=lambda way: way.name)
def test_way_gives_plain_torchs_numbers(way: Way, path: str) -> None:
    assert largest_difference(way, path) < 1e-3


def test_bf16_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_frozen, "has_fast_bf16", lambda: False)
    graph, _ = example(build_model("tiny"), "render")
    with pytest.raises(RuntimeUnusable, match="neither avx512_bf16 nor AMX"):
        FrozenBf16().build(graph)
    monkeypatch.setattr(torch_frozen, "has_fast_bf16", lambda: True)
    with pytest.raises(RuntimeUnusable, match="extract has no G"):
        FrozenBf16().build(example(build_model("tiny"), "extract")[0])
    assert 0 < largest_difference(FrozenBf16(), "render") < 0.1


def test_openvino_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_graph, "find_spec", lambda name: None)
    with pytest.raises(RuntimeUnusable, match=r"pip install 'facewire\[openvino\]'"):
        OpenVino().build(example(build_model("tiny"), "extract")[0])


class Added(torch.nn.Module):
    """A module of the sum of two pictures."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.module(x + y)
        return out


@needs_openvino
def test_openvino_converts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    graph = Graph("extract", Added(module), (torch.rand(1, 3, 8, 8),), (torch.rand(1, 3, 8, 8),))
    conversions = []
    plain = openvino_graph.convert

    def counted(graph: Graph) -> object:
        conversions.append(graph.name)
        return plain(graph)

    monkeypatch.setattr(openvino_graph, "convert", counted)
    results = []
    for damaged in (None, None, "extract.xml", "extract.bin"):
        if damaged:
            (tmp_path / damaged).write_text("<net")
        runner = OpenVino(tmp_path).build(graph)
        runner.fix(*graph.fixed)
        results.append(runner.run(*graph.frame))
    assert len(conversions) == 3  # the second time it was read
    assert all(torch.equal(results[0], result) for result in results[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract.bin", "extract.xml"]


def test_plain_affine_grid_is_torchs() -> None:
    theta = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.affine_grid(theta, [2, 3, 5, 7], align_corners=False)
    torch.testing.assert_close(plain_affine_grid(theta, [2, 3, 5, 7]), expected, atol=1e-6, rtol=0.0)


def test_a_module_that_cannot_be_traced_says_so() -> None:
    class Odd(torch.nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            raise ValueError("no\nway")

    with pytest.raises(RuntimeUnusable, match="cannot be traced: no"):
        Frozen().build(Graph("odd", Odd(), (torch.zeros(1),), (torch.zeros(1),)))


def test_cuda_without_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, _ = example(build_model("tiny"), "render")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeUnusable, match="no CUDA device here"):
        CudaGraph(torch.float16).build(graph)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(RuntimeUnusable, match="the networks are on cpu: load them on cuda"):
        CudaGraph(torch.float16).build(graph)
    here = torch.rand(3)
    assert HostCopies().to_host(here) is here


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("preset", "path", "bound"), [("compact", "render", 0.02), ("compact", "extract", 0.02)])
def test_cuda_graph_gives_plain_torchs_numbers(dtype: torch.dtype, preset: str, path: str, bound: float) -> None:
    assert largest_difference(CudaGraph(dtype), path, "cuda", preset) < bound


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_host_copies_bring_the_numbers() -> None:
    copies = HostCopies()
    tensors = [torch.rand(4, 5, device="cuda") for _ in range(6)]
    for tensor in tensors:
        assert torch.equal(copies.to_host(tensor), tensor.cpu())


@pytest.mark.weights
def test_frozen_on_the_shipped_weights() -> None:
    try:
        model = load_model()
    except WeightsError as error:
        pytest.skip(str(error))
    graph, frames = example(model, "render")
    plain, runner = Eager().build(graph), Frozen().build(graph)
    for each in (plain, runner):
        each.fix(*graph.fixed)
    result = compare("torch-frozen", "render", [runner.run(*frames[1])], [plain.run(*frames[1])])
    assert result.problem is None
