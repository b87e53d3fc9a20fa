"""The decoder of the public checkpoints: residual blocks whose norms are steered by the warped features (SPADE).

Park et al. 2019, "Semantic Image Synthesis with Spatially-Adaptive Normalization"; sizes as in the unofficial
face-vid2vid and in LivePortrait (the paper itself has plain residual blocks).
"""

import torch.nn.functional as functional
from torch import Tensor, nn

from models.paper.config import PaperConfig

SLOPE = 0.2  # of the public checkpoints


def activate(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)


class Spade(nn.Module):
    """Instance norm without parameters, then scale and shift read off the guide [B,G,h,w] at every place."""

    def __init__(self, channels: int, guide: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(guide, hidden, 3, padding=1)
        self.gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        guide = functional.interpolate(guide, x.shape[-2:], mode="nearest")
        hidden = functional.relu(self.shared(guide))
        out: Tensor = functional.instance_norm(x) * (1.0 + self.gamma(hidden)) + self.beta(hidden)
        return out


class SpadeBlock(nn.Module):
    """Residual block with SPADE before every convolution; the skip is projected where the width changes."""

    def __init__(self, in_channels: int, out_channels: int, guide: int, hidden: int) -> None:
        super().__init__()
        middle = min(in_channels, out_channels)
        self.norm_0, self.conv_0 = Spade(in_channels, guide, hidden), nn.Conv2d(in_channels, middle, 3, padding=1)
        self.norm_1, self.conv_1 = Spade(middle, guide, hidden), nn.Conv2d(middle, out_channels, 3, padding=1)
        self.projected = in_channels != out_channels
        if self.projected:
            self.norm_s = Spade(in_channels, guide, hidden)
            self.conv_s = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        skip = self.conv_s(self.norm_s(x, guide)) if self.projected else x
        y = self.conv_0(activate(self.norm_0(x, guide)))
        out: Tensor = skip + self.conv_1(activate(self.norm_1(y, guide)))
        return out


class SpadeDecoder(nn.Module):
    """[B,256,h,w] -> [B,3,S,S] before the sigmoid: six blocks of 512, then one a doubling (256 and 64 at 256 px)."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        guide, wide, hidden = config.widths[0], config.spade_width, config.spade_hidden
        self.enter = nn.Conv2d(guide, wide, 3, padding=1)
        self.middle = nn.ModuleList(SpadeBlock(wide, wide, guide, hidden) for _ in range(config.generator_blocks))
        steps = (wide, *(wide // 2**step for step in range(1, config.blocks)), config.widths[config.blocks])
        self.up = nn.ModuleList(SpadeBlock(a, b, guide, hidden) for a, b in zip(steps[:-1], steps[1:], strict=True))
        self.final = nn.Conv2d(steps[-1], 3, 3, padding=1)

    def forward(self, guide: Tensor) -> Tensor:
        x = self.enter(guide)
        for block in self.middle:
            x = block(x, guide)
        for block in self.up:
            x = block(functional.interpolate(x, scale_factor=2.0, mode="nearest"), guide)
        out: Tensor = self.final(activate(x))
        return out
