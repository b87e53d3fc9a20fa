"""OpenVINO (`pip install facewire[openvino]`): a whole path as one graph, fp32.

The trace of torch goes through OpenVINO's own reader and not through `openvino.convert_model`, which would count its
uses at Google Analytics: a program for calls tells nobody that it runs.
"""

import copy
import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.overrides import TorchFunctionMode

from models.runtime.base import Graph, Runner, RuntimeUnusable, Way
from models.runtime.narrow import fold_norms
from models.runtime.openvino_rewrite import split_joined
from models.runtime.torch_frozen import trace


class OpenVino(Way):
    """One compiled graph on `torch.get_num_threads()` threads, a frame's latency before throughput.

    folder: where converted graphs are kept, so that the next start reads instead of converting; None keeps none.
    """

    name = "openvino"
    describes = "OpenVINO, fp32, one graph"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def build(self, graph: Graph) -> Runner:
        if find_spec("openvino") is None:
            raise RuntimeUnusable("not installed: pip install 'facewire[openvino]'")
        path = self._path(graph)
        try:
            if path is not None and path.is_file():
                with suppress(Exception):  # cut, altered or another version's: converted once more
                    return self._make(graph, import_module("openvino").Core().read_model(path))
            model = convert(graph)
            self._change(model)
            runner = self._make(graph, model)
        except RuntimeUnusable:
            raise
        except Exception as error:  # OpenVINO raises RuntimeError, its own types and TypeError
            raise RuntimeUnusable(f"OpenVINO refuses the graph: {_last_words(error)}") from error
        if path is not None:
            _save(model, path)
        return runner

    def _path(self, graph: Graph) -> Path | None:
        """Where this way keeps a graph."""
        return self._folder / f"{graph.name}.xml" if self._folder else None

    def _change(self, model: Any) -> None:
        """What this way makes, in place, of a graph as it was converted."""
        split_joined(model)

    def _make(self, graph: Graph, model: Any) -> Runner:
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # bf16, its own choice where there is AMX, would move coordinates by half a pixel
            "INFERENCE_PRECISION_HINT": "f32",
            # pinned threads of two programs sit on the same core and wait for each other
            "ENABLE_CPU_PINNING": False,
        }
        compiled = import_module("openvino").Core().compile_model(model, "CPU", options)
        return OpenVinoRunner(compiled, len(graph.fixed), len(graph.frame))


class OpenVinoRunner(Runner):
    """One infer request. Inputs are read where torch holds them, nothing of a source is copied per frame."""

    def __init__(self, compiled: Any, fixed: int, frame: int) -> None:
        if len(compiled.inputs) != fixed + frame:
            raise RuntimeUnusable(f"expected {fixed + frame} inputs of the graph, got {len(compiled.inputs)}")
        self._tensor = import_module("openvino").Tensor
        self._request = compiled.create_infer_request()
        self._first_of_frame = fixed
        self._held: dict[int, Tensor] = {}

    def fix(self, *fixed: Tensor) -> None:
        for index, tensor in enumerate(fixed):
            self._set(index, tensor)

    def run(self, *frame: Tensor) -> Tensor:
        for index, tensor in enumerate(frame, self._first_of_frame):
            self._set(index, tensor)
        self._request.infer()
        return torch.from_numpy(self._request.get_output_tensor(0).data.copy())

    def _set(self, index: int, tensor: Tensor) -> None:
        self._held[index] = tensor.detach().float().contiguous()  # kept: OpenVINO reads from its memory
        self._request.set_input_tensor(index, self._tensor(self._held[index].numpy(), shared_memory=True))


def convert(graph: Graph) -> Any:
    """The graph as an OpenVINO model with static shapes."""
    frontend = import_module("openvino.frontend").FrontEndManager().load_by_framework("pytorch")
    decoder = import_module("openvino.frontend.pytorch.ts_decoder").TorchScriptPythonDecoder
    runtime = import_module("openvino")
    example = tuple(tensor.clone().contiguous() for tensor in (*graph.fixed, *graph.frame))
    with PlainOperations():
        traced = trace(fold_norms(copy.deepcopy(graph.module)), example)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is called deprecated; where it goes, this way says so
        decoded = decoder(torch.jit.freeze(traced), example_input=example)  # has to live until it is converted
    loaded = frontend.load(decoded)
    for place, tensor in zip(loaded.get_inputs(), example, strict=True):
        loaded.set_partial_shape(place, runtime.PartialShape(list(tensor.shape)))
        loaded.set_element_type(place, runtime.Type.f32)
    return frontend.convert(loaded)


class PlainOperations(TorchFunctionMode):
    """While active, operations that OpenVINO's reader does not know are recorded as ones that it does."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func == torch.Tensor.mT.__get__:  # type: ignore[attr-defined]
            return args[0].transpose(-1, -2)
        if func in (torch.deg2rad, torch.Tensor.deg2rad):
            return args[0] * (math.pi / 180.0)
        if func is functional.affine_grid:
            return plain_affine_grid(*args, **(kwargs or {}))
        if func is functional.interpolate and (kwargs or {}).get("mode") == "bilinear":
            return plain_bilinear(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def plain_affine_grid(theta: Tensor, size: list[int], align_corners: bool | None = None) -> Tensor:
    """`torch.nn.functional.affine_grid` in two dimensions as one product: theta [B,2,3] -> [B,h,w,2]."""
    if align_corners:
        raise RuntimeUnusable("affine_grid: expected align_corners=False, got True")
    height, width = int(size[-2]), int(size[-1])
    y = (torch.arange(height) + 0.5) * (2.0 / height) - 1.0
    x = (torch.arange(width) + 0.5) * (2.0 / width) - 1.0
    ones = torch.ones(height, width)
    points = torch.stack((x.expand(height, -1), y[:, None].expand(-1, width), ones), -1).reshape(1, -1, 3)
    return (points @ theta.transpose(1, 2)).reshape(-1, height, width, 2)


def plain_bilinear(input: Tensor, size: Sequence[int] | None = None, **named: Any) -> Tensor:
    """`torch.nn.functional.interpolate`, bilinear, of [B,C,h,w] as two products: a third of OpenVINO's own time."""
    if size is None or isinstance(size, int) or named.get("align_corners"):
        return functional.interpolate(input, size, **named)
    down, across = (bilinear_weights(int(input.shape[side]), int(size[side])) for side in (-2, -1))
    return down @ (input @ across.T)


def bilinear_weights(before: int, after: int) -> Tensor:
    """How much each of `before` pixels of a row counts in each of `after`: [after,before], rows sum to 1."""
    place = ((np.arange(after) + 0.5) * (before / after) - 0.5).clip(0.0, before - 1.0)
    far = np.abs(place[:, None] - np.arange(before))
    return torch.from_numpy((1.0 - far).clip(0.0).astype(np.float32))  # made by numpy: a constant of the trace


def _save(model: Any, path: Path) -> None:
    """Write a converted graph whole or not at all; a disk that is full costs only the next start's time."""
    part = path.with_name(f"{path.stem}.{os.getpid()}.xml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        import_module("openvino").save_model(model, part, compress_to_fp16=False)
        part.with_suffix(".bin").replace(path.with_suffix(".bin"))
        part.replace(path)  # the name that is looked for comes last
    except (OSError, RuntimeError):
        for piece in (part, part.with_suffix(".bin")):
            with suppress(OSError):
                piece.unlink()


def _last_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
