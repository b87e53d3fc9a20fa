"""Mouth and lids of output and input over a clip's frames, drawn as curves to look at."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.comparison import FOLLOWS, Array, correlation, lid_opening, mouth_opening

WIDTH_PX, PANEL_PX, TITLE_PX, MARGIN_PX = 640, 140, 20, 8
INPUT, OUTPUT = (200, 200, 200), (80, 170, 255)  # BGR
_CURVES: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("mouth opening / face height", mouth_opening),
    ("eyes: height / width", lid_opening),
)


def write_timeline(path: Path, name: str, numbers: list[int], faces: Array) -> None:
    """Write a clip's curves as a PNG: grey the input, orange the output, with their correlation.

    Args: faces [2,N,478,2] landmarks of outputs and driving frames; NaN where none was found. numbers [N]: frames.
    """
    found = np.isfinite(faces[:, :, 0, 0]).all(0)
    panels = []
    for title, curve in _CURVES:
        output, driving = curve(faces[0]), curve(faces[1])
        value = correlation(output[found], driving[found])
        words = "-" if value is None else f"{value:.2f}{'' if value >= FOLLOWS else f', below {FOLLOWS:g}'}"
        panels.append(draw_curves(f"{name}  {title}  correlation {words}", numbers, driving, output))
    if not cv2.imwrite(str(path), np.vstack(panels)):
        raise OSError(f"could not write {path}")


def draw_curves(title: str, numbers: list[int], driving: Array, output: Array) -> NDArray[np.uint8]:
    """Draw two curves [N] over frame numbers on one scale: BGR [160,640,3]; NaN leaves a gap."""
    panel = np.zeros((TITLE_PX + PANEL_PX, WIDTH_PX, 3), np.uint8)
    known = np.concatenate((driving, output))
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    across = (WIDTH_PX - 2 * MARGIN_PX) / max(numbers[-1] - numbers[0], 1)
    down = (PANEL_PX - 2 * MARGIN_PX) / max(high - low, 1e-6)
    for values, colour in ((driving, INPUT), (output, OUTPUT)):
        points = [
            (MARGIN_PX + round((number - numbers[0]) * across), TITLE_PX + MARGIN_PX + round((high - value) * down))
            if np.isfinite(value)
            else None
            for number, value in zip(numbers, values, strict=True)
        ]
        for start, end in zip(points[:-1], points[1:], strict=True):
            if start and end:
                cv2.line(panel, start, end, colour, 2, cv2.LINE_AA)
    cv2.putText(panel, title, (MARGIN_PX, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return panel
