"""Losses of the face finder: where the middles of faces are (focal), and their boxes (L1)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

from models.face_finder import STRIDE, FinderMaps

SPREAD = 0.08
"""Standard deviation of the heat around a middle, of the larger side of the face."""
LEAST_SPREAD = 0.6
"""The same at the least, in cells."""
BOX_HEAT = 0.4
"""Cells from this heat on learn the box."""


class Targets(NamedTuple):
    """What the network should say: heat [B,1,G,G] in [0,1], 1 where middles are; box [B,4,G,G] as in FinderMaps."""

    heat: Tensor
    box: Tensor


def targets_of(boxes: Sequence[NDArray[np.float32]], size: int) -> Targets:
    """Targets for pictures of `size` pixels with faces [n,4] (left, top, right, bottom) each."""
    cells = size // STRIDE
    heat, box = torch.zeros(len(boxes), 1, cells, cells), torch.zeros(len(boxes), 4, cells, cells)
    axis = torch.arange(cells) + 0.5
    for index, faces in enumerate(boxes):
        for left, top, right, bottom in faces.tolist():
            x, y = (left + right) / 2 / STRIDE, (top + bottom) / 2 / STRIDE
            spread = max(LEAST_SPREAD, SPREAD * max(right - left, bottom - top) / STRIDE)
            own = torch.exp(-((axis - x).square()[None] + (axis - y).square()[:, None]) / (2 * spread**2))
            own[min(max(int(y), 0), cells - 1), min(max(int(x), 0), cells - 1)] = 1.0
            here = own > heat[index, 0]  # of two faces the nearer one speaks for a cell
            heat[index, 0][here] = own[here]
            shape = torch.tensor([(right - left) / size, (bottom - top) / size]).log()
            said = torch.stack(((x - axis)[None].expand(cells, cells), (y - axis)[:, None].expand(cells, cells)))
            box[index, :2, here] = said[:, here]
            box[index, 2:, here] = shape[:, None].expand(2, int(here.sum()))
    return Targets(heat, box)


def heat_loss(heat: Tensor, target: Tensor) -> Tensor:
    """Focal loss over cells (Zhou et al. 2019, eq. 1; alpha 2, beta 4), a mean over pictures and their faces.

    heat [B,1,G,G] logits; target [B,1,G,G], exactly 1 where a middle is.
    """
    p = torch.sigmoid(heat)
    middle = target == 1.0
    found = (1 - p).square() * functional.logsigmoid(heat)
    empty = (1 - target).pow(4) * p.square() * functional.logsigmoid(-heat)
    return -torch.where(middle, found, empty).sum() / (middle.sum() + len(heat))


def box_loss(box: Tensor, target: Targets) -> Tensor:
    """L1 of middle (in cells) and of log width and height (times 2), weighted by the heat, over cells that know a face.

    box [B,4,G,G].
    """
    weight = target.heat * (target.heat >= BOX_HEAT)
    wanted = box.new_tensor([1.0, 1.0, 2.0, 2.0])[None, :, None, None]
    return ((box - target.box).abs() * wanted * weight).sum() / weight.sum().clamp(min=1.0)


def finder_loss(maps: FinderMaps, target: Targets) -> Tensor:
    """Heat and box together."""
    return heat_loss(maps.heat, target.heat) + 0.5 * box_loss(maps.box, target)
