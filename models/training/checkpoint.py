"""State of a training stage on disk: tensors in safetensors, numbers in its header. Resuming gives the same state."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from models.training.errors import DataError


class MovingAverage:
    """Exponential moving average of a module's parameters; buffers are copied (they are averages already)."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.state = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        self.steps += 1
        # a short memory at first, so that the average does not carry the start along
        decay = min(self.decay, (1.0 + self.steps) / (10.0 + self.steps))
        trained = {name for name, _ in module.named_parameters()}
        for name, value in module.state_dict().items():
            if name in trained:
                self.state[name].lerp_(value, 1.0 - decay)
            else:
                self.state[name].copy_(value)


def save_state(
    path: Path,
    module: nn.Module,
    average: MovingAverage,
    optimizer: Optimizer,
    rng: torch.Generator | Tensor,
    numbers: dict[str, Any],
) -> None:
    """Write one stage's state; the file is replaced only when the new one is whole.

    rng is the random generator, or the states of those of R processes, uint8 [R,N].
    """
    tensors: dict[str, Tensor] = {f"module.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
    tensors["rng"] = rng if isinstance(rng, Tensor) else rng.get_state()
    numbers = {**numbers, "average_steps": average.steps}
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"numbers": json.dumps(numbers)})
    os.replace(partial, path)


def load_state(
    path: Path, module: nn.Module, average: MovingAverage, optimizer: Optimizer, rng: torch.Generator, rank: int = 0
) -> dict[str, Any]:
    """Read what `save_state` wrote into the given objects; returns the numbers. Raises DataError.

    A rank that was not there when the state was written keeps the random stream it has.
    """
    tensors, numbers = _read(path)
    device = next(module.parameters()).device
    try:
        module.load_state_dict(_part(tensors, "module."))
        average.state = {name: value.to(device) for name, value in _part(tensors, "average.").items()}
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimizer.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        streams = tensors["rng"].reshape(-1, len(rng.get_state()))  # one row before there were ranks
        if rank < len(streams):
            rng.set_state(streams[rank].clone())  # a row of its own: the storage is what is read
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: expected the state of this stage and preset, got another: {reason}") from None
    average.steps = int(numbers.pop("average_steps"))
    return numbers


def load_average(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The averaged weights of a stage and its numbers. Raises DataError."""
    tensors, numbers = _read(path)
    return _part(tensors, "average."), numbers


def load_part(path: Path, module: nn.Module) -> None:
    """Load a stage's averaged weights into its module, heads that only training has included. Raises DataError."""
    average, _ = load_average(path)
    try:
        module.load_state_dict(average)
    except RuntimeError as error:
        raise DataError(
            f"{path}: expected weights of these networks, got others: {str(error).splitlines()[0]}"
        ) from None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
            return tensors, json.loads((file.metadata() or {})["numbers"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DataError(f"{path}: expected a training state, found none that is whole: {error}") from None


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
