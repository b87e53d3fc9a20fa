"""The stage of the refiner: patches of mouths and eyes as G draws them, beside the true ones.

Drawing a picture costs ten times what going over its patches costs, so drawn patches are kept in a pool and gone over
many times, each time placed, turned, mirrored and coloured a little differently. The pool is not part of the stage's
state: after a stop it is filled anew.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from models.interface import Keypoints
from models.keypoints import LANDMARKS
from models.networks import Networks
from models.refiner import EYES, MOUTH, PatchRefiner, RegionPatch, fade, inside
from models.regions import Patch
from models.training.data import Batch, Store
from models.training.losses import pyramid_l1, structural_dissimilarity
from models.training.stages import Perceptual, PictureStage, Terms

MARGIN = 1.25
"""Sides of the patches in the pool over those of the refiner's, so that these can be placed differently."""


class Example(NamedTuple):
    """Patches in the pool: drawn, source and target uint8 [N,3,P,P], points driving and source [N,points,2] in units of
    the patch.
    """

    drawn: Tensor
    source: Tensor
    target: Tensor
    points_d: Tensor
    points_s: Tensor

    def pick(self, index: Tensor) -> "Example":
        """Some of them."""
        return Example(*(part[index] for part in self))


class Pool:
    """The newest examples of one region, at most `capacity`."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._examples: Example | None = None
        self._weight = torch.zeros(capacity)
        self._next = 0
        self.count = 0

    def put(self, new: Example) -> None:
        if self._examples is None:
            self._examples = Example(*(part.new_zeros((self.capacity, *part.shape[1:])) for part in new))
        changes = change_of_opening(new)
        for index in range(len(new.drawn)):
            for kept, part in zip(self._examples, new, strict=True):
                kept[self._next] = part[index]
            self._weight[self._next] = changes[index]
            self._next = (self._next + 1) % self.capacity
        self.count = min(self.capacity, self.count + len(new.drawn))

    def draw(self, number: int, rng: Generator) -> Example:
        """Two thirds of them the likelier the more differently the region stands open in source and driving frame."""
        assert self._examples is not None, "drawn from before anything was put"
        rare = torch.multinomial(self._weight[: self.count], 2 * number // 3, replacement=True, generator=rng)
        plain = torch.randint(0, self.count, (number - len(rare),), generator=rng)
        return self._examples.pick(torch.cat((rare, plain)))


def change_of_opening(examples: Example) -> Tensor:
    """How differently regions stand open in source and driving frame [N], over their width; at least 0.01."""

    def opening(q: Tensor) -> Tensor:
        width = (q[:, 1] - q[:, 0]).norm(dim=1).clamp(min=0.1)
        edge = q[:, 3] if q.shape[1] == len(MOUTH) else (q[:, 0] + q[:, 1]) / 2
        found: Tensor = (q[:, 2] - edge)[:, 1] / width
        return found

    return (opening(examples.points_d) - opening(examples.points_s)).abs().clamp(0.01, 1.0)


class RefineStage(PictureStage):
    """The refiner learns on pictures that the other networks, which stay as they are, draw on their own keypoints."""

    name = "refine"
    rate = 1e-3

    def __init__(
        self,
        networks: Networks,
        store: Store,
        size: int,
        sources: int = 2,
        driving: int = 4,
        perceptual: Perceptual | None = None,
        faces: int = 16,
        capacity: int = 6000,
        fill: int = 128,
    ) -> None:
        """`faces` a step; `fill` pairs are drawn before the first one, then 8 a step until the pool is full, then 8
        each fourth step.
        """
        super().__init__(networks, store, size, sources, driving, perceptual)
        self.faces, self.fill = faces, min(fill, capacity)
        self.pools = {"mouth": Pool(capacity), "eye": Pool(2 * capacity)}
        self._steps = 0

    def rates(self) -> dict[str, float]:
        return {}

    def build(self) -> nn.ModuleDict:
        return nn.ModuleDict({"refiner": self.networks.refiner})

    def train(self) -> None:
        self.networks.eval()  # the others only draw
        self.module.train()

    def loss(self, rng: Generator) -> Terms:
        mouth = self.pools["mouth"]
        while mouth.count < self.fill:
            self.refill(rng)
        if mouth.count < mouth.capacity or self._steps % 4 == 0:
            self.refill(rng)
        self._steps += 1
        terms: Terms = {}
        for name, refine, number in (
            ("mouth", self.networks.refiner.mouth, self.faces),
            ("eye", self.networks.refiner.eye, self.faces),
        ):
            patch, target = vary(self.pools[name].draw(number, rng), name == "mouth", rng, self.store.device)
            terms |= {f"{name}.{term}": value for term, value in self.weigh_patch(refine, patch, target).items()}
        return terms

    @torch.no_grad()
    def refill(self, rng: Generator) -> None:
        """Draw some pictures and put their patches into the pools."""
        s, d = self._draw(self.sources, self.size, rng)
        placed_s, placed_d = self.place(s, d, rng)
        source = self.networks.appearance(s.image)
        source = type(source)(*(part.repeat_interleave(self.driving, 0) for part in source))
        placed_s = Keypoints(*(part.repeat_interleave(self.driving, 0) for part in placed_s))
        drawn = self.networks.sketch(source, placed_s, placed_d).image
        mouths, eyes = cut(self.networks, drawn, source.image, d.image, placed_s, placed_d)
        self.pools["mouth"].put(mouths)
        self.pools["eye"].put(eyes)

    def place(self, s: Batch, d: Batch, rng: Generator) -> tuple[Keypoints, Keypoints]:
        """The networks' own keypoints: those that it will be used with."""
        x_c_s = self.networks.canonical(s.image)
        x_c = torch.cat((x_c_s, x_c_s.repeat_interleave(self.driving, 0)))
        placed = self.networks.place(x_c, self.networks.extractor(torch.cat((s.image, d.image)), x_c).motion)
        first = len(s.image)
        return Keypoints(*(part[:first] for part in placed)), Keypoints(*(part[first:] for part in placed))

    def weigh_patch(self, refine: PatchRefiner, patch: RegionPatch, target: Tensor) -> Terms:
        """The patch as it will be pasted, against the true one."""
        weight = fade(patch.drawn.shape[-1], patch.drawn.device)[None, None].expand(len(target), -1, -1, -1)
        made = patch.drawn + weight * refine(patch)
        terms = {
            "picture": pyramid_l1(made, target, weight + 0.01),
            "structure": 0.1 * structural_dissimilarity(made, torch.lerp(made, target, weight)),
        }
        if self.perceptual is not None and target.shape[-1] >= 32:  # LPIPS sees nothing smaller
            terms["perceptual"] = 0.5 * self.perceptual(made, torch.lerp(made.detach(), target, weight)).mean()
        return terms


def cut(
    networks: Networks, drawn: Tensor, source: Tensor, target: Tensor, s: Keypoints, d: Keypoints
) -> tuple[Example, Example]:
    """Examples of mouths [B] and of eyes [2B] with their margin; pictures [B,3,S,S]."""
    refiner = networks.refiner
    sides = (refiner.eye_size, refiner.eye_size, refiner.mouth_size)
    found = []
    for at_s, at_d, side, points in zip(refiner.patches(s), refiner.patches(d), sides, (*EYES, MOUTH), strict=True):
        wide_s, wide_d = (Patch(at.centre, MARGIN * at.axes) for at in (at_s, at_d))
        index = [LANDMARKS.index(landmark) for landmark in points]
        size = round(MARGIN * side)
        q_d, q_s = (inside(at, k.x[:, index, :2]).cpu() for at, k in ((wide_d, d), (wide_s, s)))
        found.append(
            Example(
                _stored(wide_d.sample(drawn, size)),
                _stored(wide_s.sample(source, size)),
                _stored(wide_d.sample(target, size)),
                q_d,
                q_s,
            )
        )
    left, right, mouth = found
    return mouth, Example(*(torch.cat(parts) for parts in zip(left, right, strict=True)))


def _stored(picture: Tensor) -> Tensor:
    return (picture.clamp(0.0, 1.0) * 255.0).round().byte().cpu()


def vary(examples: Example, mirror: bool, rng: Generator, device: torch.device) -> tuple[RegionPatch, Tensor]:
    """Cut the refiner's patches out of wider ones, each a little differently, and change their colours; returns the
    patches and their targets. With `mirror` half of them are flipped: eyes are all seen as left ones already.
    """
    count, wide = len(examples.drawn), examples.drawn.shape[-1]
    size = round(wide / MARGIN)
    flip = torch.rand(count, generator=rng) < (0.5 if mirror else 0.0)
    place_d, place_s = (_jitter(count, flip, rng) for _ in range(2))
    gain = (
        1.0
        + 0.2 * (torch.rand(count, 3, 1, 1, generator=rng) - 0.5)
        + 0.4 * (torch.rand(count, 1, 1, 1, generator=rng) - 0.5)
    )
    offset = 0.1 * (torch.rand(count, 1, 1, 1, generator=rng) - 0.5)

    def picture(stored: Tensor, place: Patch) -> Tensor:
        coloured = (stored.float() / 255.0 * gain + offset).clamp(0.0, 1.0)
        return place.sample(coloured, size).to(device)

    def points(stored: Tensor, place: Patch) -> Tensor:
        q = place.to_patch(stored)
        swapped = torch.cat((q[:, 1:2], q[:, :1], q[:, 2:]), 1) if mirror else q
        return torch.where(flip[:, None, None], swapped, q).to(device)

    patch = RegionPatch(
        picture(examples.drawn, place_d),
        picture(examples.source, place_s),
        points(examples.points_d, place_d),
        points(examples.points_s, place_s),
    )
    return patch, picture(examples.target, place_d)


def _jitter(count: int, flip: Tensor, rng: Generator) -> Patch:
    """Where in a wide patch ([-1,1]) the refiner's lies: about the middle, scaled, turned and mirrored."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng) * 2.0 - 1.0

    half = (1.0 + 0.1 * uniform(count)) / MARGIN
    angle = 0.08 * uniform(count)
    along = half[:, None] * torch.stack((angle.cos(), angle.sin()), 1)
    down = torch.stack((-along[:, 1], along[:, 0]), 1)
    axes = torch.stack((torch.where(flip[:, None], -along, along), down), 2)
    return Patch(0.05 * uniform(count, 2), axes)
