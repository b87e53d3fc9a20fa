"""What coding does to the picture: LPIPS between what decoded and what uncoded motion renders, on some frames."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor

from benchmarks.bitstream_ways import Coded
from benchmarks.val_motion import ClipMotion
from codec import Motion
from models.metrics import Lpips, find_lpips_weights
from models.renderer import Renderer
from models.weights import Model
from receiver.render import to_head_motion
from sender.extract import to_tensor


def picture_errors(
    clips: Sequence[ClipMotion], ways: Mapping[str, Sequence[Coded]], model: Model, a_clip: int, progress: Progress
) -> dict[str, dict[str, float]]:
    """LPIPS of each way by name: mean, 95th percentile and worst over `a_clip` frames of each clip, spread evenly.

    Empty where no LPIPS weights are at hand, or `a_clip` is 0.
    """
    weights = find_lpips_weights()
    if weights is None or not a_clip:
        return {}
    lpips, renderer = Lpips(weights), Renderer(model)
    found: dict[str, list[float]] = {name: [] for name in ways}
    task = progress.add_task("pictures", total=len(clips))
    for place, clip in enumerate(clips):
        renderer.set_source(to_tensor(clip.source))
        numbers = np.unique(np.linspace(1, len(clip.motions) - 1, a_clip).astype(int)).tolist()
        for number in numbers:
            plain = _picture(renderer, clip.motions[number])
            for name, coded in ways.items():
                decoded = _picture(renderer, coded[place].decoded[number])
                found[name].append(float(lpips(decoded, plain)))
        progress.advance(task)
    return {name: _summary(values) for name, values in found.items()}


def _picture(renderer: Renderer, motion: Motion) -> Tensor:
    with torch.inference_mode():
        return renderer.render(to_head_motion(motion)).float()


def _summary(values: Sequence[float]) -> dict[str, Any]:
    p95 = float(np.percentile(values, 95))
    return {
        "mean": round(float(np.mean(values)), 5),
        "p95": round(p95, 5),
        "max": round(max(values), 5),
        "frames": len(values),
    }
