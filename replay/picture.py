"""How near what was shown is to what the camera saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics import Lpips, find_lpips_weights, psnr, ssim
from replay.errors import ClipError

Picture = NDArray[np.uint8]  # RGB [H,W,3]

BATCH = 8


@dataclass(frozen=True)
class Likeness:
    """Means over frames. lpips: None where its weights are not at hand."""

    psnr_db: float
    ssim: float
    lpips: float | None


@dataclass(frozen=True)
class PictureFigures(Likeness):
    """The camera against what was shown; `repeat_source` is the camera against the source picture, shown all along."""

    frames: int
    repeat_source: Likeness


def measure_pictures(camera: Sequence[Picture], shown: Sequence[Picture], source: Picture) -> PictureFigures:
    """Compare what was shown, and the source picture for comparison, with what the camera saw.

    Args: camera, shown: pairs of the same capture time, RGB [S,S,3] each. source: the source picture, [S,S,3].
    Raises: ClipError when there are none to compare.
    """
    if not camera or len(camera) != len(shown):
        raise ClipError(f"expected pairs of pictures to compare, got {len(camera)} and {len(shown)}")
    weights = find_lpips_weights()
    lpips = Lpips(weights) if weights else None
    ours = _likeness(camera, shown, lpips)
    repeat = _likeness(camera, [source] * len(camera), lpips)
    return PictureFigures(ours.psnr_db, ours.ssim, ours.lpips, len(camera), repeat)


@torch.inference_mode()
def _likeness(camera: Sequence[Picture], shown: Sequence[Picture], lpips: Lpips | None) -> Likeness:
    metrics = {"psnr_db": psnr, "ssim": ssim} | ({"lpips": lpips} if lpips else {})
    values: dict[str, list[Tensor]] = {name: [] for name in metrics}
    for start in range(0, len(camera), BATCH):
        pair = _to_tensor(camera[start : start + BATCH]), _to_tensor(shown[start : start + BATCH])
        for name, metric in metrics.items():
            values[name].append(metric(*pair))
    means = {name: round(float(torch.cat(parts).mean()), 4) for name, parts in values.items()}
    return Likeness(means["psnr_db"], means["ssim"], means.get("lpips"))


def _to_tensor(pictures: Sequence[Picture]) -> Tensor:
    """Pictures uint8 RGB [H,W,3] as one batch [B,3,H,W] in [0,1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
