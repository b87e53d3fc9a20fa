"""Every way gives plain torch's numbers on both paths, or says in words why it cannot."""

import signal
import subprocess
import sys
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


@needs_openvino
def test_openvino_converts_once(tmp_path: Path) -> None:
    """In a process of its own: OpenVINO and pytest's handling of a later test's Ctrl-C do not go together."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.models.runtime.conversions", str(tmp_path)], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["3", "conversions"]  # the second time it was read, then it was damaged twice
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract.bin", "extract.xml"]


@pytest.mark.slow
@needs_openvino
def test_openvino_lets_ctrl_c_end_a_program(tmp_path: Path) -> None:
    """With a graph that it converted, and with one that it read back."""
    for _ in range(2):
        told = subprocess.run(
            [sys.executable, "-m", "tests.models.runtime.interrupted", str(tmp_path)],
            capture_output=True,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # however pytest was started
        )
        assert told.returncode == 130, told.stderr
        assert (tmp_path / "render.xml").is_file()


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
