"""H: head pose from trunk features (FV2V A.1: 66 bins an angle, softmax, expectation)."""

import torch
from torch import Tensor, nn

from models.geometry import BIN_COUNT, expected_angle_deg


class HeadPose(nn.Module):
    """Features [B,F] -> yaw, pitch, roll [B] in degrees and translation t [B,3] (t_z: log-scale in `compact`)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.angles = nn.Linear(features, 3 * BIN_COUNT)
        self.translation = nn.Linear(features, 3)
        nn.init.normal_(self.angles.weight, std=0.01)
        nn.init.zeros_(self.angles.bias)
        nn.init.zeros_(self.translation.weight)
        nn.init.zeros_(self.translation.bias)
        # start as a bell of 20 degrees around frontal: a flat softmax has no useful gradient
        centres = torch.linspace(-1.0, 1.0, BIN_COUNT) * 97.5
        self.angles.bias.data = (-(centres**2) / (2 * 20.0**2)).repeat(3)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        logits = self.angles(features).unflatten(1, (3, BIN_COUNT)).float()
        yaw_deg, pitch_deg, roll_deg = expected_angle_deg(logits).unbind(1)
        return yaw_deg, pitch_deg, roll_deg, self.translation(features).float()
