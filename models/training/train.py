"""`facewire train`: the staged recipe from prepared clips to weights, from one command.

Every stage keeps its state in DIR/<stage>.safetensors (every two minutes, on time, on a signal) and `--resume` goes on
from there. Scalars go to DIR/log.csv and TensorBoard, picture grids to DIR/grids and TensorBoard, and the averaged
weights so far to DIR/weights, ready for `facewire validate`.
"""

import csv
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Self

import cv2
import torch
import typer
from torch import Tensor
from torch.optim import Adam

from models.config import PRESETS
from models.networks import Networks
from models.training.checkpoint import MovingAverage, load_average, load_part, load_state, save_state
from models.training.data import Store, load_clips
from models.training.errors import DataError
from models.training.preview import picture_grid
from models.training.regions import RegionStage
from models.training.stages import JointStage, KeypointStage, Perceptual, PictureStage, Stage
from models.weights import default_device, save_model, uniform_tables

STAGES = ("keypoints", "regions", "pictures", "joint")
SHARE = {"keypoints": 0.2, "regions": 0.1, "pictures": 0.5, "joint": 0.2}  # of the minutes, when all stages run
PREFIX = {"regions": "extractor.deformation."}  # what a stage's state leaves out of the names in `Networks`
REGIONS_FPS = 6.0  # neighbouring frames teach little
SAVE_EVERY_S = 120.0
GRID_EVERY_S = 600.0


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


def run_stage(
    stage: Stage,
    plan: Plan,
    folder: Path,
    resume: bool,
    stopped: Callable[[], bool] = lambda: False,
    preview: Callable[[], Tensor] | None = None,
) -> bool:
    """Train one stage until its plan is done or `stopped()`; returns whether it is done.

    The state after n steps does not depend on where in between it was stopped and resumed.
    """
    state = folder / f"{stage.name}.safetensors"
    module = stage.module
    heights = [stage.rates().get(name, stage.rate) for name in module]
    optimizer = Adam([{"params": part.parameters()} for part in module.values()], betas=stage.betas)
    average = MovingAverage(module, 0.999)
    rng = torch.Generator().manual_seed(plan.seed)
    step, elapsed_s = 0, 0.0
    if resume and state.is_file():
        numbers = load_state(state, module, average, optimizer, rng)
        step, elapsed_s = int(numbers["step"]), float(numbers["elapsed_s"])
    log = Log(folder, stage.name)

    def save() -> None:
        numbers = {"step": step, "elapsed_s": elapsed_s, "size": plan.size}
        save_state(state, module, average, optimizer, rng, numbers)

    last_save = last_grid = last = time.monotonic()
    sums: dict[str, Tensor] = {}
    stage.train()
    try:
        while (progress := plan.progress(step, elapsed_s)) < 1.0 and not stopped():
            for group, height in zip(optimizer.param_groups, heights, strict=True):
                group["lr"] = height * plan.rate(step, progress)
            terms = stage.loss(rng)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
            if torch.isfinite(norm):  # a step that would poison the weights is left out
                optimizer.step()
                average.update(module)
            step += 1
            now = time.monotonic()
            elapsed_s, last = elapsed_s + now - last, now
            sums = {name: sums.get(name, torch.zeros_like(value)) + value.detach() for name, value in terms.items()}
            if step % 50 == 0:
                values = {name: float(value) / 50 for name, value in sums.items()}
                log.scalars(step, elapsed_s, values | {"rate": optimizer.param_groups[0]["lr"], "norm": float(norm)})
                typer.echo(
                    f"{stage.name} step {step} {elapsed_s / 60:.1f} min "
                    + " ".join(f"{name} {value:.4f}" for name, value in values.items())
                )
                sums = {}
            if now - last_save > SAVE_EVERY_S:
                save()
                last_save = time.monotonic()
            if preview is not None and now - last_grid > GRID_EVERY_S:
                _write_grid(folder, stage.name, step, preview(), log)
                stage.train()
                last_grid = time.monotonic()
    finally:
        save()
        log.close()
    return plan.progress(step, elapsed_s) >= 1.0


def _write_grid(folder: Path, stage: str, step: int, grid: Tensor, log: Log) -> None:
    log.picture(step, grid)
    (folder / "grids").mkdir(exist_ok=True)
    picture = (grid.permute(1, 2, 0).clamp(0.0, 1.0) * 255.0).byte().numpy()
    cv2.imwrite(str(folder / "grids" / f"{stage}-{step:06d}.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def assemble(folder: Path, networks: Networks) -> dict[str, Any]:
    """Load the averaged weights of every stage found in `folder` into `networks`; later stages win.

    Returns {stage: its numbers}. Raises DataError when there is none.
    """
    known: dict[str, Any] = {}
    own = networks.state_dict()
    for stage in STAGES:
        path = folder / f"{stage}.safetensors"
        if path.is_file():
            average, known[stage] = load_average(path)
            named = {PREFIX.get(stage, "") + name: value for name, value in average.items()}
            own.update({name: value for name, value in named.items() if name in own})
    if not known:
        raise DataError(f"{folder}: expected the state of a stage ({', '.join(STAGES)}), found none")
    networks.load_state_dict(own)
    return known


def train(
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")],
    out: Annotated[Path, typer.Option(help="Folder for states, logs, grids and weights.")],
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESETS)}.")] = "compact",
    stage: Annotated[str, typer.Option(help=f"all, or one of {', '.join(STAGES)}.")] = "all",
    resume: Annotated[bool, typer.Option(help="Go on from the states in --out.")] = False,
    minutes: Annotated[
        float | None, typer.Option(help="Training time, over all runs; shared out with --stage all.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each stage instead of minutes.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the pictures in F, M, G; the preset's by default.")] = None,
    window: Annotated[
        int | None, typer.Option(help="Side of windows about the face that three steps in four of F, M, G draw.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    batch: Annotated[int, typer.Option(help="Source pictures a step; four driving frames each.")] = 3,
    pairs: Annotated[int, typer.Option(help="Pairs a step of the keypoint networks.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of weights and batches.")] = 0,
    split: Annotated[str, typer.Option(help="Splits to train on, comma between.")] = "train,stills",
) -> None:
    """Train F, L, H, Δ, M, G from prepared clips; stop and resume at will."""
    if preset not in PRESETS:
        raise DataError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    if stage not in ("all", *STAGES):
        raise DataError(f"--stage: expected all or one of {', '.join(STAGES)}, got {stage!r}")
    if (minutes is None) == (steps is None):
        raise DataError("expected --minutes or --steps, one of them")
    torch.set_num_threads(threads)
    on = default_device() if device == "auto" else torch.device(device)
    config = PRESETS[preset]
    torch.manual_seed(seed)
    networks = Networks(config).to(on)
    out.mkdir(parents=True, exist_ok=True)
    with Stop() as stop:
        for name in STAGES if stage == "all" else (stage,):
            own_minutes = minutes and minutes * (SHARE[name] if stage == "all" else 1.0)
            plan = Plan(size or config.size, own_minutes, steps, seed, pairs, batch, window=window)
            if not _train_stage(name, networks, plan, data, out, resume, split.split(","), stop):
                break
    known = assemble(out, networks)
    about = {"source": "facewire train", "licence": "as the clips", "training": known}
    manifest = save_model(networks.eval(), uniform_tables(config.keypoints), out / "weights", about)
    typer.echo(f"weights: {manifest}")


def _train_stage(
    name: str, networks: Networks, plan: Plan, data: Path, out: Path, resume: bool, splits: Sequence[str], stop: Stop
) -> bool:
    device = next(networks.parameters()).device
    if name == "keypoints":
        # a little larger than the trunk's picture, so that a closer crop still has detail
        store = Store(load_clips(data, splits, networks.config.trunk_size * 5 // 4), device)
        networks.canonical.mean_shape.copy_(store.x_c.mean(0))
        stage = KeypointStage(networks, store, networks.config.trunk_size, plan.pairs)
        return run_stage(stage, plan, out, resume, lambda: stop.asked)
    if name == "regions":
        store = Store(load_clips(data, splits, networks.config.size, REGIONS_FPS), device)
        return run_stage(RegionStage(networks, store, networks.config.size), plan, out, resume, lambda: stop.asked)
    kinds = ("video", "still") if plan.window else ("video",)
    store = Store([clip for clip in load_clips(data, splits, plan.size, kinds=kinds) if clip.static_camera], device)
    perceptual = _perceptual(device)
    drawn: PictureStage
    if name == "pictures":
        drawn = PictureStage(networks, store, plan.size, plan.sources, plan.driving, perceptual, plan.window)
    else:
        known = assemble(out, networks)
        faces = Store(load_clips(data, splits, networks.config.trunk_size * 5 // 4), device)
        keypoints = KeypointStage(networks, faces, networks.config.trunk_size, plan.pairs)
        if "keypoints" in known:
            load_part(out / "keypoints.safetensors", keypoints.module)  # with the head that only training has
            assemble(out, networks)
        drawn = JointStage(networks, store, plan.size, keypoints, plan.sources, plan.driving, perceptual, plan.window)
    return run_stage(drawn, plan, out, resume, lambda: stop.asked, lambda: picture_grid(drawn))


def _perceptual(device: torch.device) -> Perceptual | None:
    from models.metrics import LpipsNetwork, find_lpips_weights

    path = find_lpips_weights()
    if path is None:
        typer.echo("LPIPS weights: none found (FACEWIRE_LPIPS or ../shared/data/perceptual); trained without them")
        return None
    network = LpipsNetwork(path).to(device)
    return lambda y, target: network(y, target)
