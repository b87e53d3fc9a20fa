"""Where the one face is in a picture of any shape: a small network of our own, in two looks.

    picture -> letterbox -> network -> peak, box ─┐      first look: the whole picture, a face may be 8 % of it
       └──> square around that box -> network ────┴─> box, score      second look: the same face, large

The network sees 128 x 128 pixels and answers on a grid of 16 x 16: how surely a face's middle lies in a cell, and
where the face's box then is (one stage, no anchors: Zhou et al. 2019, "Objects as Points"). The second look measures a
small face as exactly as a large one, and it must see a face again: what was none is rarely taken for one twice.

A face's box is the box of its landmarks: from forehead to chin and from cheek to cheek, without hair, ears and neck.
"""

import copy
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.blocks import NormResidual

STRIDE: Final = 8
"""Pixels of the network's picture in one cell of its answer."""
SECOND_LOOK: Final = 2.2
"""Side of the square of the second look / larger side of the box that the first one found."""
FEWEST_PX: Final = 8
"""Pictures with a shorter side hold nothing that could be called a face."""
LEAST_SCORE: Final = 0.15
"""What the first look is less sure of than this is not looked at again."""
STANDS: Final = 0.6
"""A face counts against others in its picture when its score is at least this share of the best one."""
SAME: Final = 0.5
"""Two boxes whose middles are nearer than this, in sides of the larger one, are of one face."""
SURE: Final = 0.5
"""Score from which a picture is said to hold a face."""

Image = NDArray[np.uint8]
"""uint8 RGB [H,W,3]."""


@dataclass(frozen=True)
class FinderConfig:
    """Sizes: side of the picture in pixels, channels at 1/2 to 1/32, blocks at 1/4 to 1/32, channels of the head."""

    size: int = 128
    widths: tuple[int, ...] = (16, 16, 32, 64, 96)
    blocks: tuple[int, ...] = (1, 1, 2, 2)
    features: int = 48


class FinderMaps(NamedTuple):
    """What the network says of each cell of its grid [G,G], G = size / 8.

    heat [B,1,G,G]: logit that the middle of a face lies here. box [B,4,G,G]: middle (x, y) of the face from the middle
    of the cell, in cells; log of width and height, in shares of the network's picture.
    """

    heat: Tensor
    box: Tensor


@dataclass(frozen=True)
class FaceBox:
    """A face in a picture: score in [0,1], and its box in pixels (x right, y down); it may leave the picture."""

    score: float
    centre_x: float
    centre_y: float
    width: float
    height: float

    @property
    def side(self) -> float:
        """The larger side."""
        return max(self.width, self.height)


class FinderNetwork(nn.Module):
    """Residual stages down to 1/32, whose view of the whole picture is added back at 1/16 and 1/8."""

    def __init__(self, config: FinderConfig) -> None:
        super().__init__()
        self.config = config
        widths, features = config.widths, config.features
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(NormResidual(narrow, wide, 2), *(NormResidual(wide, wide) for _ in range(count - 1)))
            for narrow, wide, count in zip(widths[:-1], widths[1:], config.blocks, strict=True)
        )
        self.laterals = nn.ModuleList(nn.Conv2d(wide, features, 1) for wide in widths[2:])
        self.head = nn.Sequential(
            nn.Conv2d(features, features, 3, 1, 1, bias=False), nn.BatchNorm2d(features), nn.ReLU(inplace=True)
        )
        self.heat = nn.Conv2d(features, 1, 1)
        self.box = nn.Conv2d(features, 4, 1)
        nn.init.constant_(self.heat.bias, -3.0)  # type: ignore[arg-type]  # faces are rare among the cells
        nn.init.constant_(self.box.bias, -1.0)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> FinderMaps:
        """Look at pictures [B,3,size,size] RGB in [0,1]."""
        x = self.stages[0](self.stem(image * 2.0 - 1.0))
        levels = [x := stage(x) for stage in list(self.stages)[1:]]  # 1/8, 1/16, 1/32
        merged: Tensor = self.laterals[-1](levels[-1])
        for lateral, level in zip(reversed(self.laterals[:-1]), reversed(levels[:-1]), strict=True):
            merged = lateral(level) + functional.interpolate(merged, level.shape[-2:], mode="nearest")
        features = self.head(functional.relu(merged))
        return FinderMaps(self.heat(features), self.box(features))


def fold_norms(network: FinderNetwork) -> FinderNetwork:
    """Put each batch norm into the convolution before it, in place: the same answers in two thirds of the time."""
    for block in network.modules():
        if isinstance(block, NormResidual):
            block.conv1 = fuse_conv_bn_eval(block.conv1, block.norm1)
            block.conv2 = fuse_conv_bn_eval(block.conv2, block.norm2)
            block.norm1 = block.norm2 = nn.Identity()  # type: ignore[assignment]
    for part in (network.stem, network.head):
        layer, norm = part[0], part[1]
        assert isinstance(layer, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        part[0], part[1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
    return network


class FaceFinder:
    """The network with its weights, and the two looks."""

    def __init__(self, network: FinderNetwork) -> None:
        self._network = fold_norms(copy.deepcopy(network).eval())
        self._size = network.config.size

    def find(self, image: Image, near: FaceBox | None = None) -> FaceBox:
        """Find the face to follow in uint8 RGB [H,W,3], any shape: the one that was `near` there before if it is still
        seen, else the largest of those that are surely seen.

        Returns: the most likely face, however unlikely: SURE is the score from which it is one.
        """
        height, width = image.shape[:2]
        if min(height, width) < FEWEST_PX:
            return FaceBox(0.0, width / 2, height / 2, float(width), float(height))
        if near is not None and (still := self._look_at(image, near)).score >= SURE:
            return still  # one look is enough to follow a face
        faces = self._look(image, View.whole(width, height, self._size))
        first = max((face for face in faces if face.score >= STANDS * faces[0].score), key=lambda face: face.side)
        return first if first.score < LEAST_SCORE else self._look_at(image, first)

    def _look_at(self, image: Image, face: FaceBox) -> FaceBox:
        """Look at a face alone; where there is none at that place after all, its score is 0."""
        seen = self._look(image, View.around(face, self._size))
        meant = [other for other in seen if _apart(other, face) < SAME]
        return max(meant, key=lambda other: other.score, default=replace(face, score=0.0))

    def _look(self, image: Image, view: "View") -> list[FaceBox]:
        return peaks(*self._maps(image, view), view)

    @torch.inference_mode()
    def _maps(self, image: Image, view: "View") -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        picture = torch.from_numpy(view.cut(image)).permute(2, 0, 1)[None].float() / 255
        maps = self._network(picture)
        return torch.sigmoid(maps.heat[0, 0]).numpy(), maps.box[0].numpy()


def _apart(one: FaceBox, other: FaceBox) -> float:
    """Distance of two middles in sides of the larger box."""
    across, down = one.centre_x - other.centre_x, one.centre_y - other.centre_y
    return float(np.hypot(across, down)) / max(one.side, other.side, 1e-6)


class View(NamedTuple):
    """How a picture's pixels become the network's: network = (picture - (left, top)) * scale, size x size of them."""

    left: float
    top: float
    scale: float
    size: int

    @classmethod
    def whole(cls, width: int, height: int, size: int) -> "View":
        """Show the whole picture, in the middle, with grey bars where it is not square."""
        longer = max(width, height)
        return cls((width - longer) / 2, (height - longer) / 2, size / longer, size)

    @classmethod
    def around(cls, face: FaceBox, size: int) -> "View":
        """Show the square of the second look around a face."""
        side = SECOND_LOOK * face.side
        return cls(face.centre_x - side / 2, face.centre_y - side / 2, size / side, size)

    def cut(self, image: Image) -> Image:
        """Return the network's picture uint8 RGB [size,size,3]; grey where the picture ends."""
        height, width = image.shape[:2]
        # Shrink by area averaging first: a warp alone would skip pixels.
        whole = max(1, int(1 / self.scale)) if self.scale < 1 else 1
        reach = self.size / self.scale
        left, right = max(0, int(self.left) - 2), min(width, int(self.left + reach) + 3)
        top, bottom = max(0, int(self.top) - 2), min(height, int(self.top + reach) + 3)
        part = image[top:bottom, left:right]
        if not part.size:
            return np.full((self.size, self.size, 3), 128, np.uint8)
        small_w, small_h = max(1, round((right - left) / whole)), max(1, round((bottom - top) / whole))
        if whole > 1:
            part = np.asarray(cv2.resize(part, (small_w, small_h), interpolation=cv2.INTER_AREA), np.uint8)
        step_x, step_y = (right - left) / small_w, (bottom - top) / small_h  # picture pixels in one of `part`
        scale_x, scale_y = self.scale * step_x, self.scale * step_y
        # pixel i covers [i, i+1): its middle moves with the scale, hence the halves
        move_x = (left - self.left) * self.scale + 0.5 * scale_x - 0.5
        move_y = (top - self.top) * self.scale + 0.5 * scale_y - 0.5
        matrix = np.array([[scale_x, 0.0, move_x], [0.0, scale_y, move_y]])
        grey = (128, 128, 128)
        return np.asarray(
            cv2.warpAffine(part, matrix, (self.size, self.size), flags=cv2.INTER_LINEAR, borderValue=grey), np.uint8
        )


def peaks(heat: NDArray[np.float32], box: NDArray[np.float32], view: View) -> list[FaceBox]:
    """Read faces off the network's answer, the surest first: cells that no neighbour surpasses.

    Args: heat [G,G] in [0,1]; box [4,G,G] as in FinderMaps. Returns: boxes in the picture's pixels, five at most.
    """
    around = np.asarray(cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(heat >= around)
    best = np.argsort(-heat[rows, columns], kind="stable")[:5]
    return [_face(heat, box, view, int(rows[index]), int(columns[index])) for index in best]


def _face(heat: NDArray[np.float32], box: NDArray[np.float32], view: View, row: int, column: int) -> FaceBox:
    dx, dy, log_width, log_height = (float(value) for value in box[:, row, column])
    px = view.size / view.scale  # side of the view in the picture's pixels
    return FaceBox(
        score=float(heat[row, column]),
        centre_x=view.left + (column + 0.5 + dx) * STRIDE / view.scale,
        centre_y=view.top + (row + 0.5 + dy) * STRIDE / view.scale,
        width=float(np.exp(min(log_width, 1.0))) * px,
        height=float(np.exp(min(log_height, 1.0))) * px,
    )
