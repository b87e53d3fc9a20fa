"""A last small network for pictures of twice the model's size: it sharpens what G invented.

The warped source has the detail of its own size, G's colours and mask have half of it. Where the mask lets G's colours
in, the picture is therefore softer than beside them.
"""

from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as functional
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.blocks import Residual, activate, conv
from models.generator import Picture
from models.weights import Model, WeightsError

FILE: Final = "sharpening.safetensors"
WIDTH: Final = 24
LARGEST_CHANGE: Final = 0.25
"""Of the range of colours."""


class Sharpen(nn.Module):
    """Picture of G brought up to twice its size -> image [B,3,S,S] in [0,1], S even; works at S/2, 1.3 GMAC at 512."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = conv(4 * 7, WIDTH)
        self.block = Residual(WIDTH)
        self.leave = conv(WIDTH, 4 * 3, gain=0.0)  # it starts by changing nothing

    def forward(self, picture: Picture) -> Tensor:
        seen = torch.cat((picture.warped, picture.image - picture.warped, picture.blend), 1)
        x = self.block(self.enter(functional.pixel_unshuffle(seen, 2)))
        change = functional.pixel_shuffle(self.leave(activate(x)), 2)
        return picture.image + LARGEST_CHANGE * torch.tanh(change)


def save_sharpen(network: Sharpen, model: Model, folder: Path) -> Path:
    """Write a sharpening network (fp16) that was trained on this model's pictures; returns the path."""
    path = folder / FILE
    state = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, path, metadata={"weights": model.manifest["weights"]["sha256"]})
    return path


def load_sharpen(model: Model) -> Sharpen | None:
    """The network beside the model's weights, on its device; None where there is none, or one for other weights.

    Raises WeightsError for a file that cannot be read.
    """
    path = model.folder / FILE if model.folder else None
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as stored:
            made_for = (stored.metadata() or {}).get("weights")
        if made_for != model.manifest["weights"]["sha256"]:
            return None
        network = Sharpen()
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: expected a sharpening network, got something else: {reason}") from None
    return network.to(model.device).eval().requires_grad_(False)
