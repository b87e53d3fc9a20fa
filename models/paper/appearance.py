"""F: appearance of the source image as a 3-D feature volume, once per source (FV2V fig. 12 a)."""

from typing import NamedTuple

from torch import Tensor, nn

from models.paper.blocks import ConvNorm, DownBlock, ResBlock
from models.paper.config import PaperConfig


class Volume(NamedTuple):
    """What the receiver holds of a source: f_s [B,C,D,h,w], or [B,C,h,w] where the warp is two-dimensional."""

    features: Tensor


class AppearanceExtractor(nn.Module):
    """s [B,3,S,S] in [0,1] -> `Volume`.

    7x7-Conv, a DownBlock2D for each halving, 1x1-Conv, reshape to (C, D), ResBlock3D: for 256 px 64, 128, 256, 512
    channels and a volume of 32 x 16 x 64 x 64.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        wide = config.widths[: config.blocks + 1]
        self.first = ConvNorm(2, 3, wide[-1], 7)
        # keyed by what they give, so that a model of 512 px finds the blocks of 256 px under their names
        self.down = nn.ModuleDict(
            {f"to{inner}": DownBlock(2, wide[inner + 1], wide[inner]) for inner in reversed(range(config.blocks))}
        )
        self.lift = nn.Conv2d(wide[0], config.flat_channels, 1)
        channels = config.flat_channels if config.warp_2d else config.volume_channels
        self.blocks = nn.Sequential(*(ResBlock(config.dimensions, channels) for _ in range(config.volume_blocks)))

    def forward(self, image: Tensor) -> Volume:
        x = self.first(image)
        for block in self.down.values():
            x = block(x)
        x = self.lift(x)
        if not self.config.warp_2d:
            x = x.unflatten(1, (self.config.volume_channels, self.config.depth))  # [B,C,D,h,w]
        return Volume(self.blocks(x))
