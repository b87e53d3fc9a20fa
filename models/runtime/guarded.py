"""A runner that cannot make a call fail, and that several sources may share."""

import threading
from collections.abc import Callable

from torch import Tensor

from models.runtime.base import Graph, Runner
from models.runtime.torch_eager import Eager


class Guarded:
    """Runs the chosen way; where it fails, says so once and goes on with plain torch from the same inputs.

    Inputs of other shapes than it was measured with go to plain torch without a word.
    """

    def __init__(self, way: str, chosen: Runner, graph: Graph, say: Callable[[str], None]) -> None:
        self.way = way
        self._chosen: Runner | None = chosen
        self._graph = graph
        self._plain = Eager().build(graph)
        self._say = say
        self._fixed: tuple[Tensor, ...] = ()
        self._lock = threading.Lock()

    def __call__(self, fixed: tuple[Tensor, ...], frame: tuple[Tensor, ...]) -> Tensor:
        """Run one frame. `fixed` is told apart by its tensors' identity: what is in them must not change."""
        with self._lock:
            if self._chosen is not None and self._graph.fits(fixed, frame):
                try:
                    return self._run(self._chosen, fixed, frame)
                except Exception as error:  # whatever it is, the call goes on
                    self._give_up(error)
            self._fixed = ()
            self._plain.fix(*fixed)
            return self._plain.run(*frame)

    def _run(self, runner: Runner, fixed: tuple[Tensor, ...], frame: tuple[Tensor, ...]) -> Tensor:
        same = len(fixed) == len(self._fixed) and all(a is b for a, b in zip(fixed, self._fixed, strict=True))
        if not same:
            self._fixed = ()  # until `fix` has gone well
            runner.fix(*fixed)
            self._fixed = fixed
        return runner.run(*frame)

    def _give_up(self, error: Exception) -> None:
        words = str(error).splitlines() or [type(error).__name__]
        self._say(f"{self._graph.name}: {self.way} failed ({words[0]}); going on with plain torch")
        self._chosen, self.way = None, Eager.name
