"""Adversarial losses: hinge GAN and feature matching (FV2V A.2, after pix2pixHD and SPADE).

All take what the discriminator says at each of its scales: patch scores and the features of its layers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor


class Judgement(NamedTuple):
    """What a patch discriminator says of pictures at one scale.

    scores [B,1,h,w], one a patch, above 0 for "real"; features: the maps [B,C,h',w'] of its hidden layers.
    """

    scores: Tensor
    features: tuple[Tensor, ...]


def hinge_discriminator(real: Sequence[Judgement], made: Sequence[Judgement]) -> Tensor:
    """What the discriminator minimises: mean max(0, 1 - D(real)) + mean max(0, 1 + D(made)), mean over its scales."""
    parts = [
        functional.relu(1.0 - r.scores.float()).mean() + functional.relu(1.0 + m.scores.float()).mean()
        for r, m in zip(real, made, strict=True)
    ]
    return torch.stack(parts).mean()


def hinge_generator(made: Sequence[Judgement]) -> Tensor:
    """What the generator minimises: -mean D(made), mean over scales; it may fall below 0."""
    return -torch.stack([judgement.scores.float().mean() for judgement in made]).mean()


def feature_matching(real: Sequence[Judgement], made: Sequence[Judgement]) -> Tensor:
    """Mean L1 between the discriminator's features of made and real pictures (pix2pixHD eq. 4).

    Mean over pixels and channels of a layer, then over layers, then over scales. No gradient flows to the real side.
    """
    scales = [
        torch.stack(
            [(a.float() - b.detach().float()).abs().mean() for a, b in zip(m.features, r.features, strict=True)]
        ).mean()
        for r, m in zip(real, made, strict=True)
    ]
    return torch.stack(scales).mean()
