"""Changes to a module before it runs: batch norm folded into convolutions, convolutions in half precision."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm2d | nn.BatchNorm3d
M = TypeVar("M", bound=nn.Module)


class NarrowConvolution(nn.Module):
    """A convolution that computes and answers in half precision, whatever comes in.

    Coordinates never pass through one: what surrounds it, flows and warps of fp32 sources, stays fp32 by itself,
    because torch widens fp16 and bf16 where they meet fp32.
    """

    def __init__(self, convolution: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.convolution = convolution.to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.convolution(x.to(self.dtype))
        return out


def fold_norms(module: M) -> M:
    """Fold, in place, each batch norm into the convolution that its parent names right before it; for inference.

    In these networks a batch norm always follows the convolution it stands behind. Where a network broke that, its
    output would differ, and the comparison with plain torch would not let it through.
    """
    for parent in list(module.modules()):
        names = list(parent._modules)
        for before, behind in zip(names[:-1], names[1:], strict=True):
            convolution, norm = parent._modules[before], parent._modules[behind]
            if isinstance(convolution, Convolution) and isinstance(norm, Norm):
                parent._modules[before] = fuse_conv_bn_eval(convolution, norm)
                parent._modules[behind] = nn.Identity()
    return module


def narrow_convolutions(module: M, dtype: torch.dtype) -> M:
    """Replace, in place, every 2-D and 3-D convolution by one in `dtype`."""
    for parent in list(module.modules()):
        for name, child in list(parent._modules.items()):
            if isinstance(child, Convolution):
                parent._modules[name] = NarrowConvolution(child, dtype)
    return module


def channels_last(module: M) -> M:
    """Lay out the weights of 2-D convolutions as the quickest kernels want them, in place."""
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            child.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def lay_out(tensor: Tensor) -> Tensor:
    """The same numbers with channels last where a tensor is a picture [B,C,H,W]."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor.contiguous()
