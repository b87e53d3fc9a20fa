"""The stage of Δ's region networks: patches of faces with known landmarks, put a little wrong on purpose."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from models.keypoints import LANDMARKS
from models.networks import Networks
from models.regions import EYE_LEFT, EYE_RIGHT, FACE, MOUTH, Patch, place_patches
from models.training.camera_faults import spoil
from models.training.data import Batch, Store, augment, draw_change, expressive_weight
from models.training.stages import Stage, Terms

LIDS = tuple((EYE_LEFT.index(upper), EYE_LEFT.index(lower)) for upper, lower in ((159, 145), (160, 144), (158, 153)))
LIPS = tuple((MOUTH.index(upper), MOUTH.index(lower)) for upper, lower in ((13, 14), (82, 87), (312, 317)))
"""Pairs whose distance says how far an eye or the mouth is open."""


class Jitter(NamedTuple):
    """How wrong the patches are put in training (standard deviations): as wrong as the rough keypoints may be."""

    shift: float = 0.05  # crop units, 6 px at 256
    log_scale: float = 0.1
    points: float = 0.015


class RegionStage(Stage):
    """Eyes, mouth and outlines learn their landmarks on people on video and on stills."""

    name = "regions"
    rate = 2e-3

    def __init__(
        self,
        networks: Networks,
        store: Store,
        size: int,
        faces: int = 24,
        stills: float = 0.3,
        jitter: Jitter | None = None,
    ) -> None:
        super().__init__(networks, store, size)
        self.faces, self.stills, self.jitter = faces, stills, jitter or Jitter()
        self.expressive = expressive_weight(store)

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"regions": self.networks.extractor.deformation.regions})

    def draw(self, rng: Generator) -> Batch:
        """Faces, half of them with mouth or lids far from where that person has them mostly."""
        store = self.store
        clips = store.draw_clips(self.faces, rng, self.stills)
        frames = store.draw_frames(clips, rng)
        rare = torch.multinomial(self.expressive, self.faces // 2, replacement=True, generator=rng)
        clips[: len(rare)], frames[: len(rare)] = store.clip_of(rare), rare
        change = draw_change(self.faces, rng, roll_deg=20.0, log_scale=0.2, shift=0.1, colour=0.25, device=store.device)
        return augment(store.batch(clips, frames), change, self.size)

    def loss(self, rng: Generator) -> Terms:
        batch = self.draw(rng)
        patches = self.place(batch, rng)
        regions = self.networks.extractor.deformation.regions
        cut = [spoil(patch.sample(batch.image, regions.patch_size), rng) for patch in patches]
        eyes = regions.eye(torch.cat(cut[:2]))
        found = (*eyes.chunk(2), regions.mouth(cut[2]), regions.face(cut[3]))
        lists = (EYE_LEFT, EYE_RIGHT, MOUTH, FACE)
        wanted = [
            patch.to_patch(batch.landmarks[:, list(points), :2]) for patch, points in zip(patches, lists, strict=True)
        ]
        left, right, mouth, face = ((q - target).abs().mean() for q, target in zip(found, wanted, strict=True))
        return {
            "eyes": 10.0 * (left + right),
            "mouth": 10.0 * mouth,
            "face": 20.0 * face,  # its patch is three times as wide
            "lids": 5.0 * sum(_opening_l1(q, target, LIDS) for q, target in zip(found[:2], wanted[:2], strict=True)),
            "lips": 10.0 * _opening_l1(found[2], wanted[2], LIPS),
        }

    def place(self, batch: Batch, rng: Generator) -> tuple[Patch, Patch, Patch, Patch]:
        """Patches by keypoints and scale that are as wrong as those that the trunk finds."""
        jitter, count = self.jitter, len(batch.image)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=rng).to(batch.image.device)

        x = batch.x[..., :2] + jitter.shift * normal(count, 1, 2) + jitter.points * normal(count, len(LANDMARKS), 2)
        return place_patches(x, batch.motion.t[:, 2] + jitter.log_scale * normal(count))


def _opening_l1(q: Tensor, target: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    """Mean L1 of the vectors between the points of each pair; q, target [B,N,2]."""
    upper, lower = ([pair[side] for pair in pairs] for side in (0, 1))
    return ((q[:, upper] - q[:, lower]) - (target[:, upper] - target[:, lower])).abs().mean()
