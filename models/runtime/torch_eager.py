"""Plain torch: as the networks are (what everything else is compared with), and with batch norm folded."""

import copy

import torch
from torch import Tensor, nn

from models.runtime.base import Graph, Runner, Way
from models.runtime.narrow import channels_last, fold_norms, lay_out


class EagerRunner(Runner):
    """Calls a module. Works with inputs of any shape that the module takes, wherever they lie."""

    def __init__(self, module: nn.Module, device: torch.device, relaid: bool = False) -> None:
        self._module = module
        self._device = device
        self._relaid = relaid
        self._fixed: tuple[Tensor, ...] = ()

    def fix(self, *fixed: Tensor) -> None:
        self._fixed = self._ready(fixed)

    @torch.inference_mode()
    def run(self, *frame: Tensor) -> Tensor:
        out: Tensor = self._module(*self._fixed, *self._ready(frame))
        return out

    def _ready(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        here = tuple(tensor.to(self._device) for tensor in tensors)
        return tuple(map(lay_out, here)) if self._relaid else here


class Eager(Way):
    """fp32 torch, the networks as they are."""

    name = "torch"
    describes = "torch, fp32, as the networks are"

    def build(self, graph: Graph) -> Runner:
        return EagerRunner(graph.module, graph.device)


class Folded(Way):
    """The same sums with batch norm inside the convolutions and channels last."""

    name = "torch-folded"
    describes = "torch, fp32, batch norm folded, channels last"

    def build(self, graph: Graph) -> Runner:
        module = channels_last(fold_norms(copy.deepcopy(graph.module)))
        return EagerRunner(module, graph.device, relaid=True)
