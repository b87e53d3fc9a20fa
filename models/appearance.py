"""F: appearance of the source image, once per source (FV2V fig. 12, `compact` sizes)."""

from typing import NamedTuple

from torch import Tensor, nn

from models.blocks import Residual, Residual3d, activate, conv, pixel_norm
from models.config import ModelConfig


class Appearance(NamedTuple):
    """What the receiver holds of a source image s [B,3,S,S].

    volume f_s [B,C,D,S/8,S/8]; half [B,c,S/2,S/2] and quarter [B,c,S/4,S/4] for detail; summary [B,4,S/8,S/8] for M.
    """

    image: Tensor
    volume: Tensor
    half: Tensor
    quarter: Tensor
    summary: Tensor


class AppearanceExtractor(nn.Module):
    """s [B,3,S,S] in [0,1] -> `Appearance`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        full, half, quarter, eighth = config.appearance_widths
        self.volume_shape = (config.volume_channels, config.depth)
        self.stem = conv(3, full, 5)
        self.down_half = conv(full, half, stride=2)
        self.down_quarter = conv(half, quarter, stride=2)
        self.down_eighth = conv(quarter, eighth, stride=2)
        self.blocks = nn.Sequential(*(Residual(eighth) for _ in range(config.appearance_blocks)))
        self.lift = conv(eighth, config.volume_channels * config.depth, 1)
        self.volume_blocks = nn.Sequential(*(Residual3d(config.volume_channels) for _ in range(config.volume_blocks)))
        self.half_out = conv(half, config.skip_half, 1)
        self.quarter_out = conv(quarter, config.skip_quarter, 1)
        self.summary_out = conv(eighth, config.summary_channels, 1)

    def forward(self, image: Tensor) -> Appearance:
        half = self.down_half(activate(self.stem(image * 2.0 - 1.0)))  # [B,64,S/2,S/2]
        quarter = self.down_quarter(activate(half))
        eighth = self.blocks(self.down_eighth(activate(quarter)))
        volume = self.lift(activate(eighth)).unflatten(1, self.volume_shape)  # [B,C,D,S/8,S/8]
        return Appearance(
            image,
            pixel_norm(self.volume_blocks(volume)),
            pixel_norm(self.half_out(activate(half))),
            pixel_norm(self.quarter_out(activate(quarter))),
            self.summary_out(activate(eighth)),
        )
