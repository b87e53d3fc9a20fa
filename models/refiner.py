"""The last step of G: mouth and eyes are gone over in patches aligned with the head.

A generator that a call can afford learns slowly what no source picture shows: teeth, the inside of a mouth, closed
lids. In a patch that is placed, turned and scaled with the head they always lie in the same place, so small networks
learn them from few pairs. Each sees what G drew, the same region of the source, and where the keypoints say that lips
and lids are.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.blocks import SLOPE, Residual, activate, conv, pixel_norm
from models.config import ModelConfig
from models.expression_maps import LOWER_LID
from models.geometry import plane_grid
from models.interface import Keypoints
from models.keypoints import LANDMARKS
from models.precision import full_precision
from models.regions import Patch, place_patches

MOUTH = (61, 291, 13, 14)
EYES = ((33, 133, 159, 468, 105), (263, 362, 386, 473, 334))
"""Landmarks of each region: corners, upper edge, lower edge (mouth) or iris and brow (eyes); the right eye is seen
mirrored, as in `regions`."""
MAPS = 4  # how far inside the opening, iris, and the two coordinates of the patch
_FADE = 0.3  # of half a patch, at its border


class RegionPatch(NamedTuple):
    """What one network goes over: [B,3,P,P] as drawn and of the source, and points [B,N,2] driving and source."""

    drawn: Tensor
    source: Tensor
    points_d: Tensor
    points_s: Tensor


class PatchRefiner(nn.Module):
    """`RegionPatch` -> what to add to it, [B,3,P,P] in (-1,1); nothing before it is trained."""

    def __init__(self, widths: Sequence[int], points: int) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.enter = conv(24 + MAPS, fine)
        self.fine = conv(fine, fine)
        self.down_middle = conv(fine, middle, stride=2)
        self.middle = Residual(middle)
        self.down_coarse = conv(middle, coarse, stride=2)
        self.coarse = nn.ModuleList(Residual(coarse) for _ in range(2))
        modulate = nn.Linear(coarse, 4 * coarse)
        nn.init.normal_(modulate.weight, std=0.01)
        nn.init.zeros_(modulate.bias)
        self.expression = nn.Sequential(nn.Linear(4 * points, coarse), nn.LeakyReLU(SLOPE), modulate)
        self.up_middle = conv(coarse, 4 * middle, 1)
        self.join_middle = conv(middle, middle)
        self.up_fine = conv(middle, 4 * fine, 1)
        self.join_fine = conv(fine, fine)
        self.leave = conv(fine, 12, gain=0.0)

    def forward(self, patch: RegionPatch) -> Tensor:
        maps = opening_maps(patch.points_d, patch.drawn.shape[-1] // 2)
        seen = torch.cat((patch.drawn, patch.source), 1) * 2.0 - 1.0
        x = self.enter(torch.cat((functional.pixel_unshuffle(seen, 2), maps.to(seen.dtype)), 1))
        fine = pixel_norm(x + self.fine(activate(x)))
        middle = self.middle(self.down_middle(activate(fine)))
        x = self.down_coarse(activate(middle))
        code = torch.cat((patch.points_d, patch.points_d - patch.points_s), 1).flatten(1)
        codes = self.expression(code * 2.0)[:, :, None, None].chunk(4, 1)
        for block, scale, shift in zip(self.coarse, codes[::2], codes[1::2], strict=True):
            x = block(x, scale, shift)
        x = pixel_norm(middle + functional.pixel_shuffle(self.up_middle(activate(x)), 2))
        x = x + self.join_middle(activate(x))
        x = pixel_norm(fine + functional.pixel_shuffle(self.up_fine(activate(x)), 2))
        x = x + self.join_fine(activate(x))
        return torch.tanh(functional.pixel_shuffle(self.leave(activate(x)), 2).float())


@full_precision
def opening_maps(points: Tensor, size: int) -> Tensor:
    """Points [B,N,2] of a region in its patch -> maps [B,MAPS,size,size].

    N = 4 is a mouth, N = 5 an eye. How far inside the opening a place lies is positive between upper and lower edge,
    which are arcs from corner to corner.
    """
    grid = plane_grid(size, size, points.device)
    left, right = points[:, 0], points[:, 1]
    half = ((right - left).norm(dim=1, keepdim=True) / 2).clamp(min=0.05)  # [B,1]
    along = (right - left) / (2.0 * half)
    down = torch.stack((-along[:, 1], along[:, 0]), 1)
    centre = (left + right) / 2

    def project(axis: Tensor) -> Tensor:
        found: Tensor = torch.einsum("hwi,bi->bhw", grid, axis) - (centre * axis).sum(1)[:, None, None]
        return found

    def height(point: int) -> Tensor:
        found: Tensor = ((points[:, point] - centre) * down / half).sum(1)
        return found[:, None, None]

    u, v = project(along / half), project(down / half)
    arc = (1.0 - u.square()).clamp(min=0.0)
    upper = height(2)
    mouth = points.shape[1] == len(MOUTH)
    lower = height(3) if mouth else torch.full_like(upper, LOWER_LID)
    inside = (4.0 * torch.minimum(v - upper * arc, lower * arc - v)).clamp(-1.0, 1.0)
    if mouth:
        iris = torch.zeros_like(inside)
    else:
        far = (grid - points[:, 3, None, None, :2]).square().sum(-1)
        iris = torch.exp(-far / (2.0 * (0.3 * half[:, :, None]).square()))
    x, y = (grid[..., axis].expand(len(points), -1, -1) for axis in (0, 1))
    return torch.stack((inside, iris, x, y), 1)


class Refiner(nn.Module):
    """Pictures [B,3,S,S] drawn by G and their source -> the same with mouth and eyes gone over."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.size, self.mouth_size, self.eye_size = config.size, config.refiner_mouth, config.refiner_eye
        self.mouth = PatchRefiner(config.refiner_widths, len(MOUTH))
        self.eye = PatchRefiner(config.refiner_widths, len(EYES[0]))

    def patches(self, keypoints: Keypoints) -> tuple[Patch, Patch, Patch]:
        """Where left eye, right eye and mouth are."""
        return place_patches(keypoints.x[..., :2], keypoints.t[:, 2])[:3]

    def cut(self, drawn: Tensor, source: Tensor, s: Keypoints, d: Keypoints) -> tuple[RegionPatch, RegionPatch]:
        """The mouths [B] and the eyes [2B], left ones first."""
        if source.shape[-1] > self.size:  # as the networks know it
            source = functional.interpolate(source, (self.size, self.size), mode="area")
        regions = []
        sizes = (self.eye_size, self.eye_size, self.mouth_size)
        for at_s, at_d, size, points in zip(self.patches(s), self.patches(d), sizes, (*EYES, MOUTH), strict=True):
            index = [LANDMARKS.index(landmark) for landmark in points]
            q_d, q_s = (inside(at, k.x[:, index, :2]) for at, k in ((at_d, d), (at_s, s)))
            regions.append(RegionPatch(at_d.sample(drawn, size), at_s.sample(source, size), q_d, q_s))
        left, right, mouth = regions
        return mouth, RegionPatch(*(torch.cat(parts) for parts in zip(left, right, strict=True)))

    def forward(self, drawn: Tensor, source: Tensor, s: Keypoints, d: Keypoints) -> Tensor:
        # what is painted teaches nobody where the keypoints are
        s, d = (Keypoints(*(part.detach() for part in k)) for k in (s, d))
        mouth, eyes = self.cut(drawn, source, s, d)
        added = (*self.eye(eyes).chunk(2), self.mouth(mouth))
        return drawn + paste(added, self.patches(d), drawn.shape[-1])


@full_precision
def inside(patch: Patch, p: Tensor) -> Tensor:
    """`Patch.to_patch` for the square patches here, whose axes are at right angles: no equation to solve."""
    return (p - patch.centre[:, None]) @ patch.axes / _square(patch)


def fade(size: int, device: torch.device) -> Tensor:
    """Weight [size,size] that falls to 0 in a patch's outermost pixels, so that nobody sees where it lies, and that no
    neighbour in the atlas shows through.
    """
    axis = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    ramp = ((1.0 - 1.0 / size - axis.abs()) / _FADE).clamp(0.0, 1.0)
    ramp = ramp.square() * (3.0 - 2.0 * ramp)
    return ramp[:, None] * ramp


@full_precision
def paste(added: Sequence[Tensor], patches: Sequence[Patch], size: int) -> Tensor:
    """Patches [B,3,P,P] (each its own P) put back where they lie: [B,3,size,size], 0 outside of them.

    All lie in one atlas, side by side, so the picture is sampled once. Where two overlap it is the one whose middle is
    nearer, in its own units.
    """
    sides = [int(tile.shape[-1]) for tile in added]  # numbers also while the graph is traced
    height, width, left = max(sides), sum(sides), 0
    faded = (tile * fade(side, tile.device) for tile, side in zip(added, sides, strict=True))
    tiles = [functional.pad(tile, (0, 0, 0, height - side)) for tile, side in zip(faded, sides, strict=True)]
    atlas = torch.cat(tiles, 3)  # [B,3,height,width]
    axis = (torch.arange(size, device=atlas.device, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    nearest = at_x = at_y = torch.full((1, 1, 1), 1e6, device=atlas.device)
    for side, patch in zip(sides, patches, strict=True):
        # what a row and what a column add to the place in the patch: cheaper than a product at each pixel
        x, y = (axis[None] - patch.centre[:, n, None] for n in (0, 1))  # [B,size]
        over = 1.0 / _square(patch)[:, :, 0]  # [B,1]
        far = (x.square() * over)[:, None, :] + (y.square() * over)[:, :, None]  # [B,size,size]
        taken = far < nearest
        nearest = torch.minimum(far, nearest)
        for_x, for_y = (
            (x * patch.axes[:, 0, n, None] * over)[:, None, :] + (y * patch.axes[:, 1, n, None] * over)[:, :, None]
            for n in (0, 1)
        )
        # beyond a tile's border its outermost pixels are read, which are 0
        most = 1.0 - 1.0 / side
        at_x = torch.where(taken, for_x.clamp(-most, most) * (side / width) + ((side + 2 * left) / width - 1.0), at_x)
        at_y = torch.where(taken, for_y.clamp(-most, most) * (side / height) + (side / height - 1.0), at_y)
        left += side
    where = torch.stack((at_x, at_y), 1).permute(0, 2, 3, 1)
    return functional.grid_sample(atlas, where, padding_mode="zeros", align_corners=False)


def _square(patch: Patch) -> Tensor:
    """Half a patch's side, squared [B,1,1]; not 0, for untrained keypoints may all lie in one place."""
    return patch.axes[:, :, :1].square().sum(1, keepdim=True).clamp(min=1e-6)
