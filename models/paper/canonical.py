"""L: canonical keypoints and their Jacobians, by heat in a volume (FV2V fig. 12 b)."""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.geometry import depth_planes, plane_grid
from models.paper.blocks import DownBlock, UpBlock, convolution
from models.paper.config import PaperConfig
from models.precision import full_precision


class Canonical(NamedTuple):
    """Keypoints x [B,K,3] in [-1,1] and Jacobians J [B,K,3,3]; J is None where the model has none."""

    x: Tensor
    J: Tensor | None


class CanonicalKeypoints(nn.Module):
    """Image [B,3,S,S] in [0,1] -> x_c [B,K,3]; `find` gives the Jacobians as well.

    A 2-D encoder, a 1x1 convolution into three dimensions and a 3-D decoder; a softmax over the heat of each keypoint
    gives its mean position, and the mean of its Jacobian map (FOMM). At the receiver only x_c is used: with J = R J_c
    the product J_s J_d^-1 of eq. 6 does not hold J_c.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        wide = config.canonical_widths
        self.down = nn.ModuleList(DownBlock(2, a, b) for a, b in zip((3, *wide[:-1]), wide, strict=True))
        self.lift = nn.Conv2d(wide[-1], wide[-1] * config.depth, 1)
        narrowing = (*reversed(wide), wide[0] // 2)
        self.up = nn.ModuleList(UpBlock(3, a, b) for a, b in zip(narrowing[:-1], narrowing[1:], strict=True))
        self.heat = convolution(3, narrowing[-1], config.keypoints)
        self.jacobian: nn.Module | None = None
        if config.jacobians:
            self.jacobian = _identity_jacobians(narrowing[-1], config.keypoints)
        self.places: Tensor
        self.register_buffer("places", _places(config.depth, config.canonical_size), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.find(image).x

    def find(self, image: Tensor) -> Canonical:
        """Keypoints and Jacobians of pictures [B,3,S,S]."""
        config = self.config
        if image.shape[-1] != config.canonical_size:
            image = functional.interpolate(image, (config.canonical_size,) * 2, mode="area")
        x = image
        for down in self.down:
            x = down(x)
        x = self.lift(x).unflatten(1, (-1, config.depth))  # [B,1024,D,2,2]
        for up in self.up:
            x = up(x)
        share = (self.heat(x).float().flatten(2) / config.temperature).softmax(2)  # [B,K,D*h*w]
        maps = None if self.jacobian is None else self.jacobian(x).reshape(len(x), config.keypoints, 9, -1)
        return _means(share, self.places, maps)


@full_precision
def _means(share: Tensor, places: Tensor, maps: Tensor | None) -> Canonical:
    """Means over the heat's shares [B,K,N]: of the places [N,3], and of the Jacobian maps [B,K,9,N]."""
    x = share @ places  # [B,K,3]
    if maps is None:
        return Canonical(x, None)
    return Canonical(x, torch.einsum("bkjn,bkn->bkj", maps, share).reshape(*x.shape[:2], 3, 3))


def _identity_jacobians(channels: int, keypoints: int) -> nn.Module:
    """Jacobian maps that begin as the identity everywhere (FOMM)."""
    layer = convolution(3, channels, 9 * keypoints)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    layer.bias.data = torch.eye(3).flatten().repeat(keypoints)
    return layer


def _places(depth: int, side: int) -> Tensor:
    """Positions (x, y, z) [D*h*w,3] of the cells of the heat volume."""
    plane = plane_grid(side, side).reshape(1, -1, 2).expand(depth, -1, -1)
    z = depth_planes(depth)[:, None, None].expand(-1, side * side, 1)
    return torch.cat((plane, z), 2).reshape(-1, 3)
