"""`facewire train --preset paper...`: one stage, from pairs of frames to weights (FV2V A.2, A.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import typer
from torch import Generator, Tensor

from models.metrics import find_lpips_weights
from models.paper.config import PaperConfig
from models.paper.networks import PaperNetworks
from models.training.checkpoint import load_average
from models.training.discriminator import discriminator_for
from models.training.distributed import Ranks
from models.training.errors import DataError
from models.training.paper_stage import PaperOptions, PaperStage
from models.training.perceptual import perceptual_loss
from models.training.run import Plan, Stop, run_stage
from models.training.shards import Wanted, open_store
from models.training.spectral import constrain, release
from models.weights import default_tables, load_model, save_model

PIXELS_ALONE = 10.0  # weight of the pictures' L1 where there are no perceptual weights


@dataclass(frozen=True)
class PaperWork:
    """Where the clips are, where the state goes, and what the losses are made of."""

    data: Path
    out: Path
    splits: Sequence[str]
    memory_gib: float | None = None
    discriminator_width: int = 64
    vgg19: Path | None = None
    face_vgg: Path | None = None
    start: Path | None = None  # a model whose weights are taken where they fit: 256 px before 512 px
    options: PaperOptions = PaperOptions()


def train_paper(config: PaperConfig, plan: Plan, work: PaperWork, ranks: Ranks, resume: bool, stop: Stop) -> Path:
    """Train until the plan is done or a stop is asked for, and write the weights so far; returns their manifest.

    Raises DataError when there is nothing to train on or the state in `work.out` is of other networks.
    """
    if plan.size != config.size:
        raise DataError(f"--size: expected {config.size}, the size of {config.preset}, got {plan.size}")
    networks = PaperNetworks(config).to(ranks.device)
    if work.start is not None:
        new = start_from(networks, load_model(work.start).networks.state_dict())
        typer.echo(f"{work.start}: all but {len(new)} tensors taken over")
    ranks.synchronise_norms(networks)
    stage = _stage(networks, plan, work, ranks)
    run_stage(stage, plan, work.out, resume, lambda: stop.asked, lambda: paper_grid(stage), ranks)
    manifest = work.out / "weights"
    if ranks.first:
        about = {"source": "facewire train", "licence": "as the clips"}
        trained = assemble_paper(work.out / f"{stage.name}.safetensors", config)
        manifest = save_model(trained, default_tables(config), manifest, about)
    ranks.wait()
    return manifest


def start_from(networks: PaperNetworks, state: dict[str, Tensor]) -> list[str]:
    """Take over every tensor that fits by name and shape; returns the names of the others, which stay as they are."""
    own = networks.state_dict()
    fit = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    networks.load_state_dict(own | fit)
    return sorted(own.keys() - fit.keys())


def assemble_paper(path: Path, config: PaperConfig) -> PaperNetworks:
    """The averaged weights of a stage's state as plain networks, spectral norm multiplied in. Raises DataError."""
    average, _ = load_average(path)
    networks = PaperNetworks(config)
    drawing = (networks.appearance, networks.motion_field, networks.generator)
    if any(".parametrizations." in name for name in average if not name.startswith("discriminator.")):
        for module in drawing:
            constrain(module)
    own = {name: value for name, value in average.items() if not name.startswith("discriminator.")}
    try:
        networks.load_state_dict(own)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: expected the state of preset {config.preset}, got another: {reason}") from None
    for module in drawing:
        release(module)
    return networks.eval()


@torch.no_grad()
def paper_grid(stage: PaperStage, rows: int = 6, seed: int = 1) -> Tensor:
    """Pictures [3, rows*S, 3*S] in [0,1]: source | driving | output, the same pairs every time."""
    stage.module.eval()
    drawn: list[Tensor] = []
    rng = Generator().manual_seed(seed)
    while len(drawn) < rows:
        s, d, picture = stage.example(rng)
        drawn.append(torch.cat((s.image[0], d.image[0], picture.image[0].float()), 2))
    return torch.cat(drawn, 1).clamp(0.0, 1.0).cpu()


def _stage(networks: PaperNetworks, plan: Plan, work: PaperWork, ranks: Ranks) -> PaperStage:
    wanted = Wanted(work.splits, plan.size, 15.0, kinds=("video",), still_camera=True)
    store = open_store(work.data, wanted, ranks.device, work.out / "packed", memory_gib=work.memory_gib, ranks=ranks)
    perceptual = perceptual_loss(find_lpips_weights(), work.vgg19, work.face_vgg, ranks.device)
    options = work.options
    if perceptual is None and not options.pixels:
        typer.echo("perceptual weights: none found; the pictures are compared by L1")
        options = replace(options, pixels=PIXELS_ALONE)
    rival = discriminator_for(plan.size, work.discriminator_width)
    return PaperStage(networks, store, plan.size, plan.sources, rival, perceptual, options)
