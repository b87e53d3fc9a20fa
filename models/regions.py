"""Where lips, lids, irises and outlines are in a picture: small networks that look at patches aligned with the head.

An expression moves a lip or a lid by a pixel or two, which is lost in a picture of the whole head reduced to 128
pixels. A patch of fixed size, turned and scaled with the head, shows it large and always in the same place. Points
come from heatmaps by their mean position (Sun et al. 2018, "Integral Human Pose Regression").
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.keypoints import LANDMARKS
from models.precision import full_precision

EYE_LEFT = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7,  # lids
    468, 469, 470, 471, 472,  # iris
    70, 63, 105, 66, 107, 46, 53, 52, 65, 55,  # brow
)  # fmt: skip
EYE_RIGHT = (
    263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249,
    473, 476, 475, 474, 477,
    300, 293, 334, 296, 336, 276, 283, 282, 295, 285,
)  # fmt: skip
MOUTH = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
FACE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    1, 2, 98, 327, 4, 168, 6, 33, 133, 362, 263, 61, 291,
)  # fmt: skip
"""MediaPipe's landmarks that each network finds. "Left" and "right" follow the picture; the right eye is seen mirrored,
its points in the order of the left one's."""

_ALL = EYE_LEFT + EYE_RIGHT + MOUTH + FACE
PICK = tuple(_ALL.index(landmark) for landmark in LANDMARKS)
"""Which of all regions' points the keypoints of `compact` are."""

EYE_HALF, MOUTH_HALF, FACE_HALF = 0.30, 0.36, 0.95
"""Half the side of each patch over the head's scale exp(t_z): a face is about 1.5 high in that unit."""


class Patch(NamedTuple):
    """A square patch of a picture: centre [B,2] and axes [B,2,2] (columns: its x and y axis, half a side long), in
    crop units.
    """

    centre: Tensor
    axes: Tensor

    @full_precision
    def to_crop(self, q: Tensor) -> Tensor:
        """Positions [B,N,2] in the patch ([-1,1]) -> crop units."""
        return q @ self.axes.mT + self.centre[:, None]

    @full_precision
    def to_patch(self, p: Tensor) -> Tensor:
        """Positions [B,N,2] in crop units -> the patch's."""
        inside: Tensor = torch.linalg.solve(self.axes, (p - self.centre[:, None]).mT).mT
        return inside

    @full_precision
    def sample(self, image: Tensor, size: int) -> Tensor:
        """Cut the patch out of a picture [B,3,S,S]: [B,3,size,size]; edges replicated."""
        theta = torch.cat((self.axes, self.centre[:, :, None]), 2).to(image.dtype)
        grid = functional.affine_grid(theta, [len(image), image.shape[1], size, size], align_corners=False)
        return functional.grid_sample(image, grid, padding_mode="border", align_corners=False)


def place_patches(x: Tensor, log_scale: Tensor) -> tuple[Patch, Patch, Patch, Patch]:
    """Patches of the left eye, the right eye (mirrored), the mouth and the face.

    x [B,K,2] rough keypoints in the order of `LANDMARKS`, log_scale [B] = t_z of the pose.
    """

    def point(*landmarks: int) -> Tensor:
        return x[:, [LANDMARKS.index(landmark) for landmark in landmarks]].mean(1)

    left, right = point(33, 133), point(362, 263)
    across = functional.normalize(right - left, dim=1) * log_scale.exp()[:, None]  # [B,2]
    down = torch.stack((-across[:, 1], across[:, 0]), 1)
    axes = torch.stack((across, down), 2)
    mirrored = torch.stack((-across, down), 2)
    mouth = point(61, 291, 13, 14) + 0.04 * down
    return (
        Patch(left - 0.05 * down, EYE_HALF * axes),
        Patch(right - 0.05 * down, EYE_HALF * mirrored),
        Patch(mouth, MOUTH_HALF * axes),
        Patch(point(10, 152, 234, 454), FACE_HALF * axes),
    )


class RegionPoints(nn.Module):
    """Patch [B,3,P,P] in [0,1] -> points [B,N,2] in patch units."""

    def __init__(self, widths: Sequence[int], points: int) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.fine = nn.Sequential(_norm_conv(3, fine, 2), _norm_conv(fine, fine))
        self.middle = nn.Sequential(_norm_conv(fine, middle, 2), _norm_conv(middle, middle))
        self.coarse = nn.Sequential(
            _norm_conv(middle, coarse, 2), _norm_conv(coarse, coarse), _norm_conv(coarse, coarse)
        )
        self.join = _norm_conv(coarse + middle, middle)
        self.heat = nn.Conv2d(middle, points, 3, padding=1)

    def forward(self, patch: Tensor) -> Tensor:
        middle = self.middle(self.fine(patch * 2.0 - 1.0))
        coarse = functional.interpolate(self.coarse(middle), middle.shape[-2:], mode="nearest")
        heat = self.heat(self.join(torch.cat((middle, coarse), 1))).float()  # [B,N,P/4,P/4]
        weight = heat.flatten(2).softmax(2).unflatten(2, heat.shape[2:])
        axis = (torch.arange(heat.shape[-1], device=heat.device) + 0.5) * (2.0 / heat.shape[-1]) - 1.0
        return torch.stack(((weight.sum(2) * axis).sum(2), (weight.sum(3) * axis).sum(2)), 2)


def _norm_conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()
    )


class FaceRegions(nn.Module):
    """The networks of all regions: image [B,3,S,S] and patches -> points [B,N,2] in crop units, in the order of eyes,
    mouth and face. `PICK` finds the keypoints among them.
    """

    def __init__(self, patch_size: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.eye = RegionPoints(widths, len(EYE_LEFT))
        self.mouth = RegionPoints(widths, len(MOUTH))
        self.face = RegionPoints(widths, len(FACE))

    def forward(self, image: Tensor, patches: tuple[Patch, Patch, Patch, Patch]) -> Tensor:
        left, right, mouth, face = (patch.sample(image, self.patch_size) for patch in patches)
        eyes = self.eye(torch.cat((left, right)))
        found = (*eyes.chunk(2), self.mouth(mouth), self.face(face))
        return torch.cat([patch.to_crop(q) for patch, q in zip(patches, found, strict=True)], 1)
