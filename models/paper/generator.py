"""G: the picture from warped features (FV2V fig. 12 e)."""

from typing import NamedTuple

from torch import Tensor, nn

from models.paper.appearance import Volume
from models.paper.blocks import ConvNorm, ResBlock, UpBlock, convolution
from models.paper.config import PaperConfig
from models.paper.motion_field import VolumeField, warp_features
from models.paper.spade import SpadeDecoder


class Drawing(NamedTuple):
    """image y [B,3,S,S] in [0,1] and the field it was drawn by."""

    image: Tensor
    field: VolumeField


class Generator(nn.Module):
    """Source volume and the field of M -> `Drawing`.

    The warped volume is laid flat (C*D channels), reduced to 256 channels and multiplied with the occlusion mask; six
    ResBlock2D, an UpBlock2D for each doubling and a 7x7-Conv follow, or the SPADE decoder of the public checkpoints.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.flatten = ConvNorm(2, config.flat_channels, config.widths[0])
        self.reduce = nn.Conv2d(config.widths[0], config.widths[0], 1)
        self.decoder: nn.Module = SpadeDecoder(config) if config.spade else ResidualDecoder(config)

    def forward(self, source: Volume, field: VolumeField) -> Drawing:
        warped = warp_features(source.features, field.flow)
        flat = warped if warped.dim() == 4 else warped.flatten(1, 2)  # [B,C*D,h,w]
        x = self.reduce(self.flatten(flat)) * field.occlusion
        return Drawing(self.decoder(x).float().sigmoid(), field)


class ResidualDecoder(nn.Module):
    """The paper's: [B,256,h,w] -> [B,3,S,S] before the sigmoid; 128 and 64 channels on the way at 256 px."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        wide = config.widths[: config.blocks + 1]
        self.blocks = nn.Sequential(*(ResBlock(2, wide[0]) for _ in range(config.generator_blocks)))
        self.up = nn.ModuleDict(
            {f"from{inner}": UpBlock(2, wide[inner], wide[inner + 1]) for inner in range(config.blocks)}
        )
        self.final = convolution(2, wide[-1], 3, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)
        for block in self.up.values():
            x = block(x)
        out: Tensor = self.final(x)
        return out
