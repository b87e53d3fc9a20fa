"""What is measured of one clip: pictures against the driving frames, faces against the faces in them.

A picture is compared whole and inside the face box: the box of the driving frame's landmarks with 5 % of its sides
added all around. Landmarks are found by MediaPipe in each picture on its own, never tracked, so that a bad picture
cannot lean on a good one before it; one without a face counts for no distance, but is counted in `faces_found`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.metrics import SMALLEST_MS_SSIM_PX, Lpips, ms_ssim, psnr, ssim
from models.training.landmarker import Landmarker

PX = 256.0  # distances are given in pixels of a picture of this height, whatever the model's size
MESH = 468  # landmarks 468..477 are irises, which no published figure counts
FACE_MARGIN = 0.05
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
EYES = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
)  # fmt: skip
_SMALLEST_LPIPS_PX = 32
FOLLOWS = 0.8  # correlation from which a mouth or an eye is taken to follow
_STILL_CURVE = 1e-3  # a curve that moves less says nothing about following

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Means over a clip's measured frames; None where a figure cannot be had (no weights, no landmarks, too small)."""

    psnr_db: float
    ssim: float
    ms_ssim: float | None
    lpips: float | None
    face_psnr_db: float
    face_ssim: float
    face_lpips: float | None
    akd_px: float | None = None
    akd_mouth_px: float | None = None
    akd_eyes_px: float | None = None
    mouth_correlation: float | None = None
    blink_correlation: float | None = None
    faces_found: float | None = None


def measure(outputs: Tensor, driving: Tensor, boxes: Array, lpips: Lpips | None, faces: Array | None) -> Figures:
    """Compare pictures with the driving frames.

    Args: outputs, driving [N,3,S,S] in [0,1]; boxes [N,4] of the driving faces in [-1,1] (left, top, right, bottom);
    lpips None: left out; faces [2,N,478,2] landmarks of outputs and driving frames in [-1,1], None: left out.
    """
    pairs = [(outputs[n : n + 1], driving[n : n + 1]) for n in range(len(outputs))]
    crops = [(cut_box(a, box), cut_box(b, box)) for (a, b), box in zip(pairs, boxes, strict=True)]
    large = outputs.shape[-1] >= SMALLEST_MS_SSIM_PX
    lpips_of_face = lpips if min(min(a.shape[2:]) for a, _ in crops) >= _SMALLEST_LPIPS_PX else None
    pictures = Figures(
        psnr_db=_mean(psnr, pairs),
        ssim=_mean(ssim, pairs),
        ms_ssim=_mean(ms_ssim, pairs) if large else None,
        lpips=_mean(lpips, pairs) if lpips else None,
        face_psnr_db=_mean(psnr, crops),
        face_ssim=_mean(ssim, crops),
        face_lpips=_mean(lpips_of_face, crops) if lpips_of_face else None,
    )
    return pictures if faces is None else replace(pictures, **landmark_figures(faces[0], faces[1]))


def landmark_figures(output: Array, driving: Array) -> dict[str, Any]:
    """Average keypoint distances (AKD) in px at 256, whole face, lips and eyes, and how mouth and lids follow.

    Args: landmarks [N,478,2] in [-1,1] of output and driving frames; NaN where no face was found.
    """
    found = np.isfinite(driving[:, 0, 0])
    both = found & np.isfinite(output[:, 0, 0])
    distance = np.linalg.norm(output - driving, axis=-1)[both] * (PX / 2)  # [n,478]
    regions = {"akd_px": list(range(MESH)), "akd_mouth_px": list(LIPS), "akd_eyes_px": list(EYES)}
    figures: dict[str, float | None] = {
        name: float(distance[:, points].mean()) if len(distance) else None for name, points in regions.items()
    }
    figures["mouth_correlation"] = correlation(mouth_opening(output[both]), mouth_opening(driving[both]))
    figures["blink_correlation"] = correlation(lid_opening(output[both]), lid_opening(driving[both]))
    figures["faces_found"] = float(both.sum() / found.sum()) if found.any() else None
    return figures


def mouth_opening(points: Array) -> Array:
    """Distance of the inner lips (13, 14) over the face's height (10 to 152): [N] of landmarks [N,478,2]."""
    return _distance(points, 13, 14) / _distance(points, 10, 152)


def lid_opening(points: Array) -> Array:
    """Mean of both eyes' height over width: [N] of landmarks [N,478,2]; low in a blink."""
    right = _distance(points, 159, 145) / _distance(points, 33, 133)
    left = _distance(points, 386, 374) / _distance(points, 263, 362)
    return (right + left) / 2


def correlation(output: Array, driving: Array) -> float | None:
    """Pearson's correlation of two curves [N]; 0 where the output stands still, None where the driving curve does."""
    if len(driving) < 3 or driving.std() < _STILL_CURVE:
        return None
    if output.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(output, driving)[0, 1])


def cut_box(picture: Tensor, box: Array) -> Tensor:
    """The part of [1,3,S,S] inside a box in [-1,1], kept within the picture and at least 11 px each way."""
    size = picture.shape[-1]
    margin = FACE_MARGIN * (box[2:] - box[:2])
    low = np.round((box[:2] - margin + 1) / 2 * size).clip(0, size - 11).astype(int)
    high = np.round((box[2:] + margin + 1) / 2 * size).clip(low + 11, size).astype(int)
    return picture[:, :, low[1] : high[1], low[0] : high[0]]


def find_faces(pictures: Tensor, landmarker: Landmarker) -> Array:
    """Landmarks [N,478,2] in [-1,1] of pictures [N,3,S,S] in [0,1], each looked at on its own; NaN without a face."""
    frames = (pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    points = np.stack([landmarker.find(frame, still=True)[:, :2] for frame in frames])
    return np.asarray(points.astype(np.float64) * (2.0 / pictures.shape[-1]) - 1.0)


def mean_figures(figures: list[Figures]) -> Figures:
    """Mean over clips of equal weight, each figure over the clips that have it."""
    return _over_clips(figures, np.mean)


def median_figures(figures: list[Figures]) -> Figures:
    """Median over clips, each figure over the clips that have it."""
    return _over_clips(figures, np.median)


def _over_clips(figures: list[Figures], statistic: Callable[[list[float]], Any]) -> Figures:
    columns = {item.name: [getattr(clip, item.name) for clip in figures] for item in fields(Figures)}
    known = {name: [value for value in column if value is not None] for name, column in columns.items()}
    values: dict[str, Any] = {name: float(statistic(column)) if column else None for name, column in known.items()}
    return Figures(**values)


def _mean(metric: Callable[[Tensor, Tensor], Tensor], pairs: list[tuple[Tensor, Tensor]]) -> float:
    with torch.inference_mode():
        return float(torch.cat([metric(a, b) for a, b in pairs]).mean())


def _distance(points: Array, a: int, b: int) -> Array:
    return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=-1))
