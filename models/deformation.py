"""Δ: expression deformation of the keypoints (FV2V A.1), by looking closely at eyes, mouth and outlines."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.config import ModelConfig
from models.precision import full_precision
from models.regions import PICK, FaceRegions, place_patches


class Deformation(nn.Module):
    """Features [B,F], image [B,3,S,S] and pose -> delta [B,K,3] in crop units, added to the rotated keypoints.

    Where the keypoints are in the picture is measured, and delta is what pose and x_c leave over of it:
    delta = exp(-t_z) (x - t) - R x_c (eq. 1 with the scale of `compact`, solved for delta). So errors of pose and x_c
    do not move the face on the other side; delta takes them up. Depth, which no picture shows, is the trunk's guess.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.size, self.keypoints = config.size, config.keypoints
        self.rough = nn.Linear(config.trunk_features, 2 * len(PICK))  # x well enough to place the patches by
        self.depth = nn.Linear(config.trunk_features, config.keypoints)
        nn.init.zeros_(self.depth.weight)
        nn.init.zeros_(self.depth.bias)
        self.regions = FaceRegions(config.patch_size, config.region_widths)

    def measure(self, features: Tensor, image: Tensor, log_scale: Tensor) -> Tensor:
        """Positions x, y [B,K,2] of the keypoints in the picture, in crop units."""
        if image.shape[-1] > self.size:
            image = functional.interpolate(image, (self.size, self.size), mode="area")
        rough = self.rough(features).float().unflatten(1, (-1, 2))
        points: Tensor = self.regions(image, place_patches(rough, log_scale))
        return points[:, list(PICK[: self.keypoints])]

    def forward(self, features: Tensor, image: Tensor, R: Tensor, t: Tensor, x_c: Tensor) -> Tensor:
        x = self.measure(features, image, t[:, 2])
        return torch.cat((_left_over(x, R, t, x_c), self.depth(features).float()[:, :, None]), 2)


@full_precision
def _left_over(x: Tensor, R: Tensor, t: Tensor, x_c: Tensor) -> Tensor:
    """What pose and shape leave over of positions x [B,K,2]: exp(-t_z) (x - t) - R x_c, x and y of it."""
    return (x - t[:, None, :2]) * (-t[:, 2]).exp()[:, None, None] - (x_c @ R.mT)[..., :2]
