"""One stage's training from first step to last: steps, learning rates, state on disk, logs, one process or many."""

import csv
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

import cv2
import torch
import typer
from torch import Tensor
from torch.optim import Adam

from models.training.checkpoint import MovingAverage, load_state, save_state
from models.training.distributed import Ranks
from models.training.stages import Stage, Terms

SAVE_EVERY_S = 120.0
GRID_EVERY_S = 600.0
LOG_EVERY = 50  # steps
LARGEST_GRADIENT = 5.0


@dataclass(frozen=True)
class Plan:
    """What one stage is given: pictures of `size`, `minutes` or `steps` of training in all, seed, batch sizes, and the
    side of the windows that most steps of F, M, G draw (None: whole pictures only).
    """

    size: int
    minutes: float | None
    steps: int | None
    seed: int = 0
    pairs: int = 16
    sources: int = 3
    driving: int = 4
    warm_up: int = 100
    window: int | None = None
    bf16: bool = False  # networks in bfloat16; coordinates, flows, losses and weights stay fp32

    def progress(self, step: int, elapsed_s: float) -> float:
        """How much of the stage is done, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = elapsed_s / (60.0 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def rate(self, step: int, progress: float) -> float:
        """Learning rate over its height: linear warm-up, constant to one half, cosine to 2 %."""
        warm = min(1.0, (step + 1) / self.warm_up)
        late = max(0.0, 2.0 * progress - 1.0)
        cosine = 0.02 + 0.98 * 0.5 * (1.0 + torch.cos(torch.tensor(torch.pi * late)).item())
        return warm * cosine


class Stop:
    """Becomes true on SIGINT or SIGTERM, so that a stage ends after its step with its state written."""

    def __init__(self) -> None:
        self.asked = False
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> Self:
        for number in self._before:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


class Log:
    """Scalars to CSV and TensorBoard, one row every so many steps."""

    def __init__(self, folder: Path, stage: str) -> None:
        from torch.utils.tensorboard import SummaryWriter  # half a second to import

        self._writer = SummaryWriter(str(folder / "tensorboard" / stage))
        self._file = (folder / f"{stage}.csv").open("a", newline="")
        self._csv = csv.writer(self._file)

    def scalars(self, step: int, elapsed_s: float, values: dict[str, float]) -> None:
        self._csv.writerow([step, f"{elapsed_s:.1f}", *(f"{name}={value:.5f}" for name, value in values.items())])
        self._file.flush()
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, grid: Tensor) -> None:
        self._writer.add_image("grid", grid, step)

    def close(self) -> None:
        self._file.close()
        self._writer.close()


class _Run:
    """What changes while a stage is trained, and how it goes to disk and back."""

    def __init__(self, stage: Stage, plan: Plan, folder: Path, ranks: Ranks) -> None:
        self.stage, self.plan, self.ranks = stage, plan, ranks
        self.path = folder / f"{stage.name}.safetensors"
        module = stage.module
        self.heights = [stage.rates().get(name, stage.rate) for name in module]
        self.optimizer = Adam([{"params": part.parameters()} for part in module.values()], betas=stage.betas)
        self.average = MovingAverage(module, 0.999)
        self.rng = torch.Generator().manual_seed(ranks.seed(plan.seed))
        self.step, self.elapsed_s = 0, 0.0

    def resume(self) -> None:
        numbers = load_state(self.path, self.stage.module, self.average, self.optimizer, self.rng, self.ranks.rank)
        self.step, self.elapsed_s = int(numbers["step"]), float(numbers["elapsed_s"])

    def save(self) -> None:
        """Write the state, on rank 0; all ranks must be here, for each hands over where its random stream is."""
        streams = self.ranks.gather(self.rng.get_state())
        if self.ranks.first:
            numbers = {"step": self.step, "elapsed_s": self.elapsed_s, "size": self.plan.size}
            save_state(self.path, self.stage.module, self.average, self.optimizer, streams, numbers)
        self.ranks.wait()

    def advance(self, progress: float) -> tuple[Terms, Tensor]:
        """One step; returns the loss's terms and the norm of its gradient."""
        stage, device = self.stage, self.stage.store.device
        for group, height in zip(self.optimizer.param_groups, self.heights, strict=True):
            group["lr"] = height * self.plan.rate(self.step, progress)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.bf16):
            terms = stage.loss(self.rng)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack([term.float() for term in terms.values()]).sum().backward()  # type: ignore[no-untyped-call]
        self.ranks.average(stage.module)
        norm = stage.clip(LARGEST_GRADIENT)
        if torch.isfinite(norm):  # a step that would poison the weights is left out
            self.optimizer.step()
            self.average.update(stage.module)
        self.step += 1
        return terms, norm


def run_stage(
    stage: Stage,
    plan: Plan,
    folder: Path,
    resume: bool,
    stopped: Callable[[], bool] = lambda: False,
    preview: Callable[[], Tensor] | None = None,
    ranks: Ranks | None = None,
) -> bool:
    """Train one stage until its plan is done or `stopped()`; returns whether it is done.

    The state after n steps does not depend on where in between it was stopped and resumed (by as many ranks). All
    ranks hold the same weights after every step; rank 0 writes.
    """
    ranks = ranks or Ranks()
    run = _Run(stage, plan, folder, ranks)
    if resume and run.path.is_file():
        run.resume()
    ranks.broadcast(stage.module)
    log = Log(folder, stage.name) if ranks.first else None
    try:
        _loop(run, folder, stopped, preview, log)
    except BaseException:
        if ranks.world == 1:  # else the others are not there to hand over their state
            run.save()
        raise
    finally:
        if log is not None:
            log.close()
    run.save()
    return plan.progress(run.step, run.elapsed_s) >= 1.0


def _loop(
    run: _Run, folder: Path, stopped: Callable[[], bool], preview: Callable[[], Tensor] | None, log: Log | None
) -> None:
    """Steps until the plan is done; what is done when hangs on rank 0's clock alone, so that ranks never part."""
    if run.plan.progress(run.step, run.elapsed_s) >= 1.0:
        return  # done before: its state, down to its minutes, stays what it is
    sums: dict[str, Tensor] = {}
    saved_s = drawn_s = run.elapsed_s
    last = time.monotonic()
    run.stage.train()
    while True:
        now = time.monotonic()
        run.elapsed_s, stop = run.ranks.agree(run.elapsed_s + now - last, stopped())
        last = now
        progress = run.plan.progress(run.step, run.elapsed_s)
        if progress >= 1.0 or stop:
            return
        if run.elapsed_s - saved_s > SAVE_EVERY_S:
            run.save()
            saved_s = run.elapsed_s
        if preview is not None and run.elapsed_s - drawn_s > GRID_EVERY_S:
            if log is not None:
                _write_grid(folder, run.stage.name, run.step, preview(), log)
                run.stage.train()
            drawn_s = run.elapsed_s
        terms, norm = run.advance(progress)
        sums = {name: sums.get(name, torch.zeros_like(value)) + value.detach() for name, value in terms.items()}
        if run.step % LOG_EVERY == 0:
            if log is not None:
                _report(run, sums, norm, log)
            sums = {}


def _report(run: _Run, sums: dict[str, Tensor], norm: Tensor, log: Log) -> None:
    values = {name: float(value) / LOG_EVERY for name, value in sums.items()}
    rate = run.optimizer.param_groups[0]["lr"]
    log.scalars(run.step, run.elapsed_s, values | {"rate": rate, "norm": float(norm)})
    words = " ".join(f"{name} {value:.4f}" for name, value in values.items())
    typer.echo(f"{run.stage.name} step {run.step} {run.elapsed_s / 60:.1f} min {words}")


def _write_grid(folder: Path, stage: str, step: int, grid: Tensor, log: Log) -> None:
    log.picture(step, grid)
    (folder / "grids").mkdir(exist_ok=True)
    picture = (grid.permute(1, 2, 0).clamp(0.0, 1.0) * 255.0).byte().numpy()
    cv2.imwrite(str(folder / "grids" / f"{stage}-{step:06d}.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
