"""What every way to run a per-frame path offers: it is built of a graph once, fixed to a source, run every frame."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class RuntimeUnusable(Exception):
    """A way that cannot be used here, in one line: why not."""


@dataclass(frozen=True)
class Graph:
    """One per-frame path: a module whose forward takes `fixed` and then `frame` tensors and gives one tensor.

    fixed: examples of the inputs that stay between frames (of a source). frame: examples of those that come with each
    frame. Shapes are static: a way may refuse others.
    """

    name: str
    module: nn.Module
    fixed: tuple[Tensor, ...]
    frame: tuple[Tensor, ...]

    @property
    def device(self) -> torch.device:
        """Where the module's weights are."""
        return next((parameter.device for parameter in self.module.parameters()), self.fixed[0].device)

    @property
    def signature(self) -> str:
        """Name and shapes, as one word: what a measurement holds for."""
        shapes = ("x".join(map(str, tensor.shape)) for tensor in (*self.fixed, *self.frame))
        return f"{self.name}({','.join(shapes)})"

    def fits(self, fixed: Sequence[Tensor], frame: Sequence[Tensor]) -> bool:
        """Whether these inputs have the shapes that the graph was made for."""
        return [x.shape for x in (*fixed, *frame)] == [x.shape for x in (*self.fixed, *self.frame)]


class Runner(ABC):
    """A graph made ready to run. Used by one thread at a time."""

    @abstractmethod
    def fix(self, *fixed: Tensor) -> None:
        """Take the inputs that stay: of a source picture, once."""

    @abstractmethod
    def run(self, *frame: Tensor) -> Tensor:
        """Run one frame, after `fix`. The result is the caller's: the next frame does not overwrite it."""


@dataclass(frozen=True)
class Tolerance:
    """How far results may be from plain torch's: at the worst number, and on average."""

    largest: float
    mean: float


class Way(ABC):
    """One way to run graphs.

    tolerance: of a way whose result differs by what it is, and has been judged otherwise; None takes the path's own.
    """

    name: str
    describes: str
    tolerance: Tolerance | None = None

    @abstractmethod
    def build(self, graph: Graph) -> Runner:
        """Make a graph ready to run; may take seconds. Raises RuntimeUnusable where it cannot run here."""
