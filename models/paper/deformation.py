"""Δ: expression deformations, one linear layer on the trunk (FV2V fig. 12 c)."""

from torch import Tensor, nn


class Deformation(nn.Module):
    """Features [B,F] -> delta [B,K,3] in crop units, added after rotation and translation (eq. 1); 0 to begin with."""

    def __init__(self, features: int, keypoints: int) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.linear = nn.Linear(features, 3 * keypoints)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        delta: Tensor = self.linear(features).float().unflatten(1, (self.keypoints, 3))
        return delta
