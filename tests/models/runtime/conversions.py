"""Builds one graph with OpenVINO four times in a folder and says how often it had to be converted.

Before the third time the kept graph is cut, before the fourth its weights are; all four must give the same numbers.
"""

import sys
from pathlib import Path

import torch

from models.runtime import openvino_graph
from models.runtime.base import Graph
from models.runtime.openvino_graph import OpenVino


class Added(torch.nn.Module):
    """A module of the sum of two pictures."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.module(x + y)
        return out


def main(folder: Path) -> int:
    """Build, damage and build again; returns the number of conversions."""
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    graph = Graph("extract", Added(module), (torch.rand(1, 3, 8, 8),), (torch.rand(1, 3, 8, 8),))
    conversions = []
    plain = openvino_graph.convert

    def counted(graph: Graph) -> object:
        conversions.append(graph.name)
        return plain(graph)

    openvino_graph.convert = counted
    results = []
    for damaged in (None, None, "extract.xml", "extract.bin"):
        if damaged:
            (folder / damaged).write_text("<net")
        runner = OpenVino(folder).build(graph)
        runner.fix(*graph.fixed)
        results.append(runner.run(*graph.frame))
    if not all(torch.equal(results[0], result) for result in results[1:]):
        raise SystemExit("expected the same numbers every time")
    return len(conversions)


if __name__ == "__main__":
    print(main(Path(sys.argv[1])), "conversions")
