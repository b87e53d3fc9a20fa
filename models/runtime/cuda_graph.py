"""CUDA: convolutions in half precision, channels last, the whole path captured once and replayed every frame.

A frame is: small inputs into pinned memory, asynchronous copies to where the graph reads, one replay, one copy of the
answer. Nothing in it waits for the GPU; who reads the answer waits, once (`HostCopies`, or any copy to the CPU).
"""

import copy

import torch
from torch import Tensor

from models.runtime.base import Graph, Runner, RuntimeUnusable, Way
from models.runtime.narrow import channels_last, fold_norms, lay_out, narrow_convolutions

WARM_UP = 3  # cuDNN picks its kernels and the allocator settles, before the capture
SLOTS = 4  # frames that may be under way while their inputs still lie in pinned memory


class CudaGraph(Way):
    """M's, G's or the extractor's convolutions in `dtype`; keypoints, flows and sampling coordinates in fp32."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.name = f"cuda-graph-{'bf16' if dtype == torch.bfloat16 else 'fp16'}"
        self.describes = f"CUDA graph, convolutions in {str(dtype).removeprefix('torch.')}, channels last"

    def build(self, graph: Graph) -> Runner:
        if not torch.cuda.is_available():
            raise RuntimeUnusable("no CUDA device here")
        if graph.device.type != "cuda":
            raise RuntimeUnusable(f"the networks are on {graph.device}: load them on cuda")
        try:
            return CudaGraphRunner(graph, self.dtype, graph.device)
        except RuntimeError as error:
            raise RuntimeUnusable(f"cannot be captured: {str(error).splitlines()[0]}") from error


class CudaGraphRunner(Runner):
    """Static inputs and output on the GPU, one captured graph. Raises RuntimeError for what cannot be captured."""

    def __init__(self, graph: Graph, dtype: torch.dtype, device: torch.device) -> None:
        module = fold_norms(copy.deepcopy(graph.module))
        self._module = channels_last(narrow_convolutions(module, dtype))
        self._fixed = [lay_out(tensor.to(device, copy=True)) for tensor in graph.fixed]
        self._frame = [tensor.to(device, copy=True).contiguous() for tensor in graph.frame]
        self._pinned = [
            [torch.empty(x.shape, dtype=x.dtype, pin_memory=True) for x in self._frame] for _ in range(SLOTS)
        ]
        self._copied = [torch.cuda.Event() for _ in range(SLOTS)]  # type: ignore[no-untyped-call]
        self._slot = 0
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.inference_mode():
            self._capture()

    def _capture(self) -> None:
        # on a stream of its own, as capturing wants it: what earlier work left on the default one must not come in
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._module(*self._fixed, *self._frame)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(self._graph):
            self._output: Tensor = self._module(*self._fixed, *self._frame)

    @torch.inference_mode()
    def fix(self, *fixed: Tensor) -> None:
        for held, tensor in zip(self._fixed, fixed, strict=True):
            held.copy_(tensor)

    @torch.inference_mode()
    def run(self, *frame: Tensor) -> Tensor:
        """Enqueue a frame; the tensor that comes back is on the GPU and is ready in stream order."""
        self._slot = (self._slot + 1) % SLOTS
        self._copied[self._slot].synchronize()  # of the frame SLOTS ago: done, unless the GPU is that far behind
        for held, pinned, tensor in zip(self._frame, self._pinned[self._slot], frame, strict=True):
            if tensor.device.type == "cuda":
                held.copy_(tensor, non_blocking=True)
            else:
                held.copy_(pinned.copy_(tensor), non_blocking=True)
        self._copied[self._slot].record()
        self._graph.replay()
        return self._output.clone()


class HostCopies:
    """Brings results from the GPU through pinned memory: one asynchronous copy and one wait at the end of a frame.

    The tensor given back is overwritten by the `SLOTS`th call after it.
    """

    def __init__(self) -> None:
        self._slots: list[Tensor | None] = [None] * SLOTS
        self._next = 0

    def to_host(self, tensor: Tensor) -> Tensor:
        """The same numbers on the CPU; a tensor that is there already is given back as it is."""
        if tensor.device.type != "cuda":
            return tensor
        held = self._slots[self._next]
        if held is None or held.shape != tensor.shape or held.dtype != tensor.dtype:
            held = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._slots[self._next] = held
        self._next = (self._next + 1) % SLOTS
        held.copy_(tensor, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        done.synchronize()
        return held
