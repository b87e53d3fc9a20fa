"""Mouth and eyes as maps: what G has to draw where, told in the face's own coordinates.

The inside of a mouth or a closed lid that the source never showed cannot be copied, and a keypoint's place alone says
little to a convolution. A map that is positive just where the mouth stands open makes it a matter of a few weights;
face-prior methods feed rendered landmarks for the same reason.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from models.geometry import plane_grid
from models.keypoints import LANDMARKS


class _Opening(NamedTuple):
    """Keypoints of one opening: its corners (left, right in the picture), upper and lower edge, and the iris in it."""

    left: int
    right: int
    upper: int
    lower: int | None = None
    iris: int | None = None


def _opening(left: int, right: int, upper: int, lower: int | None = None, iris: int | None = None) -> _Opening:
    def index(landmark: int | None) -> int | None:
        return None if landmark is None else LANDMARKS.index(landmark)

    return _Opening(LANDMARKS.index(left), LANDMARKS.index(right), LANDMARKS.index(upper), index(lower), index(iris))


OPENINGS = (_opening(61, 291, 13, lower=14), _opening(33, 133, 159, iris=468), _opening(362, 263, 386, iris=473))
"""Mouth, left eye, right eye. No keypoint lies on a lower lid, which hardly moves: see `LOWER_LID`."""
LOWER_LID = 0.22  # below the line through the corners, in half widths of the eye
CHANNELS = 4 * len(OPENINGS) + 2
_REACH = 1.3  # of the window about an opening, in its half widths
_IRIS = 0.3  # sigma of an iris, in half widths of its eye


def expression_maps(x: Tensor, size: int) -> Tensor:
    """Keypoints [B,K,3] of `compact` (all 20) -> maps [B,CHANNELS,size,size] in about [-1,1].

    Each opening gives a window about it, coordinates u (along the line through its corners) and v (down) in it, and
    how far inside the opening a place lies: positive between upper and lower edge, which are arcs from corner to
    corner. Then come the two irises.
    """
    grid = plane_grid(size, size, x.device)
    maps = []
    irises = []
    for opening in OPENINGS:
        left, right = x[:, opening.left, :2], x[:, opening.right, :2]
        half = ((right - left).norm(dim=1, keepdim=True) / 2).clamp(min=0.02)  # [B,1]
        along = (right - left) / (2.0 * half)
        down = torch.stack((-along[:, 1], along[:, 0]), 1)
        centre = (left + right) / 2
        u, v = (_project(grid, centre, axis / half) for axis in (along, down))  # [B,h,w]
        arc = (1.0 - u.square()).clamp(min=0.0)
        upper = ((x[:, opening.upper, :2] - centre) * down / half).sum(1)[:, None, None]
        if opening.lower is None:
            lower = torch.full_like(upper, LOWER_LID)
        else:
            lower = ((x[:, opening.lower, :2] - centre) * down / half).sum(1)[:, None, None]
        inside = (4.0 * torch.minimum(v - upper * arc, lower * arc - v)).clamp(-1.0, 1.0)
        window = torch.exp(-(u.square() + v.square()) / (2.0 * _REACH**2))
        maps += [window, u * window, v * window, inside * window]
        if opening.iris is not None:
            far = (grid - x[:, opening.iris, None, None, :2]).square().sum(-1)
            irises.append(torch.exp(-far / (2.0 * (_IRIS * half[:, :, None]).square())))
    return torch.stack(maps + irises, 1)


def _project(grid: Tensor, centre: Tensor, axis: Tensor) -> Tensor:
    """(p - centre) . axis for each place of grid [h,w,2]; centre, axis [B,2]. Returns [B,h,w]."""
    product: Tensor = torch.einsum("hwi,bi->bhw", grid, axis) - (centre * axis).sum(1)[:, None, None]
    return product
