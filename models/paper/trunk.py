"""The ResNet-50-like trunk that H and Δ share (FV2V fig. 12 c, after Ruiz et al. 2018)."""

import torch.nn.functional as functional
from torch import Tensor, nn

from models.paper.blocks import ConvNorm, ResBottleneck
from models.paper.config import PaperConfig


class PoseTrunk(nn.Module):
    """Image [B,3,S,S] in [0,1] -> features [B,2048]: bottleneck blocks, then the mean over the last map."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.size = config.trunk_size
        wide, counts = config.trunk_widths, config.trunk_blocks
        self.stem = nn.Conv2d(3, config.trunk_stem, 7, 2, 3)
        self.stem_norm = nn.BatchNorm2d(config.trunk_stem)
        stages: list[nn.Module] = []
        for number, (before, after) in enumerate(zip((config.trunk_stem, *wide[:-1]), wide, strict=True)):
            # a 1x1 convolution widens; the first block of every stage but the first halves
            stages.append(ConvNorm(2, before, after, 1))
            stages += [ResBottleneck(after, 2)] if number else []
            stages += [ResBottleneck(after) for _ in range(counts[number])]
        self.stages = nn.Sequential(*stages)

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] != self.size:
            image = functional.interpolate(image, (self.size, self.size), mode="area")
        x = functional.relu(self.stem_norm(self.stem(image)))
        x = functional.max_pool2d(x, 3, 2, 1)
        features: Tensor = self.stages(x).mean((2, 3))
        return features
