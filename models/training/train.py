"""`facewire train`: the staged recipe from prepared clips to weights, from one command.

Every stage keeps its state in DIR/<stage>.safetensors (every two minutes, on time, on a signal) and `--resume` goes on
from there. Scalars go to DIR/<stage>.csv and TensorBoard, picture grids to DIR/grids and TensorBoard, and the averaged
weights so far to DIR/weights, ready for `facewire validate`.

    torchrun --nproc-per-node 8 -m facewire train ...    the same on several GPUs: each its own clips and batches
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from models.metrics import LpipsNetwork, find_lpips_weights
from models.networks import Networks
from models.paper.config import PaperConfig
from models.presets import PRESETS
from models.training.adversarial import AdversarialStage
from models.training.checkpoint import load_average, load_part
from models.training.data import Store
from models.training.discriminator import discriminator_for
from models.training.distributed import Ranks, join
from models.training.errors import DataError
from models.training.paper_stage import PaperOptions
from models.training.paper_train import PaperWork, train_paper
from models.training.perceptual import perceptual_loss
from models.training.preview import picture_grid
from models.training.refine import RefineStage
from models.training.regions import RegionStage
from models.training.run import Plan, Stop, run_stage
from models.training.shards import Wanted, open_store
from models.training.sharpen import SharpenStage, run_sharpen
from models.training.stages import JointStage, KeypointStage, Perceptual, PictureStage, Stage
from models.weights import default_device, default_tables, load_model, save_model

STAGES = ("keypoints", "regions", "pictures", "refine", "joint", "adversarial")
# of the minutes, when all stages run
SHARE = {"keypoints": 0.2, "regions": 0.1, "pictures": 0.3, "refine": 0.1, "joint": 0.15, "adversarial": 0.15}
PREFIX = {"regions": "extractor.deformation."}  # what a stage's state leaves out of the names in `Networks`
REGIONS_FPS = 6.0  # neighbouring frames teach little
REFINE_FPS = 8.0


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
    data: Annotated[Path, typer.Option(help="Made by `facewire prepare`.")],
    out: Annotated[Path, typer.Option(help="For states, logs, grids and weights.")],
    preset: Annotated[str, typer.Option(help=f"One of {', '.join(PRESETS)}.")] = "compact",
    stage: Annotated[str, typer.Option(help=f"all, or one of {', '.join(STAGES)}.")] = "all",
    resume: Annotated[bool, typer.Option(help="Go on from the states in --out.")] = False,
    minutes: Annotated[float | None, typer.Option(help="Training time, over all runs and stages.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each stage instead of minutes.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of the pictures; else the preset's.")] = None,
    window: Annotated[int | None, typer.Option(help="Windows about the face for F, M, G: side.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, bf16, or auto: bf16 on CUDA.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    batch: Annotated[int, typer.Option(help="Source pictures a step; four driving frames each.")] = 3,
    pairs: Annotated[int, typer.Option(help="Pairs a step, for keypoints.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of weights and batches.")] = 0,
    split: Annotated[str, typer.Option(help="Splits to train on, comma between.")] = "train,stills",
    memory_gib: Annotated[
        float | None,
        typer.Option(help="Frames beyond this are drawn from --out/packed; by default half of the memory."),
    ] = None,
    discriminator_width: Annotated[
        int | None, typer.Option(help="Channels of the discriminator's first layer; 32, for paper presets 64.")
    ] = None,
    landmarks: Annotated[
        float, typer.Option(help="Paper presets: weight of the landmarks as the first keypoints, for a head start.")
    ] = 0.0,
    keypoint_dropout: Annotated[
        float | None, typer.Option(help="Largest share of keypoints that fall away; 0.75 from the joint stage on.")
    ] = None,
    everything: Annotated[bool, typer.Option(help="Let the adversarial stage train L, H, Δ, too.")] = False,
    vgg19: Annotated[Path | None, typer.Option(help="VGG19 weights (safetensors) for the perceptual loss.")] = None,
    face_vgg: Annotated[Path | None, typer.Option(help="VGG-Face weights (safetensors) for it.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="With --stage sharpen: the model to sharpen (or the shipped one). Paper presets: start here."
        ),
    ] = None,
) -> None:
    """Train F, L, H, Δ, M, G from prepared clips; stop and resume at will. `torchrun` starts it on several GPUs."""
    if preset not in PRESETS:
        raise DataError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    if stage not in ("all", *STAGES, SharpenStage.name):
        raise DataError(f"--stage: expected all or one of {', '.join((*STAGES, SharpenStage.name))}, got {stage!r}")
    if (minutes is None) == (steps is None):
        raise DataError("expected --minutes or --steps, one of them")
    if isinstance(PRESETS[preset], PaperConfig) and stage != "all":
        raise DataError(f"--stage: expected all, since {preset} trains in one stage, got {stage!r}")
    if keypoint_dropout is not None and not 0.0 <= keypoint_dropout < 1.0:
        raise DataError(f"--keypoint-dropout: expected 0 to below 1, got {keypoint_dropout}")
    if precision not in ("auto", "fp32", "bf16"):
        raise DataError(f"--precision: expected auto, fp32 or bf16, got {precision!r}")
    torch.set_num_threads(threads)
    config = PRESETS[preset]
    out.mkdir(parents=True, exist_ok=True)
    with join(default_device() if device == "auto" else torch.device(device)) as ranks, Stop() as stop:
        torch.manual_seed(seed)
        bf16 = precision == "bf16" or (precision == "auto" and ranks.device.type == "cuda")
        plan = Plan(size or config.size, None, steps, seed, pairs, batch, window=window, bf16=bf16)
        if isinstance(config, PaperConfig):
            paper = PaperWork(
                data=data,
                out=out,
                splits=split.split(","),
                memory_gib=memory_gib,
                discriminator_width=discriminator_width or 64,
                vgg19=vgg19,
                face_vgg=face_vgg,
                start=weights,
                options=PaperOptions(landmarks=landmarks),
            )
            manifest = train_paper(config, replace(plan, minutes=minutes), paper, ranks, resume, stop)
            typer.echo(f"weights: {manifest}")
            return
        networks = Networks(config).to(ranks.device)
        ranks.synchronise_norms(networks)
        work = Work(
            networks=networks,
            ranks=ranks,
            data=data,
            out=out,
            splits=split.split(","),
            memory_gib=memory_gib,
            keypoint_dropout=keypoint_dropout,
            discriminator_width=discriminator_width or 32,
            everything=everything,
            vgg19=vgg19,
            face_vgg=face_vgg,
        )
        if stage == SharpenStage.name:
            train_sharpen(work, replace(plan, minutes=minutes), weights, resume, stop)
            return
        for name in STAGES if stage == "all" else (stage,):
            own_minutes = minutes and minutes * (SHARE[name] if stage == "all" else 1.0)
            if not work.train(name, replace(plan, minutes=own_minutes), resume, stop):
                break
        if ranks.first:
            typer.echo(f"weights: {_write_weights(out, networks)}")


def train_sharpen(work: "Work", plan: Plan, weights: Path | None, resume: bool, stop: Stop) -> None:
    """Train the network that goes over pictures of twice a model's size; the model itself stays as it is."""
    model = load_model(weights, work.ranks.device)
    perceptual = _lpips(work.ranks.device)
    path = run_sharpen(model, work.pictures(plan), plan, work.out, resume, lambda: stop.asked, perceptual)
    typer.echo(f"sharpening network: {path}")


def _write_weights(out: Path, networks: Networks) -> Path:
    known = assemble(out, networks)
    about = {"source": "facewire train", "licence": "as the clips", "training": known}
    return save_model(networks.eval(), default_tables(networks.config), out / "weights", about)


@dataclass(frozen=True)
class Work:
    """What all stages of one `facewire train` share."""

    networks: Networks
    ranks: Ranks
    data: Path
    out: Path
    splits: Sequence[str]
    memory_gib: float | None
    keypoint_dropout: float | None
    discriminator_width: int
    everything: bool
    vgg19: Path | None
    face_vgg: Path | None

    def train(self, name: str, plan: Plan, resume: bool, stop: Stop) -> bool:
        """Build the stage and run it; returns whether it is done."""
        drawn: PictureStage | None = None
        stage: Stage
        if name == "keypoints":
            stage = self._keypoints(plan)
            self.networks.canonical.mean_shape.copy_(stage.store.x_c.mean(0))
        elif name == "regions":
            size = self.networks.config.size
            stage = RegionStage(self.networks, self._store(size, max_fps=REGIONS_FPS), size)
        else:
            stage = drawn = self._pictures(name, plan)
            if self.keypoint_dropout is not None:
                drawn.dropout = self.keypoint_dropout
        preview = None if drawn is None else lambda: picture_grid(drawn)
        return run_stage(stage, plan, self.out, resume, lambda: stop.asked, preview, self.ranks)

    def pictures(self, plan: Plan) -> Store:
        """Clips, and with windows also stills, at the plan's size."""
        return self._store(plan.size, kinds=("video", "still") if plan.window else ("video",), still_camera=True)

    def _store(self, size: int, max_fps: float = 15.0, **wanted: Any) -> Store:
        return open_store(
            self.data,
            Wanted(self.splits, size, max_fps, **wanted),
            self.ranks.device,
            self.out / "packed",
            memory_gib=self.memory_gib,
            ranks=self.ranks,
        )

    def _keypoints(self, plan: Plan) -> KeypointStage:
        size = self.networks.config.trunk_size
        # a little larger than the trunk's picture, so that a closer crop still has detail
        return KeypointStage(self.networks, self._store(size * 5 // 4), size, plan.pairs)

    def _pictures(self, name: str, plan: Plan) -> PictureStage:
        networks, device = self.networks, self.ranks.device
        perceptual = _lpips(device)
        if name == "refine":
            assemble(self.out, networks)
            everyone = self._store(plan.size, max_fps=REFINE_FPS, kinds=("video",))  # a moving camera moves no mouth
            return RefineStage(networks, everyone, plan.size, plan.sources, plan.driving, perceptual)
        store = self._store(plan.size, kinds=("video", "still") if plan.window else ("video",), still_camera=True)
        if name == "pictures":
            return PictureStage(networks, store, plan.size, plan.sources, plan.driving, perceptual, plan.window)
        known = assemble(self.out, networks)
        keypoints = self._keypoints(plan)
        if "keypoints" in known:
            load_part(self.out / "keypoints.safetensors", keypoints.module)  # with the head that only training has
            assemble(self.out, networks)
        drawn = (networks, store, plan.size, keypoints)
        if name == "joint":
            return JointStage(*drawn, plan.sources, plan.driving, perceptual, plan.window)
        return AdversarialStage(
            *drawn,
            discriminator_for(plan.size, self.discriminator_width),
            plan.sources,
            plan.driving,
            perceptual_loss(find_lpips_weights(), self.vgg19, self.face_vgg, device),
            plan.window,
            everything=self.everything,
        )


def _lpips(device: torch.device) -> Perceptual | None:
    path = find_lpips_weights()
    if path is None:
        typer.echo("LPIPS weights: none found (FACEWIRE_LPIPS or ../shared/data/perceptual); trained without them")
        return None
    network = LpipsNetwork(path).to(device)
    return lambda y, target: network(y, target)
