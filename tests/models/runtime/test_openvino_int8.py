"""G in 8 bits: close to plain torch and not the same, or a word why not. Graphs are never read back from disk here."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.runtime.base import RuntimeUnusable, Tolerance
from models.runtime.choose import compare
from models.runtime.examples import example
from models.runtime.openvino_int8 import OpenVinoInt8, round_convolution
from models.runtime.openvino_rewrite import Part
from models.runtime.ranges import Range, Ranges
from models.runtime.torch_eager import Eager
from models.training.fit_int8 import watched
from models.weights import Model, build_model


@pytest.fixture(scope="module")
def model() -> Model:
    model = build_model("tiny")
    torch.nn.init.normal_(model.networks.generator.up_full.weight, std=0.05)  # random weights alone add nothing
    return model


@pytest.fixture(scope="module")
def ranges(model: Model) -> Ranges:
    seen: dict[str, Range] = {}
    graph, frames = example(model, "render")
    plain = Eager().build(graph)
    plain.fix(*graph.fixed)
    with watched(model.networks, seen):
        for frame in frames:
            plain.run(*frame)
    return Ranges(seen, 0.0, 0.0)


def test_picture_is_near_and_not_the_same(model: Model, ranges: Ranges) -> None:
    pytest.importorskip("openvino")
    graph, frames = example(model, "render")
    plain, runner = Eager().build(graph), OpenVinoInt8(ranges).build(graph)
    for each in (plain, runner):
        each.fix(*graph.fixed)
    got, expected = ([each.run(*frame) for frame in frames] for each in (runner, plain))
    result = compare(OpenVinoInt8.name, "render", got, expected, Tolerance(0.5, 0.1))
    assert result.problem is None
    assert result.mean_difference is not None
    assert 1e-6 < result.mean_difference < 4e-3  # one level of 255


def test_refusals(model: Model, ranges: Ranges) -> None:
    pytest.importorskip("openvino")
    graph = example(model, "render")[0]
    with pytest.raises(RuntimeUnusable, match="extract has no G"):
        OpenVinoInt8(ranges).build(example(model, "extract")[0])
    with pytest.raises(RuntimeUnusable, match="no ranges for these weights: `facewire fit-int8` measures them"):
        OpenVinoInt8(None).build(graph)
    with pytest.raises(RuntimeUnusable, match=r"seen in the picture: LPIPS 0.0100 from fp32, face \+0.000 dB lost"):
        OpenVinoInt8(replace(ranges, lpips=0.01)).build(graph)
    other = replace(
        ranges,
        of_modules={**ranges.of_modules, "generator.other": Range(np.zeros(1, np.float32), np.ones(1, np.float32))},
    )
    with pytest.raises(RuntimeUnusable, match="the ranges are of other networks"):
        OpenVinoInt8(other).build(graph)


def test_a_rounded_convolution_by_hand() -> None:
    openvino = pytest.importorskip("openvino")
    ops = pytest.importorskip("openvino.opset13")
    x = ops.parameter([1, 2, 1, 1], np.float32)
    weights = ops.constant(np.array([[1.27, 0.304]], np.float32).reshape(1, 2, 1, 1))
    convolution = ops.convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    seen = Range(np.array([0.0, 0.0], np.float32), np.array([2.55, 1.0], np.float32))
    round_convolution(Part(convolution, "m", slice(None)), seen)
    compiled = openvino.Core().compile_model(openvino.Model([convolution], [x]), "CPU")
    got = compiled([np.array([[1.004, 9.0]], np.float32).reshape(1, 2, 1, 1)])[0]
    # steps of 0.01: weights 1.27 and 0.30; 1.004 becomes 1.00, and 9 is held at 2.55
    assert float(got[0, 0, 0, 0]) == pytest.approx(1.27 * 1.00 + 0.30 * 2.55, abs=1e-4)
