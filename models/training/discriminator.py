"""D: patch discriminator with spectral norm (FV2V A.2 and A.3, after pix2pixHD and SPADE). Only training has it."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from models.training.gan import Judgement

SLOPE = 0.2
TWO_SCALES_FROM_PX = 512


class PatchDiscriminator(nn.Module):
    """Pictures [B,3,S,S] in [0,1] -> scores of overlapping patches and every hidden layer's features.

    Kernels of 4, stride 2 but for the last hidden layer; widths double from `width` up to `widest`. At four layers a
    patch is 70 px wide.
    """

    def __init__(self, width: int = 64, layers: int = 4, widest: int = 512) -> None:
        super().__init__()
        widths = [min(widest, width * 2**number) for number in range(layers)]
        strides = [2] * (layers - 1) + [1]
        self.hidden = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, stride, 1))
            for before, after, stride in zip([3, *widths[:-1]], widths, strides, strict=True)
        )
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, image: Tensor) -> Judgement:
        with parametrize.cached():
            # the norm is found in fp32: its power iteration must not lose digits under autocast
            with torch.autocast(image.device.type, enabled=False):
                for layer in (*self.hidden, self.score):
                    _ = layer.weight
            x = image * 2.0 - 1.0
            features = []
            for layer in self.hidden:
                x = functional.leaky_relu(layer(x), SLOPE)
                features.append(x)
            return Judgement(self.score(x), tuple(features))


class Discriminator(nn.Module):
    """One `PatchDiscriminator` a scale; each looks at the picture at half the size of the one before."""

    def __init__(self, scales: int = 1, width: int = 64, layers: int = 4, widest: int = 512) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(width, layers, widest) for _ in range(scales))

    def forward(self, image: Tensor) -> list[Judgement]:
        """What each scale says of pictures [B,3,S,S] in [0,1], the largest first."""
        judgements = []
        for number, scale in enumerate(self.scales):
            if number:
                image = functional.avg_pool2d(image, 3, 2, 1, count_include_pad=False)
            judgements.append(scale(image))
        return judgements

    def judge_frozen(self, image: Tensor, target: Tensor) -> tuple[list[Judgement], list[Judgement]]:
        """What is said of real and of made pictures, with a gradient to the made ones only: D itself learns nothing."""
        self.requires_grad_(False)
        try:
            with torch.no_grad():
                real = self(target)
            return real, self(image)
        finally:
            self.requires_grad_(True)


def discriminator_for(size: int, width: int = 64) -> Discriminator:
    """The paper's choice: one scale for pictures of 256 px, two at 512 (A.2); small pictures get fewer layers."""
    layers = 4 if size >= 128 else 3
    return Discriminator(2 if size >= TWO_SCALES_FROM_PX else 1, width, layers, 8 * width)
