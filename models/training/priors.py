"""FV2V eq. 5: its weights, and its terms that look at keypoints and poses alone.

term                      weight   where
perceptual         L_P    10       perceptual.py
GAN                L_G    1        gan.py, with feature matching beside it
equivariance       L_E    20       equivariance.py
keypoint prior     L_L    10       here
head pose          L_H    20       here
deformation prior  L_D    5        losses.py (deformation_l1)
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TermWeights:
    """Weights of eq. 8 (A.2). The paper gives none for feature matching: 10 is pix2pixHD's, whose loss it is."""

    perceptual: float = 10.0
    gan: float = 1.0
    feature_matching: float = 10.0
    equivariance: float = 20.0
    keypoint_prior: float = 10.0
    head_pose: float = 20.0
    deformation: float = 5.0


def keypoint_prior(x: Tensor, nearest: float = 0.1, mean_depth: float = 0.33, *, in_picture: bool = False) -> Tensor:
    """L_L of keypoints x [B,K,3] (eq. 7): sum over pairs max(0, D_t - |x_i - x_j|^2) + |mean z - z_t|, batch mean.

    Every pair counts twice, as the paper's double sum has it; i = j, a constant, is left out. D_t is `nearest`
    (a squared distance), z_t `mean_depth`. With `in_picture` distance is measured in x and y alone: in three
    dimensions points may crowd in the picture and spread in depth, which no picture shows.
    """
    places = (x[..., :2] if in_picture else x).float()
    square = (places[:, :, None] - places[:, None]).square().sum(-1)  # [B,K,K]
    apart = ~torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
    crowded = ((nearest - square).clamp(min=0.0) * apart).sum((1, 2)).mean()
    return crowded + (x[..., 2].float().mean(1) - mean_depth).abs().mean()


def head_pose_l1(
    angles_deg: tuple[Tensor, Tensor, Tensor], target_deg: tuple[Tensor, Tensor, Tensor], unit_deg: float = 45.0
) -> Tensor:
    """L_H: sum of the mean |differences| of yaw, pitch and roll [B] in degrees, in units of `unit_deg`.

    The paper does not name its unit; with degrees themselves and a weight of 20 nothing else would be heard.
    """
    parts = [(a.float() - b.float()).abs().mean() for a, b in zip(angles_deg, target_deg, strict=True)]
    return torch.stack(parts).sum() / unit_deg
