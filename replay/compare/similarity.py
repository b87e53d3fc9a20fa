"""SSIM and MS-SSIM at once, ten times as quick as `models.metrics` has them: a comparison of 24 clips looks at some
30,000 pictures, many of them of 512 px.

SSIM's windows lie wholly inside the picture (Wang et al. 2004), as in the figures of ordinary codecs that facewire was
designed against. `models.metrics` reflects its borders; with a still background that adds up to 0.014.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from replay.compare.clip import Picture

WINDOW: Final = 11
SIGMA: Final = 1.5
SCALE_WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST_PX: Final = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)
_C1, _C2 = 0.01**2, 0.03**2

Plane = NDArray[np.float32]


def psnr_db(a: Picture, b: Picture) -> float:
    """PSNR over all pixels and colours, 100 for equal pictures."""
    mse = float(np.square(a.astype(np.float32) - b).mean()) / 255**2
    return min(100.0, -10 * float(np.log10(max(mse, 1e-10))))


def l1(a: Picture, b: Picture) -> float:
    """Mean difference in levels of 255 (FV2V Table 1)."""
    return float(np.abs(a.astype(np.int16) - b).mean())


def ssim_and_ms_ssim(a: Picture, b: Picture) -> tuple[float, float | None]:
    """SSIM (11x11 Gaussian, RGB) and MS-SSIM of five scales; None below 176 px."""
    x, y = _scaled(a), _scaled(b)
    similarity, contrast = _structure(x, y)
    if a.shape[0] < SMALLEST_PX:
        return similarity, None
    parts = [contrast]
    for _ in SCALE_WEIGHTS[2:]:
        x, y = _halved(x), _halved(y)
        parts.append(_structure(x, y)[1])
    parts.append(_structure(_halved(x), _halved(y))[0])
    together = np.prod([max(part, 0.0) ** weight for part, weight in zip(parts, SCALE_WEIGHTS, strict=True)])
    return similarity, float(together)


def _scaled(picture: Picture) -> Plane:
    return np.asarray(picture.astype(np.float32) / np.float32(255), np.float32)


def _structure(x: Plane, y: Plane) -> tuple[float, float]:
    """Means over RGB of the similarity and of its part for contrast and structure, over windows wholly inside."""
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    contrast = (2 * covariance + _C2) / (var_x.clip(0) + var_y.clip(0) + _C2)
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    edge = WINDOW // 2
    inside = (slice(edge, -edge), slice(edge, -edge))
    return float((luminance * contrast)[inside].mean()), float(contrast[inside].mean())


def _blurred(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _halved(plane: Plane) -> Plane:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    half = cv2.resize(plane[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.float32)
