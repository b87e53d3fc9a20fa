"""Warps: where the detail of the source image is copied from. Coordinates stay fp32."""

import torch
import torch.nn.functional as functional
from torch import Tensor


def warp_plane(features: Tensor, flow: Tensor) -> Tensor:
    """Sample features [B,C,H,W] at flow [B,2,h,w] (x, y in [-1,1]); the flow is brought up to H x W bilinearly."""
    if flow.shape[-2:] != features.shape[-2:]:
        flow = upsample_flow(flow, features.shape[-1])
    return sample(features, flow.permute(0, 2, 3, 1))


def sample(features: Tensor, grid: Tensor) -> Tensor:
    """Features [B,C,H,W] at places [B,h,w,2]: bilinear, border. The places stay fp32, and so does the sampling: a
    place in the features' own half precision could be wrong by a pixel.
    """
    warped = functional.grid_sample(
        features.float(), grid.float(), mode="bilinear", padding_mode="border", align_corners=False
    )
    return warped.to(features.dtype)


def upsample_flow(flow: Tensor, size: int) -> Tensor:
    """Flow [B,2,h,w] -> [B,2,size,size], linear also in the outer half cell, where plain bilinear would flatten it.

    A flow is a position: what it adds to the identity is interpolated, so the identity stays exactly the identity.
    """
    small, large = identity_flow(flow.shape[-1], flow), identity_flow(size, flow)
    moved = functional.interpolate(flow - small, (size, size), mode="bilinear", align_corners=False)
    return moved + large


def identity_flow(size: int, like: Tensor) -> Tensor:
    """Flow [1,2,size,size] that samples every pixel centre from itself."""
    axis = (torch.arange(size, device=like.device, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    return torch.stack((axis[None].expand(size, -1), axis[:, None].expand(-1, size)))[None]


def warp_volume(volume: Tensor, flow: Tensor) -> Tensor:
    """Sample volume [B,C,D,H,W] at flow [B,D,H,W,3] (x, y, z in [-1,1]), trilinear, border, as 5-D grid_sample.

    Done as two 4-D samplings of a (D*H) x W atlas, one for the plane before z and one for the plane behind it: a
    2-D grid_sample is several times faster on a CPU and exports everywhere, and the result is the same to 3e-6.
    """
    batch, channels, depth, height, width = volume.shape
    atlas = volume.reshape(batch, channels, depth * height, width)
    x, y, z = flow.unbind(-1)
    row = (((y + 1.0) * height - 1.0) * 0.5).clamp(0.0, height - 1.0)  # clamped inside its plane
    plane = (((z + 1.0) * depth - 1.0) * 0.5).clamp(0.0, depth - 1.0)
    near = plane.floor()
    far = (near + 1.0).clamp(max=depth - 1.0)
    weight = (plane - near)[:, None]  # [B,1,D,H,W]

    def plane_at(index: Tensor) -> Tensor:
        atlas_y = (2.0 * (index * height + row) + 1.0) / (depth * height) - 1.0
        grid = torch.stack((x, atlas_y), -1).reshape(batch, depth * height, width, 2)
        return sample(atlas, grid).reshape(batch, channels, depth, height, width)

    return torch.lerp(plane_at(near), plane_at(far), weight.to(atlas.dtype))
