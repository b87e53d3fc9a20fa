"""Weights for LPIPS's SqueezeNet, of the right form with random numbers."""

from pathlib import Path

import torch
from safetensors.torch import save_file


def write_squeeze(folder: Path) -> Path:
    """A file in `folder`, the same every time."""
    drawn = torch.Generator().manual_seed(0)
    fires = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128)}
    fires |= {9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}
    sizes = {"features.0.weight": (64, 3, 3, 3), "features.0.bias": (64,)}
    for index, (channels, squeezed, expanded) in fires.items():
        for name, outputs, inputs, side in (
            ("squeeze", squeezed, channels, 1),
            ("expand1x1", expanded, squeezed, 1),
            ("expand3x3", expanded, squeezed, 3),
        ):
            sizes[f"features.{index}.{name}.weight"] = (outputs, inputs, side, side)
            sizes[f"features.{index}.{name}.bias"] = (outputs,)
    sizes |= {f"lin.{n}.weight": (1, width, 1, 1) for n, width in enumerate((64, 128, 256, 384, 384, 512, 512))}
    path = folder / "lpips_squeeze_random.safetensors"
    save_file({name: torch.rand(size, generator=drawn) * 0.1 for name, size in sizes.items()}, path)
    return path
