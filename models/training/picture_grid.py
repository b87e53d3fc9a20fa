"""A grid of pictures with words around it, as one PNG to look at."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

CELL_PX = 192
_TITLE_PX = 20


class Row(NamedTuple):
    """One line of a grid: its name and pictures [3,S,S] in [0,1]."""

    name: str
    pictures: list[Tensor]


def write_grid(path: Path, titles: tuple[str, ...], rows: list[Row]) -> None:
    """Write rows of pictures under their titles; a row's name stands in its first picture."""
    header = np.zeros((_TITLE_PX, CELL_PX * len(titles), 3), np.uint8)
    for column, title in enumerate(titles):
        _letter(header, title, CELL_PX * column + 4)
    lines = [header]
    for row in rows:
        line = np.hstack([_cell(picture) for picture in row.pictures])
        _letter(line, row.name, 4)
        lines.append(line)
    if not cv2.imwrite(str(path), np.vstack(lines)):
        raise OSError(f"could not write {path}")


def _cell(picture: Tensor) -> NDArray[np.uint8]:
    rgb = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    method = cv2.INTER_AREA if rgb.shape[0] > CELL_PX else cv2.INTER_CUBIC
    bgr = cv2.cvtColor(cv2.resize(rgb, (CELL_PX, CELL_PX), interpolation=method), cv2.COLOR_RGB2BGR)
    return np.asarray(bgr, np.uint8)


def _letter(picture: NDArray[np.uint8], words: str, x: int) -> None:
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # white on a black rim is readable on any face
        cv2.putText(picture, words, (x, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, thickness, cv2.LINE_AA)
