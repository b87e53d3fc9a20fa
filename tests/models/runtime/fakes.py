"""Ways that do what a test wants, and a clock that only they move."""

from collections.abc import Callable

from torch import Tensor

from models.runtime.base import Graph, Runner, RuntimeUnusable, Way
from models.runtime.torch_eager import EagerRunner


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


class FakeRunner(Runner):
    """Plain torch's result, changed, after `cost_s` on the clock. `broken` makes it raise."""

    def __init__(self, graph: Graph, clock: Clock, cost_s: float, change: Callable[[Tensor], Tensor]) -> None:
        self.plain = EagerRunner(graph.module, graph.device)
        self.clock, self.cost_s, self.change = clock, cost_s, change
        self.broken = False
        self.fixes = 0

    def fix(self, *fixed: Tensor) -> None:
        self.fixes += 1
        self.plain.fix(*fixed)

    def run(self, *frame: Tensor) -> Tensor:
        if self.broken:
            raise RuntimeError("out of luck\nand more of it")
        self.clock.time_s += self.cost_s
        return self.change(self.plain.run(*frame))


class FakeWay(Way):
    """Builds `FakeRunner`s, or says why not."""

    describes = "a test's"

    def __init__(
        self,
        name: str,
        clock: Clock,
        cost_s: float = 0.0,
        change: Callable[[Tensor], Tensor] = lambda result: result,
        missing: str | None = None,
    ) -> None:
        self.name = name
        self.missing = missing
        self._arguments = (clock, cost_s, change)
        self.built: list[FakeRunner] = []

    def build(self, graph: Graph) -> Runner:
        if self.missing is not None:
            raise RuntimeUnusable(self.missing)
        self.built.append(FakeRunner(graph, *self._arguments))
        return self.built[-1]
