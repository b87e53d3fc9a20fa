"""Which of MediaPipe's 478 landmarks are the keypoints of `compact`, in order of importance.

A prefix of them is a valid smaller set (FV2V C.2): mouth, upper lids, nose and jaw come first, outlines last.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

LANDMARKS = (13, 14, 61, 291, 159, 386, 1, 152, 468, 473, 105, 334, 33, 263, 133, 362, 168, 10, 234, 454)
"""inner lips, lip corners, upper lids, nose tip, chin, irises, brows, outer and inner eye corners, nose bridge,
forehead, cheeks. "Left" and "right" follow the picture."""

_MIRRORED = {61: 291, 159: 386, 468: 473, 105: 334, 33: 263, 133: 362, 234: 454}
_PARTNER = _MIRRORED | {b: a for a, b in _MIRRORED.items()}
MIRROR = tuple(LANDMARKS.index(_PARTNER.get(landmark, landmark)) for landmark in LANDMARKS)
"""Index of each keypoint's partner when the picture is flipped left to right."""

EXPRESSIVE = tuple(LANDMARKS.index(landmark) for landmark in (13, 14, 61, 291, 159, 386, 468, 473, 33, 263, 133, 362))
"""Mouth and eyes: where the region weights and the heavier keypoint weights lie."""


def flip_points(points: Tensor, flip: Tensor, partner: Sequence[int] = MIRROR) -> Tensor:
    """Mirror keypoints [B,K,3] where flip [B] is true: x changes sign and partners change places."""
    mirrored = points[:, list(partner)] * points.new_tensor((-1.0, 1.0, 1.0))
    return torch.where(flip[:, None, None], mirrored, points)
