"""The staged recipe: what is drawn, run and weighed in one step of each stage.

    keypoints   L, H, Δ learn the landmarks of clips and stills (and whether there is a face at all)
    regions     Δ learns where lips, lids and outlines are, in patches (regions.py)
    pictures    F, M, G learn to draw from keypoints that come straight from the landmarks
    refine      the last step of G, at mouth and eyes, on pictures that the others draw (refine.py)
    joint       all of them end to end, on their own keypoints
    adversarial F, M, G against a discriminator (adversarial.py)

The first three need nothing of each other and may run side by side.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor, nn

from models.generator import Picture
from models.geometry import HeadMotion, rotation_matrix
from models.interface import FaceNetworks, Keypoints
from models.networks import Networks
from models.training.camera_faults import spoil, wide_change, without_face
from models.training.data import (
    Batch,
    Change,
    Store,
    augment,
    draw_change,
    expressive_weight,
    place_points,
    unwarp_points,
    with_delta,
)
from models.training.dropout import draw_kept, drop_tail
from models.training.equivariance import draw_warp
from models.training.losses import (
    face_mask,
    flow_bending,
    keypoint_l1,
    pose_l1,
    pyramid_l1,
    region_weight,
    structural_dissimilarity,
)

Terms = dict[str, Tensor]
"""Weighted terms of one loss, by name; their sum is what is minimised."""

Perceptual = Callable[[Tensor, Tensor], Tensor]
"""Distance [B] of two picture batches [B,3,S,S] in [0,1]."""


class Stage(ABC):
    """One stage: the modules it trains and the loss of one step."""

    name: str
    networks: FaceNetworks
    rate: float  # Adam's learning rate at its height
    betas: tuple[float, float] = (0.9, 0.999)

    def __init__(self, networks: FaceNetworks, store: Store, size: int) -> None:
        self.networks = networks
        self.store = store
        self.size = size
        self.module = self.build()

    @abstractmethod
    def build(self) -> nn.ModuleDict:
        """The modules that this stage trains, as one; their names are those in `Networks`."""

    def rates(self) -> dict[str, float]:
        """Learning rates at their height of the modules that do not train at `rate`, by name."""
        return {}

    def train(self) -> None:
        """Set the modules to training."""
        self.module.train()

    def clip(self, largest: float) -> Tensor:
        """Scale the gradients down to a norm of at most `largest`; returns the norm they had."""
        return torch.nn.utils.clip_grad_norm_(self.module.parameters(), largest)

    @abstractmethod
    def loss(self, rng: Generator) -> Terms:
        """Draw a batch and weigh it."""


class KeypointStage(Stage):
    """L, H and the rough keypoints of Δ regress the landmarks of people on video and of many more on stills.

    Two frames s, d of a person, each changed in its own way: x_c comes from s alone, the pose from each frame, and
    what is asked is that they land on the landmarks together. A head on all 478 landmarks, used only here, makes
    the trunk look closely.
    """

    networks: Networks
    name = "keypoints"
    rate = 1e-3

    def __init__(self, networks: Networks, store: Store, size: int, pairs: int = 16, stills: float = 0.3) -> None:
        super().__init__(networks, store, size)
        self.pairs, self.stills = pairs, stills

    def build(self) -> nn.ModuleDict:
        features = self.networks.config.trunk_features
        self.dense = nn.Linear(features, 2 * 478).to(self.store.device)
        return nn.ModuleDict(
            {"canonical": self.networks.canonical, "extractor": self.networks.extractor, "dense": self.dense}
        )

    def loss(self, rng: Generator) -> Terms:
        clips = self.store.draw_clips(self.pairs, rng, self.stills)
        change_s, change_d = (wide_change(self.pairs, rng, self.store.device) for _ in range(2))
        change_d = change_d._replace(flip=change_s.flip)  # one person, one shape
        s, d = (
            augment(self.store.batch(clips, self.store.draw_frames(clips, rng)), change, self.size)
            for change in (change_s, change_d)
        )
        both = Batch(
            torch.cat((s.image, d.image)),
            torch.cat((s.x_c, d.x_c)),
            torch.cat((s.landmarks, d.landmarks)),
            HeadMotion(*(torch.cat(parts) for parts in zip(s.motion, d.motion, strict=True))),
        )
        image = spoil(both.image, rng)
        strange = without_face(self.store, max(2, self.pairs // 4), self.size, rng)
        extractor = self.networks.extractor
        features = extractor.trunk(torch.cat((image, strange)))
        faces, count = features[: len(image)], len(image)
        yaw_deg, pitch_deg, roll_deg, t = extractor.head_pose(faces)
        x_c = self.networks.canonical(image[: self.pairs])
        # pose and shape together have to land on the landmarks, expression given
        pose = HeadMotion(yaw_deg, pitch_deg, roll_deg, t, both.motion.delta)
        found = self.networks.place(torch.cat((x_c, x_c)), pose)
        rough = extractor.deformation.rough(faces).float().unflatten(1, (-1, 2))
        depth = extractor.deformation.depth(faces).float()
        dense = self.dense(faces).float().unflatten(1, (478, 2))
        score = extractor.face(features)[:, 0].float()
        label = (torch.arange(len(score), device=score.device) < count).float()
        on_video = (~self.store.is_still[clips]).to(x_c.device).float()[:, None, None]
        seen = torch.cat((on_video, on_video))[..., 0]
        return {
            "keypoints": 10.0 * keypoint_l1(found.x, both.x),
            "rough": 10.0 * (rough - both.x[..., :2]).abs().mean(),
            "dense": 5.0 * (dense - both.landmarks[..., :2]).abs().mean(),
            "pose": 2.0 * pose_l1(pose, both.motion),
            # a still's "neutral" shape holds its expression: it teaches L a quarter as much, and depth nothing
            "canonical": 10.0 * ((0.25 + 0.75 * on_video) * (x_c - s.x_c).abs()).mean(),
            "depth": 5.0 * (seen * (depth - both.motion.delta[..., 2]).abs()).mean(),
            "face": 0.3 * functional.binary_cross_entropy_with_logits(score, label),
        }


class PictureStage(Stage):
    """F, M, G draw each of several driving frames of a clip from one source frame; keypoints are the landmarks'.

    With a `window`, three steps in four draw only a square of that many pixels about the face, of pictures `size`
    large: lips and lids keep their detail at a quarter of the cost, and the fourth step draws all of it. A share
    `stills` of the windows' pairs is a still and the same still bent: they bring many more people.
    """

    networks: Networks
    name = "pictures"
    rate = 5e-4
    dropout = 0.0  # of the ordered keypoints' tail: the largest share that falls away in a sample (FV2V C.2)
    refined = False  # whether the refiner draws and learns along

    def __init__(
        self,
        networks: Networks,
        store: Store,
        size: int,
        sources: int = 3,
        driving: int = 4,
        perceptual: Perceptual | None = None,
        window: int | None = None,
        stills: float = 0.25,
    ) -> None:
        super().__init__(networks, store, size)
        self.sources, self.driving, self.perceptual = sources, driving, perceptual
        self.window, self.stills = window, stills
        self.expressive = expressive_weight(store)

    def rates(self) -> dict[str, float]:
        # it starts from nothing, and what it has to invent is seldom asked for
        return {"generator": 2.0 * self.rate}

    def build(self) -> nn.ModuleDict:
        names = ("appearance", "motion_field", "generator", *(("refiner",) if self.refined else ()))
        return nn.ModuleDict({name: getattr(self.networks, name) for name in names})

    def loss(self, rng: Generator) -> Terms:
        s, d = self.draw(rng)
        placed_s, placed_d = self.place(s, d, rng)
        return self.weigh(placed_s, self.drop(placed_d, rng), s, d)[1]

    def drop(self, placed: Keypoints, rng: Generator) -> Keypoints:
        """The driving keypoints as they come when only a prefix of them is sent."""
        if not self.dropout:
            return placed
        return drop_tail(placed, draw_kept(len(placed.x), placed.x.shape[1], self.dropout, rng))

    def example(self, rng: Generator) -> tuple[Batch, Batch, Picture]:
        """A batch and what is drawn of it, to look at."""
        s, d = self._draw(self.sources, self.size, rng)
        return s, d, self.weigh(*self.place(s, d, rng), s, d)[0]

    def place(self, s: Batch, d: Batch, rng: Generator) -> tuple[Keypoints, Keypoints]:
        """Keypoints of sources and driving frames; the networks' own will be a little off, so are these."""
        return _measured(s, rng), _measured(d, rng)

    def draw(self, rng: Generator) -> tuple[Batch, Batch]:
        """Sources [B] and driving frames [B*driving], changed alike within a clip."""
        if self.window is None:
            return self._draw(self.sources, self.size, rng)
        if torch.rand(1, generator=rng).item() < 0.25:
            return self._draw(max(1, self.sources // 3), self.size, rng)
        return self._draw(self.sources, self.window, rng)

    def _draw(self, sources: int, size: int, rng: Generator) -> tuple[Batch, Batch]:
        device = self.store.device
        windowed = size != self.size
        clips = self.store.draw_clips(sources, rng, self.stills if windowed else 0.0)
        frames_s = self.store.draw_frames(clips, rng)
        clips_d = clips.repeat_interleave(self.driving)
        # half the driving frames have mouth or lids far from where that person has them mostly: there G has to invent
        rare = torch.rand(len(clips_d), generator=rng) < 0.5
        frames_d = torch.where(rare, self._draw_rare(clips_d, rng), self.store.draw_frames(clips_d, rng))
        # one driving frame in ten is the source itself: no motion, no change
        still = torch.rand(len(clips_d), generator=rng) < 0.1
        frames_d = torch.where(still, frames_s.repeat_interleave(self.driving), frames_d)
        change = draw_change(sources, rng, roll_deg=8.0, log_scale=0.08, shift=0.06, colour=0.08, device=device)
        s = self.store.batch(clips, frames_s)
        if windowed:
            change = _closer(change, s, self.size / size, rng)
        s = augment(s, change, size)
        d = augment(self.store.batch(clips_d, frames_d), change.repeat(self.driving), size)
        return s, self._bend(d, self.store.is_still[clips_d], rng)

    def _draw_rare(self, clips: Tensor, rng: Generator) -> Tensor:
        """One frame index a clip, the likelier the rarer its expression is in the clip."""
        chosen = []
        for clip in clips.tolist():
            start, count = int(self.store.start[clip]), int(self.store.count[clip])
            chosen.append(start + torch.multinomial(self.expressive[start : start + count], 1, generator=rng))
        return torch.cat(chosen)

    def _bend(self, d: Batch, bent: Tensor, rng: Generator) -> Batch:
        """Driving frames of stills are the still itself, bent."""
        if not bool(bent.any()):
            return d
        which = bent.nonzero()[:, 0].to(d.image.device)
        warp = draw_warp(len(which), rng, device=d.image.device)
        image, landmarks = d.image.clone(), d.landmarks.clone()
        image[which] = warp.image(d.image[which])
        landmarks[which, :, :2] = unwarp_points(warp, d.landmarks[which, :, :2])
        return with_delta(d._replace(image=image, landmarks=landmarks, bent=bent.to(d.image.device)))

    def weigh(self, placed_s: Keypoints, placed_d: Keypoints, s: Batch, d: Batch) -> tuple[Picture, Terms]:
        """Draw d from s with the given keypoints and compare."""
        source = self.networks.appearance(s.image)
        source = type(source)(*(part.repeat_interleave(self.driving, 0) for part in source))
        placed_s = Keypoints(*(part.repeat_interleave(self.driving, 0) for part in placed_s))
        draw = self.networks.draw if self.refined else self.networks.sketch
        picture = draw(source, placed_s, placed_d)
        return picture, self.compare(picture, d)

    def compare(self, picture: Picture, d: Batch) -> Terms:
        """Weigh what was drawn against the driving frames."""
        # as wide as the head is large: 0.07 at a usual one
        weight = region_weight(d.x, d.image.shape[-1], sigma=0.1 * d.motion.t[:, 2].exp()[:, None, None, None])
        image, warped = picture.image, picture.warped
        if d.bent is not None:
            # around a bent face the background has bent, too, which keypoints cannot say: only the face counts there
            seen = torch.maximum(face_mask(d.x, d.image.shape[-1]), (~d.bent).float()[:, None, None, None])
            image, warped = torch.lerp(d.image, image, seen), torch.lerp(d.image, warped, seen)
        terms = {
            "picture": pyramid_l1(image, d.image, weight),
            "warped": 0.5 * pyramid_l1(warped, d.image, weight),
            "structure": 0.2 * structural_dissimilarity(image, d.image),
            # lips and lids do bend the flow
            "bending": 0.06 * flow_bending(picture.flow, 1.0 / functional.avg_pool2d(weight, 4)),
        }
        if self.perceptual is not None:
            terms["perceptual"] = 0.6 * self.perceptual(image, d.image).mean()
        return terms


class JointStage(PictureStage):
    """End to end on the networks' own keypoints; the landmarks stay as an anchor."""

    name = "joint"
    rate = 5e-4
    dropout = 0.75
    refined = True

    def __init__(
        self,
        networks: Networks,
        store: Store,
        size: int,
        keypoints: KeypointStage,
        sources: int = 3,
        driving: int = 4,
        perceptual: Perceptual | None = None,
        window: int | None = None,
    ) -> None:
        self.keypoints = keypoints
        super().__init__(networks, store, size, sources, driving, perceptual, window)

    def build(self) -> nn.ModuleDict:
        parts = [*super().build().named_children(), *self.keypoints.module.named_children()]
        return nn.ModuleDict(dict(parts))

    def rates(self) -> dict[str, float]:
        # they come trained to the end; a full rate would first undo that
        return super().rates() | dict.fromkeys(self.keypoints.module, self.rate / 10.0)

    def train(self) -> None:
        super().train()
        # a batch of a few people's frames would spoil the batch norms' statistics
        for part in self.keypoints.module.modules():
            if isinstance(part, (nn.BatchNorm2d, nn.SyncBatchNorm)):
                part.eval()

    def place(self, s: Batch, d: Batch, rng: Generator) -> tuple[Keypoints, Keypoints]:
        networks = self.networks
        x_c_s = networks.canonical(s.image)
        x_c_d = x_c_s.repeat_interleave(self.driving, 0)
        motion = networks.extractor(torch.cat((s.image, d.image)), torch.cat((x_c_s, x_c_d))).motion
        motion_s, motion_d = (HeadMotion(*(part[half] for part in motion)) for half in _halves(len(s.image)))
        return networks.place(x_c_s, motion_s), networks.place(x_c_d, motion_d)

    def loss(self, rng: Generator) -> Terms:
        s, d = self.draw(rng)
        placed_s, placed_d = self.place(s, d, rng)
        terms = self.weigh(placed_s, self.drop(placed_d, rng), s, d)[1]
        terms["anchor"] = 10.0 * (keypoint_l1(placed_s.x, s.x) + keypoint_l1(placed_d.x, d.x))
        return terms | {f"keypoints.{name}": 0.5 * term for name, term in self.keypoints.loss(rng).items()}


def _halves(first: int) -> tuple[slice, slice]:
    return slice(None, first), slice(first, None)


def _measured(batch: Batch, rng: Generator, noise: float = 0.003) -> Keypoints:
    """Keypoints straight from the landmarks, with `noise` (crop units, 0.4 px at 256) added to the deformation."""
    motion = batch.motion
    R = rotation_matrix(motion.yaw_deg, motion.pitch_deg, motion.roll_deg)
    jitter = torch.randn(motion.delta.shape, generator=rng).to(batch.x.device) * noise
    return Keypoints(batch.x + jitter, R, motion.t, motion.delta + jitter)


def _closer(change: Change, s: Batch, zoom: float, rng: Generator) -> Change:
    """Zoom in to the face: by `zoom` to two thirds of it (in steps of the factor), about somewhere in the face."""
    count = len(s.image)
    log_scale = math.log(zoom) * (0.65 + 0.35 * torch.rand(count, generator=rng)).to(change.shift.device)
    chosen = torch.randint(0, s.x.shape[1], (count,), generator=rng).to(change.shift.device)
    # between the middle of the face and one of its keypoints
    centre = 0.5 * (s.x.mean(1) + s.x[torch.arange(count), chosen])[:, :2]
    sign = torch.where(change.flip, -1.0, 1.0)
    zoomed = change._replace(log_scale=change.log_scale + log_scale)
    moved = place_points(
        torch.stack((centre[:, 0] * sign, centre[:, 1]), 1)[:, None], zoomed._replace(shift=change.shift * 0.0)
    )
    return zoomed._replace(shift=change.shift - moved[:, 0])
