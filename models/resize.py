"""A source picture at another size."""

import torch.nn.functional as functional
from torch import Tensor


def resize(image: Tensor, size: int) -> Tensor:
    """Picture [B,3,P,P] in [0,1] -> [B,3,size,size]: area means where it shrinks, bicubic where it grows."""
    if image.shape[-1] == size:
        return image
    if image.shape[-1] > size:
        return functional.interpolate(image, (size, size), mode="area")
    return functional.interpolate(image, (size, size), mode="bicubic", align_corners=False).clamp(0.0, 1.0)
