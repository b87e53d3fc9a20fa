"""Torch without Python: traced and frozen, and the same with G's convolutions in bf16."""

import copy
import warnings

import torch
from torch import Tensor, nn

from models.runtime.base import Graph, Runner, RuntimeUnusable, Way
from models.runtime.graphs import RenderModule
from models.runtime.machine import has_fast_bf16
from models.runtime.narrow import channels_last, fold_norms, lay_out, narrow_convolutions
from models.runtime.torch_eager import EagerRunner

WARM_UP = 3  # the executor specialises itself in its first runs


class Frozen(Way):
    """torch.jit: one trace with the weights as constants; sums as in eager, less of what is around them."""

    name = "torch-frozen"
    describes = "torch.jit traced and frozen, fp32, channels last"

    def build(self, graph: Graph) -> Runner:
        return freeze(graph, channels_last(fold_norms(copy.deepcopy(graph.module))))


class FrozenBf16(Way):
    """The same with G's convolutions in bf16; M, flows and coordinates stay fp32 (bf16 would move them by 0.5 px)."""

    name = "torch-bf16"
    describes = "torch.jit traced and frozen, G in bf16, coordinates fp32"

    def build(self, graph: Graph) -> Runner:
        if not has_fast_bf16():
            raise RuntimeUnusable("this processor has neither avx512_bf16 nor AMX")
        if not isinstance(graph.module, RenderModule):
            raise RuntimeUnusable(f"{graph.name} has no G: all it says is coordinates")
        module = fold_norms(copy.deepcopy(graph.module))
        narrow_convolutions(module.networks.generator, torch.bfloat16)
        return freeze(graph, channels_last(module))


def trace(module: nn.Module, example: tuple[Tensor, ...]) -> torch.jit.ScriptModule:
    """Record a module for inputs of the example's shapes. Raises RuntimeUnusable."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shapes become constants, which is what is wanted
            return torch.jit.trace(module.eval(), example, check_trace=False)  # type: ignore[no-any-return, no-untyped-call]
    except Exception as error:  # torch's tracer raises whatever the module does
        raise RuntimeUnusable(f"cannot be traced: {_first_line(error)}") from error


def freeze(graph: Graph, module: nn.Module) -> Runner:
    """Trace, freeze and warm up. Raises RuntimeUnusable."""
    fixed, frame = (tuple(lay_out(x.clone()) for x in tensors) for tensors in (graph.fixed, graph.frame))
    traced = trace(module, (*fixed, *frame))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is called deprecated; where it goes, eager stays
            frozen = torch.jit.freeze(traced)
        runner = EagerRunner(frozen, graph.device, relaid=True)
        runner.fix(*fixed)
        for _ in range(WARM_UP):
            runner.run(*frame)
    except Exception as error:
        raise RuntimeUnusable(f"cannot be frozen: {_first_line(error)}") from error
    return runner


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
