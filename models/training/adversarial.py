"""The adversarial stage, after `joint`: F, M, G learn the fine texture that L1 averages away (FV2V A.2).

In one step D judges the drawn pictures (G's terms, D held still) and is taught by them (D's term, pictures cut off
from G). The two sets of gradients never mix, so one backward pass and one optimiser step do both.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from models.generator import Picture
from models.networks import Keypoints, Networks
from models.training.data import Batch, Store
from models.training.discriminator import Discriminator
from models.training.gan import feature_matching, hinge_discriminator, hinge_generator
from models.training.losses import face_mask
from models.training.perceptual import PerceptualLoss
from models.training.stages import JointStage, KeypointStage, PictureStage, Terms


@dataclass(frozen=True)
class AdversarialWeights:
    """Weights beside the picture terms, which count 1.

    Chosen by what reaches the picture: on a val frame the perceptual pyramid's gradient is 600 times that of the L1
    pyramid, so 0.05 lets it weigh as much as `joint` lets LPIPS weigh. GAN and feature matching are 1 : 10 as in
    pix2pixHD, low at first, for the picture is good when this stage begins and D is not.
    """

    gan: float = 0.1
    feature_matching: float = 1.0
    perceptual: float = 0.05


class AdversarialStage(JointStage):
    """F, M, G against a discriminator, on the networks' own keypoints; with `everything` L, H and Δ learn on, too."""

    name = "adversarial"
    rate = 2e-4
    betas = (0.5, 0.999)

    def __init__(
        self,
        networks: Networks,
        store: Store,
        size: int,
        keypoints: KeypointStage,
        discriminator: Discriminator,
        sources: int = 3,
        driving: int = 4,
        perceptual: PerceptualLoss | None = None,
        window: int | None = None,
        weights: AdversarialWeights | None = None,
        everything: bool = False,
    ) -> None:
        self.discriminator = discriminator.to(store.device)
        self.pyramid = perceptual
        self.weights = weights or AdversarialWeights()
        self.everything = everything
        super().__init__(networks, store, size, keypoints, sources, driving, window=window)

    def build(self) -> nn.ModuleDict:
        drawn = super().build() if self.everything else PictureStage.build(self)
        return nn.ModuleDict({**dict(drawn.named_children()), "discriminator": self.discriminator})

    def rates(self) -> dict[str, float]:
        return super().rates() if self.everything else {}

    def train(self) -> None:
        super().train()
        if not self.everything:
            self.keypoints.module.eval()

    def clip(self, largest: float) -> Tensor:
        """Clip the gradients of D and of all others each by themselves: neither may drown the other."""
        own = [p for name, part in self.module.items() if name != "discriminator" for p in part.parameters()]
        rival = torch.nn.utils.clip_grad_norm_(self.discriminator.parameters(), largest)
        return rival + torch.nn.utils.clip_grad_norm_(own, largest)

    def place(self, s: Batch, d: Batch, rng: Generator) -> tuple[Keypoints, Keypoints]:
        with torch.set_grad_enabled(self.everything and torch.is_grad_enabled()):
            return super().place(s, d, rng)

    def loss(self, rng: Generator) -> Terms:
        if self.everything:
            return super().loss(rng)
        return PictureStage.loss(self, rng)

    def compare(self, picture: Picture, d: Batch) -> Terms:
        terms = super().compare(picture, d)
        weights, made_image = self.weights, picture.image
        if d.bent is not None:  # what keypoints cannot say is not judged: there the real picture stands
            still = torch.maximum(face_mask(d.x, d.image.shape[-1]), (~d.bent).float()[:, None, None, None])
            made_image = torch.lerp(d.image, made_image, still)
        if self.pyramid is not None:
            terms["perceptual"] = weights.perceptual * self.pyramid(made_image, d.image)
        real, made = self.discriminator.judge_frozen(made_image, d.image)
        terms["gan"] = weights.gan * hinge_generator(made)
        terms["features"] = weights.feature_matching * feature_matching(real, made)
        terms["discriminator"] = hinge_discriminator(
            self.discriminator(d.image), self.discriminator(made_image.detach())
        )
        return terms
