"""What comes into each convolution that runs in 8 bits, seen on clips, and how far the picture was then off.

    <folder>/int8.safetensors      beside a model's weights: one fp32 tensor [2,C] a module, least and most a channel;
                                   in its header the sha256 of the weights it is of, and what was measured

`facewire fit-int8` writes it. The renderer of another machine may be rounded or not: it is no part of the model id.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from models.weights import Model, WeightsError

FILE = "int8.safetensors"
LARGEST_LPIPS = 0.005
LARGEST_LOSS_DB = 0.05


class Range(NamedTuple):
    """Least and most of what was seen in each input channel of a module: [C] each."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def of(self, channels: slice) -> tuple[float, float]:
        """Least and most over some of the channels; zero, which pads a picture's border, is always within."""
        return min(0.0, float(self.low[channels].min())), max(1e-6, float(self.high[channels].max()))


@dataclass(frozen=True)
class Ranges:
    """Ranges by module, and what 8 bits cost on clips that they were not taken from.

    lpips: mean distance of the rounded from the plain picture. loss_db: PSNR that the face lost against the camera's.
    """

    of_modules: Mapping[str, Range]
    lpips: float
    loss_db: float

    @property
    def invisible(self) -> bool:
        """Whether nobody would see it; False also where nothing was measured (NaN)."""
        return self.lpips <= LARGEST_LPIPS and self.loss_db <= LARGEST_LOSS_DB

    @property
    def digest(self) -> str:
        """sha256 (hex) of everything in them: what a graph made with them hangs on."""
        parts = [(name, low.tobytes(), high.tobytes()) for name, (low, high) in sorted(self.of_modules.items())]
        return hashlib.sha256(repr((parts, self.lpips, self.loss_db)).encode()).hexdigest()

    @property
    def words(self) -> str:
        return f"LPIPS {self.lpips:.4f} from fp32, face {self.loss_db:+.3f} dB lost"


def save_ranges(model: Model, ranges: Ranges) -> Path:
    """Write ranges beside a model's weights; returns the path. Raises WeightsError for a model made in memory."""
    if model.folder is None:
        raise WeightsError("expected a model that was loaded from a folder, got one made in memory")
    path = model.folder / FILE
    tensors = {name: np.stack(seen).astype(np.float32) for name, seen in ranges.of_modules.items()}
    measured = {"lpips": f"{ranges.lpips:.6f}", "loss_db": f"{ranges.loss_db:.4f}"}
    save_file(tensors, path, metadata={"weights": model.manifest["weights"]["sha256"], **measured})
    return path


def load_ranges(model: Model) -> Ranges | None:
    """The ranges beside a model's weights; None where there are none, or some for other weights.

    Raises WeightsError for a file that cannot be read.
    """
    path = model.folder / FILE if model.folder else None
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(path, "np") as stored:
            about = stored.metadata() or {}
            if about.get("weights") != model.manifest["weights"]["sha256"]:
                return None
            seen = {name: Range(*stored.get_tensor(name)) for name in stored.keys()}  # noqa: SIM118 (not a dict)
        return Ranges(seen, float(about["lpips"]), float(about["loss_db"]))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{path}: expected ranges as `facewire fit-int8` writes them, got others: {reason}"
        ) from None
