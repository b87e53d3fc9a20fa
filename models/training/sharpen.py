"""The stage of the sharpening network (`models/sharpen.py`), for a model that is done: everything else stays fixed.

Training clips hold 256 px, pictures of 512 px are what it is for; so it learns at half the size. F, M, G run on 256 px
as ever, then what G adds and its mask are taken down to 128 px and up again: as soft beside a sharp 256 px source as
they will be beside one of 512. What that costs: it never sees the detail that only 512 px show (pores, single hairs,
lashes), and takes every structure for half as large as it is.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor, nn

from models.generator import Picture
from models.interface import Keypoints
from models.networks import Networks
from models.sharpen import Sharpen, save_sharpen
from models.training.checkpoint import load_average
from models.training.data import Batch, Store
from models.training.errors import DataError
from models.training.run import Plan, run_stage
from models.training.stages import Perceptual, PictureStage, Terms
from models.weights import Model


class SharpenStage(PictureStage):
    """Pairs of a clip (and bent stills) drawn by the finished model, softened, and sharpened towards the target."""

    name = "sharpen"
    rate = 1e-3

    def build(self) -> nn.ModuleDict:
        self.sharpen = Sharpen().to(self.store.device)
        return nn.ModuleDict({"sharpen": self.sharpen})

    @torch.no_grad()
    def place(self, s: Batch, d: Batch, rng: Generator) -> tuple[Keypoints, Keypoints]:
        networks = self.networks
        x_c = networks.canonical(s.image)
        both = torch.cat((x_c, x_c.repeat_interleave(self.driving, 0)))
        motion = networks.extractor(torch.cat((s.image, d.image)), both).motion
        placed = networks.place(both, motion)
        first = len(s.image)
        return Keypoints(*(part[:first] for part in placed)), Keypoints(*(part[first:] for part in placed))

    def weigh(self, placed_s: Keypoints, placed_d: Keypoints, s: Batch, d: Batch) -> tuple[Picture, Terms]:
        with torch.no_grad():
            source = self.networks.appearance(s.image)
            source = type(source)(*(part.repeat_interleave(self.driving, 0) for part in source))
            placed_s = Keypoints(*(part.repeat_interleave(self.driving, 0) for part in placed_s))
            soft = soften(self.networks.draw(source, placed_s, placed_d))
        picture = soft._replace(image=self.sharpen(soft))
        terms = self.compare(picture, d)
        return picture, {name: term for name, term in terms.items() if name not in ("warped", "bending")}


def soften(picture: Picture) -> Picture:
    """A picture [B,3,S,S] as if G had drawn at S/2: its own addition and its mask lose the finest detail."""

    def halved(x: Tensor) -> Tensor:
        small = functional.avg_pool2d(x, 2)
        return functional.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)

    added = halved(picture.image - picture.warped)
    return Picture(picture.warped + added, picture.warped, halved(picture.blend), picture.flow)


def run_sharpen(
    model: Model,
    store: Store,
    plan: Plan,
    out: Path,
    resume: bool,
    stopped: Callable[[], bool],
    perceptual: Perceptual | None,
) -> Path:
    """Train the network for a model and write it into `out`; beside that model's weights it is found and used.

    Raises DataError for a model of another kind.
    """
    networks = model.networks
    if not isinstance(networks, Networks):
        raise DataError(f"--stage sharpen: expected weights of preset compact, got {model.config.preset}")
    stage = SharpenStage(networks, store, plan.size, plan.sources, plan.driving, perceptual, plan.window)
    run_stage(stage, plan, out, resume, stopped)
    stage.module.load_state_dict(load_average(out / f"{stage.name}.safetensors")[0])
    return save_sharpen(stage.sharpen, model, out)
