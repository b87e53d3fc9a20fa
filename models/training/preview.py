"""Picture grids during training: source | driving | warped source | output, a row a pair."""

import torch
from torch import Generator, Tensor

from models.training.stages import PictureStage


@torch.no_grad()
def picture_grid(stage: PictureStage, rows: int = 8, seed: int = 1) -> Tensor:
    """[3, rows*S, 4*S] in [0,1]: the same pairs every time, on the stage's own keypoints."""
    stage.module.eval()
    drawn: list[Tensor] = []
    rng = Generator().manual_seed(seed)
    while len(drawn) < rows:
        s, d, picture = stage.example(rng)
        drawn.append(torch.cat((s.image[:1], d.image[:1], picture.warped[:1], picture.image[:1]), 3))
    return torch.cat(list(torch.cat(drawn)), 1).clamp(0.0, 1.0).cpu()
