"""Losses. Each is a plain function of tensors with a case worked by hand in its test."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from models.geometry import HeadMotion
from models.keypoints import EXPRESSIVE


def region_weight(x: Tensor, size: int, gain: float = 6.0, sigma: float | Tensor = 0.07) -> Tensor:
    """Weight map [B,1,size,size]: 1 + gain exp(-d^2 / 2 sigma^2), d the distance to the nearest mouth or eye point.

    x [B,K,3] keypoints and sigma (one, or [B,1,1,1]) in crop units.
    """
    axis = (torch.arange(size, device=x.device, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    points = x[:, list(EXPRESSIVE), :2]
    far = (axis[None, None, None] - points[:, :, None, None, 0]).square() + (
        axis[None, None, :, None] - points[:, :, None, None, 1]
    ).square()
    return 1.0 + gain * torch.exp(-far.min(1, keepdim=True).values / (2.0 * sigma**2))


def face_mask(x: Tensor, size: int, sigma: float = 0.15) -> Tensor:
    """Where the face is [B,1,size,size]: exp(-d^2 / 2 sigma^2), d the distance to the nearest keypoint of x [B,K,3]."""
    axis = (torch.arange(size, device=x.device, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    far = (axis[None, None, None] - x[:, :, None, None, 0]).square() + (
        axis[None, None, :, None] - x[:, :, None, None, 1]
    ).square()
    return torch.exp(-far.min(1, keepdim=True).values / (2.0 * sigma**2))


def pyramid_l1(y: Tensor, target: Tensor, weight: Tensor, levels: int = 3, gradient: float = 0.5) -> Tensor:
    """Weighted L1 over `levels` octaves plus `gradient` times the L1 of the finite differences. Images [B,3,S,S]."""
    total = y.new_zeros(())
    for level in range(levels):
        if level:
            y, target, weight = (functional.avg_pool2d(part, 2) for part in (y, target, weight))
        mean = weight.mean()
        error = y - target
        total = total + (weight * error.abs()).mean() / mean
        across = (weight[..., 1:] * error.diff(dim=-1).abs()).mean()
        down = (weight[..., 1:, :] * error.diff(dim=-2).abs()).mean()
        total = total + gradient * (across + down) / mean
    return total / levels


def flow_bending(flow: Tensor, weight: Tensor) -> Tensor:
    """Mean weighted L1 of the flow's second differences, in cells: 0 for any affine motion. flow [B,2,h,w] in crop
    units, weight [B,1,h,w].

    A flow that jumps where no head ends tears the picture; where one ends, it costs as much as the jump is wide.
    """
    cells = flow * (flow.shape[-1] / 2.0)
    across = (weight[..., 1:-1] * cells.diff(n=2, dim=-1).abs()).mean()
    down = (weight[..., 1:-1, :] * cells.diff(n=2, dim=-2).abs()).mean()
    return across + down


def structural_dissimilarity(y: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004) with an 8x8 box window every 4 pixels, mean over the batch. Images in [0,1]."""

    def box(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 8, 4)

    mean_y, mean_t = box(y), box(target)
    variance_y = box(y * y) - mean_y.square()
    variance_t = box(target * target) - mean_t.square()
    covariance = box(y * target) - mean_y * mean_t
    c1, c2 = 0.01**2, 0.03**2
    ssim = ((2 * mean_y * mean_t + c1) * (2 * covariance + c2)) / (
        (mean_y.square() + mean_t.square() + c1) * (variance_y + variance_t + c2)
    )
    return 1.0 - ssim.mean()


def keypoint_l1(x: Tensor, target: Tensor, expressive_gain: float = 2.0, depth_gain: float = 0.3) -> Tensor:
    """Mean L1 of keypoints [B,K,3]; mouth and eyes count more, depth (which no picture shows well) less."""
    weight = torch.ones_like(x[:1])
    weight[:, list(EXPRESSIVE)] *= expressive_gain
    weight[..., 2] *= depth_gain
    return (weight * (x - target).abs()).sum() / (weight.sum() * len(x))


def pose_l1(motion: HeadMotion, target: HeadMotion) -> Tensor:
    """L1 of the angles over 45 degrees (FV2V's head-pose loss on a common scale) plus L1 of t."""
    angles = sum(
        ((a - b).abs().mean() for a, b in zip(motion[:3], target[:3], strict=True)), start=motion.t.new_zeros(())
    )
    return angles / 45.0 + (motion.t - target.t).abs().mean()


def deformation_l1(delta: Tensor) -> Tensor:
    """Mean |delta|: expressions stay small, so that shape and pose say what they can (FV2V eq. 5, L_Delta)."""
    return delta.abs().mean()
