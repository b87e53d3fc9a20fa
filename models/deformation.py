"""Δ: expression deformation of the keypoints from trunk features (FV2V A.1)."""

from torch import Tensor, nn


class Deformation(nn.Module):
    """Features [B,F] -> delta [B,K,3] in crop units, added to the rotated canonical keypoints."""

    def __init__(self, features: int, keypoints: int) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.delta = nn.Linear(features, 3 * keypoints)
        nn.init.zeros_(self.delta.weight)
        nn.init.zeros_(self.delta.bias)

    def forward(self, features: Tensor) -> Tensor:
        delta: Tensor = self.delta(features).float().unflatten(1, (self.keypoints, 3))
        return delta
