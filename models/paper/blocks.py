"""Building blocks of FV2V fig. 13, in two and three dimensions.

In three dimensions only height and width are halved and doubled: the depth of the volume stays. Convolutions keep a
bias before batch norm, as in the public checkpoints, so that these can be read one to one.
"""

import torch.nn.functional as functional
from torch import Tensor, nn


def convolution(dimensions: int, in_channels: int, out_channels: int, kernel: int = 3) -> nn.Conv2d | nn.Conv3d:
    """Convolution of 2-D or 3-D maps that keeps their size."""
    kind = nn.Conv2d if dimensions == 2 else nn.Conv3d
    return kind(in_channels, out_channels, kernel, padding=kernel // 2)


def norm(dimensions: int, channels: int) -> nn.BatchNorm2d | nn.BatchNorm3d:
    """Batch norm over maps; synchronised over processes by the training."""
    return nn.BatchNorm2d(channels) if dimensions == 2 else nn.BatchNorm3d(channels)


class ConvNorm(nn.Module):
    """Convolution, batch norm, ReLU at one size."""

    def __init__(self, dimensions: int, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = convolution(dimensions, in_channels, out_channels, kernel)
        self.norm = norm(dimensions, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(x)))


class DownBlock(ConvNorm):
    """Fig. 13 (a): 3x3 convolution, batch norm, ReLU, 2x2 mean. [B,C,(D,)H,W] -> [B,C',(D,)H/2,W/2]."""

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return functional.avg_pool2d(x, 2) if x.dim() == 4 else functional.avg_pool3d(x, (1, 2, 2))


class UpBlock(ConvNorm):
    """Fig. 13 (b): nearest doubling, 3x3 convolution, batch norm, ReLU. [B,C,(D,)H,W] -> [B,C',(D,)2H,2W]."""

    def forward(self, x: Tensor) -> Tensor:
        scale = (2.0, 2.0) if x.dim() == 4 else (1.0, 2.0, 2.0)
        return super().forward(functional.interpolate(x, scale_factor=scale, mode="nearest"))


class ResBlock(nn.Module):
    """Fig. 13 (c): x + conv(relu(norm(conv(relu(norm(x)))))) at one width."""

    def __init__(self, dimensions: int, channels: int) -> None:
        super().__init__()
        self.norm1 = norm(dimensions, channels)
        self.conv1 = convolution(dimensions, channels, channels)
        self.norm2 = norm(dimensions, channels)
        self.conv2 = convolution(dimensions, channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(functional.relu(self.norm1(x)))
        out: Tensor = x + self.conv2(functional.relu(self.norm2(y)))
        return out


class ResBottleneck(nn.Module):
    """Fig. 13 (d): 1x1 to a quarter of the width, 3x3 with stride, 1x1 back, and a skip (projected if strided)."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        narrow = channels // 4
        self.conv1, self.norm1 = nn.Conv2d(channels, narrow, 1), nn.BatchNorm2d(narrow)
        self.conv2, self.norm2 = nn.Conv2d(narrow, narrow, 3, stride, 1), nn.BatchNorm2d(narrow)
        self.conv3, self.norm3 = nn.Conv2d(narrow, channels, 1), nn.BatchNorm2d(channels)
        self.skip: nn.Module = nn.Identity()
        if stride > 1:
            self.skip = nn.Sequential(nn.Conv2d(channels, channels, 1, stride), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        y = functional.relu(self.norm2(self.conv2(y)))
        return functional.relu(self.skip(x) + self.norm3(self.conv3(y)))
