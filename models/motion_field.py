"""M: from keypoints to one flow field (FV2V fig. 4, in 2.5 dimensions for `compact`).

Every keypoint's flow is evaluated on the plane of its own depth, so the K flows warp a small 2-D summary; a 2-D U-Net
then gives the masks of all depth planes at once. The 3-D flow itself follows in closed form from the masks. What is
seen is finer than the volume: masks of its own, at twice the grid, join the same K flows to the flow of the picture.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import Residual, activate, conv
from models.config import ModelConfig
from models.geometry import depth_planes, plane_grid
from models.keypoints import EXPRESSIVE
from models.precision import full_precision
from models.warp import sample


class Field(NamedTuple):
    """mask m [B,K+1,D,h,w] (sums to 1 over k; k = 0 is the background), flow w [B,D,h,w,3], visible_flow [B,2,2h,2w]
    (the flow of what is seen), occlusion o [B,1,h,w], features [B,C,h,w] of the U-Net for G.
    """

    mask: Tensor
    flow: Tensor
    visible_flow: Tensor
    occlusion: Tensor
    features: Tensor


class MotionField(nn.Module):
    """summary [B,4,h,w], x_s, x_d [B,K,3], A [B,3,3] = J_s J_d^-1, scale [B] = exp(t_z) of the driving head -> `Field`.

    The reach of a keypoint grows with the head, so a head is drawn alike from near and from far.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        count, wide = config.keypoints, config.motion_widths
        inputs = (count + 1) * config.summary_channels + count
        self.enter = conv(inputs, wide[0])
        self.down = nn.ModuleList(conv(a, b, stride=2) for a, b in zip(wide[:-1], wide[1:], strict=True))
        self.bottom = Residual(wide[-1])
        self.up = nn.ModuleList(conv(b + a, a) for a, b in zip(wide[:-1], wide[1:], strict=True))
        self.head = conv(wide[0], (count + 1) * config.depth + 1, gain=0.1)
        self.fine = conv(wide[0], 4 * config.fine_features, 1)
        self.fine_head = conv(config.fine_features, count + 1, gain=0.1)
        spread = torch.full((count,), 2.0 * config.heatmap_sigma**2)
        spread[[k for k in EXPRESSIVE if k < count]] = 2.0 * config.expressive_sigma**2
        self.spread: Tensor
        self.register_buffer("spread", spread[:, None, None], persistent=False)
        self.features_out = conv(wide[0], config.motion_features, 1)

    def forward(self, summary: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor, scale: Tensor) -> Field:
        config, side = self.config, summary.shape[-1]
        spread = self.spread * scale.square()[:, None, None, None]  # [B,K,1,1]
        grid = plane_grid(side, side, summary.device)  # [h,w,2]
        flows = _plane_flows(grid, x_s, x_d, A)
        far_d, far_s = _square_distances(grid, x_d), _square_distances(grid, x_s)
        heat = torch.exp(-far_d / spread) - torch.exp(-far_s / spread)
        x = self._unet(torch.cat((_warped_summaries(summary, flows), summary, heat), 1))
        out = self.head(activate(x)).float().flatten(2)  # [B,(K+1)*D+1,h*w]
        logits = out[:, :-1].unflatten(2, (side, side)).unflatten(1, (config.keypoints + 1, config.depth))
        mask = (logits + self._prior(far_s, far_d, scale)[:, :, None]).softmax(1)
        flow = self._flow(mask, x_s, x_d, A, grid)
        visible = self._visible(x, x_s, x_d, A, scale)
        occlusion = out[:, -1:].unflatten(2, (side, side)).sigmoid()
        return Field(mask, flow, visible, occlusion, self.features_out(activate(x)))

    def _visible(self, x: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor, scale: Tensor) -> Tensor:
        """The flow of what is seen [B,2,2h,2w], from U-Net features x [B,C,h,w]: sum m_k w_k at twice the grid."""
        fine = functional.pixel_shuffle(self.fine(activate(x)), 2)
        grid = plane_grid(fine.shape[-2], fine.shape[-1], fine.device)
        logits = self.fine_head(activate(fine)).float()
        far_s, far_d = _square_distances(grid, x_s), _square_distances(grid, x_d)
        mask = (logits + self._prior(far_s, far_d, scale)).softmax(1)  # [B,K+1,2h,2w]
        return _joined_plane_flow(mask, grid, x_s, x_d, A)

    def _prior(self, far_s: Tensor, far_d: Tensor, scale: Tensor) -> Tensor:
        """Log-prior of the masks [B,K+1,h,w] from the squared distances to the keypoints [B,K,h,w].

        Near a driving keypoint its own flow, beyond a radius the background's, but hardly where the source shows the
        head: the background stands still, so a copy of the head would stay behind where it has left.
        """
        config = self.config
        square = scale.square()[:, None, None, None]
        edge = config.background_radius**2 / (2.0 * config.heatmap_sigma**2)
        near_s = far_s.amin(1, keepdim=True) / (2.0 * config.heatmap_sigma**2 * square)
        background = -edge - config.vacated * torch.sigmoid(0.7 * edge - near_s)
        return torch.cat((background, -far_d / (self.spread * square)), 1)

    def _unet(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(activate(x))
        x = self.bottom(x)
        for up, skip in zip(reversed(self.up), reversed(skips), strict=True):
            x = functional.interpolate(x, skip.shape[-2:], mode="nearest")
            x = up(activate(torch.cat((x, skip), 1)))
        return x

    @full_precision
    def _flow(self, mask: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor, grid: Tensor) -> Tensor:
        """W = sum m_k w_k [B,D,h,w,3]; all w_k share A, so it is m_0 p + (1 - m_0) A p + sum m_k b_k."""
        config, side = self.config, grid.shape[0]
        # The volume spans [-depth_extent, depth_extent]; sampling coordinates span [-1, 1].
        z = depth_planes(config.depth, config.depth_extent, grid.device)
        p = torch.cat(
            (grid[None].expand(config.depth, -1, -1, -1), z[:, None, None, None].expand(-1, side, side, 1)), -1
        )  # [D,h,w,3]
        offset = x_s - torch.einsum("bij,bkj->bki", A, x_d)  # b_k [B,K,3]
        background = mask[:, 0, ..., None]  # [B,D,h,w,1]
        moved = torch.einsum("bij,dhwj->bdhwi", A, p)
        flow = background * p + (1.0 - background) * moved + torch.einsum("bkdhw,bki->bdhwi", mask[:, 1:], offset)
        return flow * flow.new_tensor((1.0, 1.0, 1.0 / config.depth_extent))


@full_precision
def _plane_flows(grid: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor) -> Tensor:
    """Each keypoint's flow on the plane of its own depth, w_k = A_xy (p - x_d,k) + x_s,k: [B,K,h,w,2] on a grid."""
    A_xy = A[:, :2, :2]
    offset = x_s[..., :2] - torch.einsum("bij,bkj->bki", A_xy, x_d[..., :2])
    moved = torch.einsum("bij,hwj->bhwi", A_xy, grid)
    flows: Tensor = moved[:, None] + offset[:, :, None, None]
    return flows


@full_precision
def _joined_plane_flow(mask: Tensor, grid: Tensor, x_s: Tensor, x_d: Tensor, A: Tensor) -> Tensor:
    """Sum m_k w_k [B,2,h,w] of masks [B,K+1,h,w] and the plane flows; as in `_flow`, all w_k share A."""
    A_xy = A[:, :2, :2]
    offset = x_s[..., :2] - torch.einsum("bij,bkj->bki", A_xy, x_d[..., :2])
    background = mask[:, :1]  # [B,1,h,w]
    moved = torch.einsum("bij,hwj->bihw", A_xy, grid)
    own = torch.einsum("bkhw,bki->bihw", mask[:, 1:], offset)
    return background * grid.permute(2, 0, 1) + (1.0 - background) * moved + own


def _square_distances(grid: Tensor, x: Tensor) -> Tensor:
    """Squared distance in the picture plane from each keypoint [B,K,h,w]; rows and columns of the grid are straight."""
    across = (grid[None, None, :1, :, 0] - x[:, :, None, None, 0]).square()  # [B,K,1,w]
    down = (grid[None, None, :, :1, 1] - x[:, :, None, None, 1]).square()  # [B,K,h,1]
    return across + down


def _warped_summaries(summary: Tensor, flows: Tensor) -> Tensor:
    """The summary [B,C,h,w] as each of the K flows would have it: [B,K*C,h,w]."""
    batch, count = flows.shape[:2]
    repeated = summary[:, None].expand(-1, count, -1, -1, -1).flatten(0, 1)
    warped = sample(repeated, flows.flatten(0, 1))
    return warped.reshape(batch, count * summary.shape[1], *summary.shape[2:])
