"""OpenVINO with G's convolutions in 8 bits: a third of their time where the processor multiplies bytes (VNNI, AMX).

Weights are rounded to 255 steps a channel of their output, what comes into a convolution to 256 steps of a range that
was seen on clips (`models/runtime/ranges.py`). M, flows, masks, coordinates and the last layer's colours stay fp32.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from models.runtime.base import Graph, Runner, RuntimeUnusable, Tolerance
from models.runtime.openvino_graph import OpenVino
from models.runtime.openvino_rewrite import Part, constant_value, split_joined
from models.runtime.ranges import Range, Ranges


class OpenVinoInt8(OpenVino):
    """The same graph with the convolutions rounded of which ranges are known.

    A picture of it differs, so its ranges say how far it was off on clips, and where that could be seen it is not
    taken. ranges: of the model's own weights; None refuses.
    """

    name = "openvino-int8"
    describes = "OpenVINO, G's convolutions in 8 bits, coordinates fp32"
    # A strand of hair whose flow is off by a tenth of a pixel is far off at that pixel: this only catches broken
    # graphs, what was measured on clips decides (`Ranges.invisible`).
    tolerance = Tolerance(largest=0.5, mean=1.0 / 255)

    def __init__(self, ranges: Ranges | None, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._ranges = ranges

    def build(self, graph: Graph) -> Runner:
        if graph.name != "render":
            raise RuntimeUnusable(f"{graph.name} has no G: all it says is coordinates")
        if self._ranges is None:
            raise RuntimeUnusable("no ranges for these weights: `facewire fit-int8` measures them")
        if not self._ranges.invisible:
            raise RuntimeUnusable(f"seen in the picture: {self._ranges.words}")
        return super().build(graph)

    def _path(self, graph: Graph) -> Path | None:
        path = super()._path(graph)
        return path and path.with_stem(f"{path.stem}-int8")

    def _change(self, model: Any) -> None:
        assert self._ranges is not None
        known = self._ranges.of_modules
        rounded = [part for part in split_joined(model) if part.module in known]
        if {part.module for part in rounded} != set(known):
            raise RuntimeUnusable("the ranges are of other networks")
        for part in rounded:
            round_convolution(part, known[part.module])


def round_convolution(part: Part, seen: Range) -> None:
    """Have one convolution take its weights and what comes in as 8 bits."""
    ops = import_module("openvino.opset13")
    low, high = (np.full((1, 1, 1, 1), edge, np.float32) for edge in seen.of(part.channels))
    weights = constant_value(part.convolution.input_value(1))
    most = np.maximum(np.abs(weights).max((1, 2, 3), keepdims=True), np.float32(1e-12))  # [out,1,1,1]
    rounded = (
        (part.convolution.input_value(0), low, high, 256),
        (ops.constant(weights).output(0), -most, most, 255),
    )
    for place, (value, smallest, largest, steps) in enumerate(rounded):
        edges = [ops.constant(edge) for edge in (smallest, largest, smallest, largest)]
        part.convolution.input(place).replace_source_output(ops.fake_quantize(value, *edges, steps).output(0))
