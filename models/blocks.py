"""Layers shared by the networks.

The picture networks (F, M, G) know only `pixel_norm`, so a batch of one gives what a batch of many gives; residual
branches start near zero. Only the trunk of H, Δ and L has batch norm, which
`torch` folds into its convolutions at inference.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

SLOPE = 0.1


def activate(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)


def pixel_norm(x: Tensor) -> Tensor:
    """Features [B,C,...] over their root mean square across channels, at each place by itself (Karras et al. 2018).

    It looks at no neighbour, so a window of a picture gives what the whole picture gives there.
    """
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


def conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """2-D convolution, same padding, He initialisation times `gain`."""
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    layer.weight.data.mul_(gain)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))) at one width; [B,C,H,W] -> [B,C,H,W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv(channels, channels)
        self.conv2 = conv(channels, channels, gain=0.1)

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """`scale`, `shift` [B,C,1,1] modulate the branch between its convolutions (an expression, in G)."""
        y = self.conv1(activate(x))
        if scale is not None and shift is not None:
            y = y * (1.0 + scale) + shift
        out: Tensor = x + self.conv2(activate(y))
        return out


class Residual3d(nn.Module):
    """The same in three dimensions; [B,C,D,H,W] -> [B,C,D,H,W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight, SLOPE)
        nn.init.kaiming_normal_(self.conv2.weight, SLOPE)
        self.conv2.weight.data.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(activate(self.conv1(activate(x))))
        return out


class NormResidual(nn.Module):
    """Basic residual block with batch norm (He et al. 2016), for the trunk; optional stride 2."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        nn.init.zeros_(self.norm2.weight)
        same = stride == 1 and in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.skip(x) + self.norm2(self.conv2(y)))


class FaceTrunk(nn.Module):
    """Plain residual trunk of H, Δ and L: image [B,3,S,S] in [0,1] -> features [B,F].

    The picture is first reduced to `size`; the last map keeps its 1/16 grid and is flattened, not averaged: where a
    lid or a lip lies is position, and an average would lose it.
    """

    def __init__(self, size: int, widths: Sequence[int], blocks: Sequence[int], features: int) -> None:
        super().__init__()
        self.size = size
        stages: list[nn.Module] = [nn.Conv2d(3, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for narrow, wide, count in zip(widths[:-1], widths[1:], blocks, strict=True):
            stages += [NormResidual(narrow, wide, 2), *(NormResidual(wide, wide) for _ in range(count - 1))]
        self.stages = nn.Sequential(*stages)
        reduced = max(8, widths[-1] // 4)
        self.reduce = nn.Conv2d(widths[-1], reduced, 1)
        self.project = nn.Linear(reduced * (size // 16) ** 2, features)

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] != self.size:
            image = functional.interpolate(image, (self.size, self.size), mode="area")
        x = self.stages(image * 2.0 - 1.0)
        return functional.relu(self.project(functional.relu(self.reduce(x)).flatten(1)))
