"""How near what was shown is to what the camera saw."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics import Lpips, find_lpips_weights, psnr, ssim
from replay.errors import ClipError

Picture = NDArray[np.uint8]  # RGB [H,W,3]

Metric = Callable[[Tensor, Tensor], Tensor]  # pictures [B,3,H,W] twice -> [B]

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


def measure_pictures(pairs: Iterable[tuple[Picture, Picture]], source: Picture) -> PictureFigures:
    """Compare what was shown, and the source picture for comparison, with what the camera saw.

    Args: pairs: (camera, shown) of the same capture time, RGB [S,S,3] each. source: the source picture, [S,S,3].
    Raises: ClipError when there are none to compare.
    """
    weights = find_lpips_weights()
    metrics: dict[str, Metric] = {"psnr_db": psnr, "ssim": ssim}
    if weights is not None:
        metrics["lpips"] = Lpips(weights)
    shown, repeated = _Sums(metrics), _Sums(metrics)
    still = _to_tensor([source])
    coming = iter(pairs)
    while batch := list(islice(coming, BATCH)):
        camera = _to_tensor([pair[0] for pair in batch])
        shown.add(camera, _to_tensor([pair[1] for pair in batch]))
        repeated.add(camera, still.expand_as(camera))
    if not shown.frames:
        raise ClipError("expected frames that were shown for a camera frame, found none to compare")
    return PictureFigures(**asdict(shown.means()), frames=shown.frames, repeat_source=repeated.means())


class _Sums:
    """Adds up metrics over batches."""

    def __init__(self, metrics: dict[str, Metric]) -> None:
        self._metrics = metrics
        self._sums = dict.fromkeys(metrics, 0.0)
        self.frames = 0

    @torch.inference_mode()
    def add(self, camera: Tensor, shown: Tensor) -> None:
        """Add a batch of pictures [B,3,S,S] in [0,1]."""
        self.frames += len(camera)
        for name, metric in self._metrics.items():
            self._sums[name] += float(metric(camera, shown).sum())

    def means(self) -> Likeness:
        """Means over all frames."""
        means = {name: round(total / self.frames, 4) for name, total in self._sums.items()}
        return Likeness(means["psnr_db"], means["ssim"], means.get("lpips"))


def _to_tensor(pictures: Sequence[Picture]) -> Tensor:
    """Pictures uint8 RGB [H,W,3] as one batch [B,3,H,W] in [0,1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
