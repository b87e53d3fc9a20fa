"""L: canonical keypoints of a person, from the source image only (FV2V A.1)."""

import torch
from torch import Tensor, nn

from models.blocks import FaceTrunk


class CanonicalKeypoints(nn.Module):
    """Source image [B,3,S,S] -> x_c [B,K,3]: a stored mean shape plus what is this person's own.

    `compact` has no Jacobians of its own: J = exp(t_z) R, and J_c cancels in eq. 6.
    """

    def __init__(self, trunk: FaceTrunk, features: int, keypoints: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.keypoints = keypoints
        self.offset = nn.Linear(features, 3 * keypoints)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)
        self.mean_shape: Tensor
        self.register_buffer("mean_shape", torch.zeros(keypoints, 3))

    def forward(self, image: Tensor) -> Tensor:
        x_c: Tensor = self.mean_shape + self.offset(self.trunk(image)).float().unflatten(1, (self.keypoints, 3))
        return x_c
