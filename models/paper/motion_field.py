"""M: from keypoints to one flow field by a 3-D U-Net over the source as every keypoint moves it (FV2V fig. 12 d)."""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.geometry import depth_planes, keypoint_flows, plane_grid
from models.paper.blocks import ConvNorm, DownBlock, UpBlock, convolution
from models.paper.config import PaperConfig
from models.warp import warp_plane, warp_volume


class VolumeField(NamedTuple):
    """mask m [B,K+1,D,h,w] (sums to 1 over k; k = 0 is the background), flow w [B,D,h,w,3], occlusion o [B,1,h,w].

    In two dimensions D is missing and the flow is [B,h,w,2].
    """

    mask: Tensor
    flow: Tensor
    occlusion: Tensor


class MotionField(nn.Module):
    """f_s [B,C,D,h,w], x_s, x_d [B,K,3], A = J_s J_d^-1 [B,3,3] or [B,K,3,3] -> `VolumeField`.

    The U-Net sees, for the background and every keypoint, f_s in four channels warped by its flow (eq. 6) and how its
    heat differs between driving and source: (K+1)(4+1) channels, 105 for K = 20.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        n, count, wide = config.dimensions, config.keypoints, config.motion_widths
        channels = config.flat_channels if config.warp_2d else config.volume_channels
        inputs = (count + 1) * (config.summary_channels + 1)
        self.compress = ConvNorm(n, channels, config.summary_channels, 1)
        self.down = nn.ModuleList(DownBlock(n, a, b) for a, b in zip((inputs, *wide[1:-1]), wide[1:], strict=True))
        # every up block but the first also takes what the encoder had at its size
        taken = (wide[-1], *(2 * width for width in reversed(wide[1:-1])))
        self.up = nn.ModuleList(UpBlock(n, a, b) for a, b in zip(taken, reversed(wide[:-1]), strict=True))
        self.join = ConvNorm(n, wide[0] + inputs, wide[0] + inputs)
        self.mask = convolution(n, wide[0] + inputs, count + 1, config.mask_kernel)
        planes = 1 if config.warp_2d else config.depth
        self.occlusion = convolution(2, (wide[0] + inputs) * planes, 1, config.mask_kernel)
        self.places: Tensor
        self.register_buffer("places", _places(config), persistent=False)

    def forward(self, features: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor) -> VolumeField:
        n, shape = self.config.dimensions, features.shape[2:]  # (D,) h, w
        x_s, x_d, A = x_s.float()[..., :n], x_d.float()[..., :n], A.float()[..., :n, :n]
        flows = keypoint_flows(self.places, x_s, x_d, A)  # [B,K+1,N,n]
        heat = self._heat(x_d) - self._heat(x_s)
        heat = functional.pad(heat, (0, 0, 1, 0)).reshape(*heat.shape[:1], -1, 1, *shape)  # the background has none
        warped = self._warped(self.compress(features), flows.reshape(*flows.shape[:2], *shape, n))
        x = self._unet(torch.cat((heat.to(warped.dtype), warped), 2).flatten(1, 2))
        mask = self.mask(x).float().softmax(1)
        flow = (mask.flatten(2)[..., None] * flows).sum(1).reshape(-1, *shape, n)
        flat = x if n == 2 else x.flatten(1, 2)  # [B,C*D,h,w]
        return VolumeField(mask, flow, self.occlusion(flat).float().sigmoid())

    def _heat(self, x: Tensor) -> Tensor:
        """exp(-d^2 / 2 sigma^2) of the distance from each keypoint [B,K,n]: [B,K,N]."""
        square = torch.stack([(self.places[:, i] - x[..., i, None]).square() for i in range(x.shape[-1])]).sum(0)
        return torch.exp(-square / (2.0 * self.config.heatmap_sigma**2))

    def _warped(self, summary: Tensor, flows: Tensor) -> Tensor:
        """The summary [B,c,...] as each of the K+1 flows [B,K+1,...,n] would have it: [B,K+1,c,...]."""
        count = flows.shape[1]
        warped = warp_features(summary.repeat_interleave(count, 0), flows.flatten(0, 1))
        return warped.reshape(-1, count, *summary.shape[1:])

    def _unet(self, x: Tensor) -> Tensor:
        steps = [x]
        for down in self.down:
            steps.append(down(steps[-1]))
        x = steps.pop()
        for up in self.up:
            x = torch.cat((up(x), steps.pop()), 1)
        joined: Tensor = self.join(x)
        return joined


def warp_features(features: Tensor, flow: Tensor) -> Tensor:
    """Sample features by a flow of positions: a volume [B,C,D,h,w] at [B,D,h,w,3], a plane [B,C,h,w] at [B,h,w,2]."""
    if features.dim() == 5:
        return warp_volume(features, flow)
    return warp_plane(features, flow.permute(0, 3, 1, 2))


def _places(config: PaperConfig) -> Tensor:
    """Positions p_d [N,n] of the cells of the volume (x, y, z), or of the plane (x, y)."""
    plane = plane_grid(config.grid, config.grid)
    if config.warp_2d:
        return plane.reshape(-1, 2)
    z = depth_planes(config.depth)[:, None, None, None].expand(-1, config.grid, config.grid, 1)
    return torch.cat((plane[None].expand(config.depth, -1, -1, -1), z), 3).reshape(-1, 3)
