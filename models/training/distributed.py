"""Several processes that train one model together, as `torchrun` starts them; alone, everything here does nothing.

Gradients are averaged by hand, not by `DistributedDataParallel`: a stage calls parts of its modules (trunk, heads, the
discriminator twice) and never one module's `forward`, which is all that DDP can watch. One all-reduce of everything
in a row after the backward pass also spares each stage from knowing of it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.errors import DataError

T = TypeVar("T")
_SEED_STRIDE = 1_000_003  # between the ranks' random streams; rank 0 draws what a single process would


@dataclass(frozen=True)
class Ranks:
    """Which of `world` processes this one is. Every method but `shard`, `seed` must be called by all ranks alike."""

    rank: int = 0
    world: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """This rank's own seed."""
        return seed + _SEED_STRIDE * self.rank

    def shard(self, items: Sequence[T]) -> list[T]:
        """This rank's part of the items, every world-th. Raises DataError when there are too few for all ranks."""
        if len(items) < self.world:
            raise DataError(f"expected at least one clip of each kind for {self.world} processes, got {len(items)}")
        return list(items[self.rank :: self.world])

    def synchronise_norms(self, module: nn.Module) -> None:
        """Let batch norms on CUDA count the pictures of all ranks (FV2V A.3)."""
        if self.world > 1 and self.device.type == "cuda":
            for name, part in list(module.named_children()):
                setattr(module, name, nn.SyncBatchNorm.convert_sync_batchnorm(part))  # type: ignore[no-untyped-call]

    def broadcast(self, module: nn.Module) -> None:
        """Give every rank the weights and buffers of rank 0."""
        if self.world > 1:
            for value in module.state_dict().values():
                dist.broadcast(value, 0)

    def average(self, module: nn.Module) -> None:
        """Replace gradients and floating-point buffers (batch norm's statistics) by their mean over all ranks."""
        if self.world == 1:
            return
        parameters = [p for p in module.parameters() if p.requires_grad]
        buffers = [b for b in module.buffers() if b.is_floating_point()]
        has = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        tensors = [has, *gradients, *buffers]
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat[len(has) :] /= self.world
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for parameter, count, mean in zip(parameters, means[0].tolist(), means[1:], strict=False):
            if count:  # a parameter that no rank used keeps no gradient, so that Adam leaves it alone
                parameter.grad = mean.view_as(parameter)
        for buffer, mean in zip(buffers, means[1 + len(parameters) :], strict=True):
            buffer.copy_(mean.view_as(buffer))

    def agree(self, elapsed_s: float, stop: bool) -> tuple[float, bool]:
        """Rank 0's clock, and whether any rank was asked to stop: all ranks end after the same step."""
        if self.world == 1:
            return elapsed_s, stop
        said = torch.tensor([elapsed_s if self.first else 0.0, float(stop)], dtype=torch.float64, device=self.device)
        dist.all_reduce(said)
        clock, stops = said.tolist()
        return clock, stops > 0

    def gather(self, state: Tensor) -> Tensor:
        """The same uint8 tensor [N] of every rank: [world,N]."""
        if self.world == 1:
            return state[None].clone()
        parts = [torch.empty_like(state, device=self.device) for _ in range(self.world)]
        dist.all_gather(parts, state.to(self.device))
        return torch.stack(parts).cpu()

    def wait(self) -> None:
        """Until all ranks are here: what rank 0 wrote before can be read after."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def join(device: torch.device) -> Iterator[Ranks]:
    """The ranks of this program: one alone, or those that `torchrun` started (RANK, WORLD_SIZE, LOCAL_RANK).

    On CUDA each rank takes the device of its local rank and speaks NCCL, on a CPU gloo.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks(device=device)
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if device.type == "cuda":
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(rank, world, device)
    finally:
        dist.destroy_process_group()
