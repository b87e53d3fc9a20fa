"""The one stage of `paper`: all networks end to end on pairs of frames, with the losses of FV2V eq. 5 and no landmarks.

Keypoints are found without being told: the picture, equivariance and priors teach them. The head pose alone has a
teacher, which is the pose of the prepared landmarks in place of a pose network. What the paper leaves open and how it
is settled here is said at `PaperOptions`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Generator, Tensor, nn

from models.geometry import HeadMotion, compose_jacobians
from models.interface import Keypoints
from models.paper.generator import Drawing
from models.paper.networks import MotionExtractor, PaperNetworks
from models.training.camera_faults import without_face
from models.training.data import Batch, Store, augment, draw_change
from models.training.discriminator import Discriminator
from models.training.equivariance import PlaneWarp, draw_warp, equivariance_l1, jacobian_equivariance_l1
from models.training.gan import feature_matching, hinge_discriminator, hinge_generator
from models.training.losses import deformation_l1, pyramid_l1
from models.training.perceptual import PerceptualLoss
from models.training.priors import TermWeights, head_pose_l1, keypoint_prior
from models.training.spectral import constrain, normed
from models.training.stages import Stage, Terms


@dataclass(frozen=True)
class PaperOptions:
    """What may be turned on or off about the losses of eq. 5.

    pixels weighs a multi-scale L1 of the pictures (not in the paper; what is left without perceptual weights).
    landmarks > 0 is a head start: the first keypoints are told the landmarks' x and y, in place of the prior L_L, which
    would push eyes apart that lie close. L_Delta is a mean here; with the paper's sum it would be 60 times heavier.
    """

    weights: TermWeights = field(default_factory=TermWeights)
    pixels: float = 0.0
    landmarks: float = 0.0
    face: float = 1.0  # of the face score, which the paper does not have
    spectral: bool = True  # on F, M, G (A.3)


class Placed(NamedTuple):
    """Keypoints of source, driving frame and its warped copy; J_c; the driving frame's motion; logits of a face."""

    s: Keypoints
    d: Keypoints
    warped: Keypoints
    J_c: Tensor | None
    motion: HeadMotion
    face: Tensor | None


class PaperStage(Stage):
    """L, H, Δ, F, M, G and the discriminator, from one pair of frames of a person a sample."""

    networks: PaperNetworks
    name = "paper"
    rate = 2e-4
    betas = (0.5, 0.999)

    def __init__(
        self,
        networks: PaperNetworks,
        store: Store,
        size: int,
        pairs: int,
        discriminator: Discriminator,
        perceptual: PerceptualLoss | None = None,
        options: PaperOptions | None = None,
    ) -> None:
        self.pairs, self.perceptual = pairs, perceptual
        self.options = options or PaperOptions()
        self.discriminator = discriminator.to(store.device)
        super().__init__(networks, store, size)

    def build(self) -> nn.ModuleDict:
        networks = self.networks
        drawing = {name: getattr(networks, name) for name in ("appearance", "motion_field", "generator")}
        if self.options.spectral:
            for module in drawing.values():
                constrain(module)
        finding = {"canonical": networks.canonical}
        if not networks.config.direct:
            finding["extractor"] = networks.extractor
        return nn.ModuleDict({**drawing, **finding, "discriminator": self.discriminator})

    def clip(self, largest: float) -> Tensor:
        """Clip each network's gradients by themselves: none may drown another.

        The head pose alone gives H and Δ gradients a hundred times as long as G's, and of another length each step;
        clipped together, it would be the head pose's error that says how far F, M and G go in a step.
        """
        norms = [torch.nn.utils.clip_grad_norm_(part.parameters(), largest) for part in self.module.values()]
        return torch.stack(norms).sum()

    def loss(self, rng: Generator) -> Terms:
        s, d = self.draw(rng)
        warp = draw_warp(len(d.image), rng, device=d.image.device)
        strange = None
        if not self.networks.config.direct and self.options.face:
            strange = without_face(self.store, max(1, self.pairs // 4), self.size, rng)
        placed = self.place(s, d, warp, strange)
        picture = self.render(s, placed)
        return self.weigh_keypoints(placed, d, warp) | self.weigh_picture(picture.image, d.image)

    def example(self, rng: Generator) -> tuple[Batch, Batch, Drawing]:
        """A batch and what is drawn of it, to look at."""
        s, d = self.draw(rng)
        same = PlaneWarp(torch.eye(2, 3, device=d.image.device)[None], d.image.new_zeros(1, 2, 25))
        return s, d, self.render(s, self.place(s, d, same, None))

    def draw(self, rng: Generator) -> tuple[Batch, Batch]:
        """Two frames of each of `pairs` clips, changed alike."""
        clips = self.store.draw_clips(self.pairs, rng)
        change = draw_change(
            self.pairs, rng, roll_deg=8.0, log_scale=0.08, shift=0.06, colour=0.08, device=self.store.device
        )
        s, d = (
            augment(self.store.batch(clips, self.store.draw_frames(clips, rng)), change, self.size) for _ in range(2)
        )
        return s, d

    def place(self, s: Batch, d: Batch, warp: PlaneWarp, strange: Tensor | None) -> Placed:
        """L on the source, H and Δ on all (eq. 1 to 4); for the direct ablation L on all."""
        networks, count = self.networks, len(s.image)
        bent = warp.image(d.image)
        if networks.config.direct:
            found = networks.canonical.find(torch.cat((s.image, d.image, bent)))
            x_s, x_d, x_warped = (_unposed(found.x[third]) for third in _thirds(count))
            zero = d.image.new_zeros(count)
            return Placed(x_s, x_d, x_warped, None, HeadMotion(zero, zero, zero, x_d.t, x_d.delta), None)
        canonical = networks.canonical.find(s.image)
        extractor: MotionExtractor = networks.extractor
        images = [s.image, d.image, bent, *([] if strange is None else [strange])]
        features = extractor.trunk(torch.cat(images))
        motion = extractor.read(features[: 3 * count])
        thirds = [HeadMotion(*(part[third] for part in motion)) for third in _thirds(count)]
        x_s, x_d, x_warped = (networks.place(canonical.x, third) for third in thirds)
        face = None if strange is None else extractor.face(features)[:, 0].float()
        return Placed(x_s, x_d, x_warped, canonical.J, thirds[1], face)

    def render(self, s: Batch, placed: Placed) -> Drawing:
        """F, M, G: the driving frame drawn from the source."""
        drawing = nn.ModuleList([self.module[name] for name in ("appearance", "motion_field", "generator")])
        with normed(drawing):
            return self.networks.draw(self.networks.appearance(s.image), placed.s, placed.d, placed.J_c)

    def weigh_keypoints(self, placed: Placed, d: Batch, warp: PlaneWarp) -> Terms:
        """L_E, L_L, L_H, L_Delta of eq. 5."""
        options, weights = self.options, self.options.weights
        terms = {"equivariance": weights.equivariance * equivariance_l1(placed.d.x, placed.warped.x, warp)}
        if placed.J_c is not None:
            J_d, J_warped = (compose_jacobians(placed.J_c, points.R) for points in (placed.d, placed.warped))
            terms["jacobian"] = weights.equivariance * jacobian_equivariance_l1(J_d, J_warped, placed.warped.x, warp)
        if options.landmarks:
            count = min(placed.d.x.shape[1], d.x.shape[1])
            error = (placed.d.x[:, :count, :2] - d.x[:, :count, :2]).abs().mean()
            terms["landmarks"] = options.landmarks * error
        else:
            terms["keypoints"] = weights.keypoint_prior * keypoint_prior(placed.d.x)
        if not self.networks.config.direct:
            terms["pose"] = weights.head_pose * head_pose_l1(placed.motion[:3], d.motion[:3])
            terms["deformation"] = weights.deformation * deformation_l1(placed.motion.delta)
        if placed.face is not None:
            label = (torch.arange(len(placed.face), device=placed.face.device) < 3 * len(d.image)).float()
            terms["face"] = options.face * functional.binary_cross_entropy_with_logits(placed.face, label)
        return terms

    def weigh_picture(self, image: Tensor, target: Tensor) -> Terms:
        """L_P, L_G with feature matching, and what the discriminator itself minimises."""
        options, weights = self.options, self.options.weights
        terms = {}
        if self.perceptual is not None:
            terms["perceptual"] = weights.perceptual * self.perceptual(image, target)
        if options.pixels:
            terms["pixels"] = options.pixels * pyramid_l1(image, target, torch.ones_like(image[:, :1]))
        real, made = self.discriminator.judge_frozen(image, target)
        terms["gan"] = weights.gan * hinge_generator(made)
        terms["features"] = weights.feature_matching * feature_matching(real, made)
        terms["discriminator"] = hinge_discriminator(self.discriminator(target), self.discriminator(image.detach()))
        return terms


def _unposed(x: Tensor) -> Keypoints:
    """Keypoints that L found in a frame, under no pose at all."""
    R = torch.eye(3, device=x.device).expand(len(x), 3, 3)
    return Keypoints(x, R, x.new_zeros(len(x), 3), torch.zeros_like(x))


def _thirds(count: int) -> tuple[slice, slice, slice]:
    """Sources, driving frames, warped driving frames in one batch."""
    return slice(0, count), slice(count, 2 * count), slice(2 * count, 3 * count)
