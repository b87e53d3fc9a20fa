"""The two paths of every frame as modules with tensors in and one tensor out, whatever the preset.

    render   source tensors of F, keypoints of source and driving frame -> picture [1,3,S,S] in [0,1]
    extract  x_c, picture [1,3,S,S] -> packed [1,3K+7]: yaw, pitch, roll in degrees, t, delta, face score

T stays outside: it is a few 3x3 products, and a viewer's pose offset changes it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models.geometry import HeadMotion
from models.interface import Extraction, FaceNetworks, Keypoints
from models.runtime.base import Graph


class RenderModule(nn.Module):
    """M, warps, G. forward(*appearance, *source keypoints, *driving keypoints) -> [1,3,S,S], clamped to [0,1]."""

    def __init__(self, networks: FaceNetworks, held: Callable[..., Any]) -> None:
        super().__init__()
        self.networks = networks
        self._held = held  # the NamedTuple that the preset's F gives

    def forward(self, *tensors: Tensor) -> Tensor:
        per_pose = len(Keypoints._fields)
        source = self._held(*tensors[: -2 * per_pose])
        s, d = Keypoints(*tensors[-2 * per_pose : -per_pose]), Keypoints(*tensors[-per_pose:])
        return self.networks.draw(source, s, d).image.clamp(0.0, 1.0)


class ExtractModule(nn.Module):
    """H and Δ. forward(x_c, image) -> packed [B,3K+7]."""

    def __init__(self, networks: FaceNetworks) -> None:
        super().__init__()
        self.extractor = networks.extractor

    def forward(self, x_c: Tensor, image: Tensor) -> Tensor:
        return pack_extraction(self.extractor(image, x_c))


def render_graph(networks: FaceNetworks, appearance: Any, source: Keypoints, driving: Keypoints) -> Graph:
    """The graph of `render` for a source: what F gave, and its keypoints."""
    return Graph("render", RenderModule(networks, type(appearance)), (*appearance, *source), tuple(driving))


def extract_graph(networks: FaceNetworks, x_c: Tensor, image: Tensor) -> Graph:
    """The graph of `extract` for a person with canonical keypoints x_c [1,K,3]."""
    return Graph("extract", ExtractModule(networks), (x_c,), (image,))


def pack_extraction(found: Extraction) -> Tensor:
    """An extraction as one tensor [B,3K+7]."""
    motion, score = found
    angles = torch.stack((motion.yaw_deg, motion.pitch_deg, motion.roll_deg), 1)
    return torch.cat((angles, motion.t, motion.delta.flatten(1), score[:, None]), 1)


def unpack_extraction(packed: Tensor) -> Extraction:
    """The inverse of `pack_extraction`."""
    yaw_deg, pitch_deg, roll_deg = packed[:, :3].unbind(1)
    delta = packed[:, 6:-1].reshape(len(packed), -1, 3)
    return Extraction(HeadMotion(yaw_deg, pitch_deg, roll_deg, packed[:, 3:6], delta), packed[:, -1])
