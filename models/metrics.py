"""How like two pictures are: PSNR, SSIM, MS-SSIM, and LPIPS with a SqueezeNet written out in plain torch.

All take RGB [B,3,H,W] in [0,1] and give one value a picture [B]. MetricsError is the one error: pictures of other
shapes, or weights that cannot be used.
"""

import os
from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

LPIPS_VARIABLE = "FACEWIRE_LPIPS"
_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "perceptual"
_WINDOW = 11  # of SSIM's Gaussian, sigma 1.5
SMALLEST_MS_SSIM_PX = _WINDOW * 2**4  # its fifth scale must still hold the window
_LARGEST_PSNR_DB = 100.0  # what equal pictures get, so that means stay finite


class MetricsError(Exception):
    """Pictures or weights that a metric cannot use, in one line: what was expected, what came."""


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio [B] in dB over all pixels and colours; 100 for equal pictures."""
    _check(a, b, 1)
    mse = ((a - b) ** 2).mean((1, 2, 3))
    return -10.0 * mse.clamp(min=10 ** (-_LARGEST_PSNR_DB / 10)).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity [B] (Wang et al. 2004): 11x11 Gaussian, sigma 1.5, mean over RGB.

    Borders are reflected; pictures of at least 11 px.
    """
    _check(a, b, _WINDOW)
    value = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    return _first(value).reshape(len(a))


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale structural similarity [B] (Wang et al. 2003), five scales: pictures of at least 176 px."""
    _check(a, b, SMALLEST_MS_SSIM_PX)
    value = multiscale_structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    return _first(value).reshape(len(a))


def find_lpips_weights() -> Path | None:
    """Weights for LPIPS: the file that FACEWIRE_LPIPS names, else ../shared/data/perceptual beside the repository.

    Raises MetricsError when FACEWIRE_LPIPS names a file that is not there.
    """
    named = os.environ.get(LPIPS_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise MetricsError(f"expected LPIPS weights at {named} ({LPIPS_VARIABLE}), but there is no such file")
        return Path(named)
    return next(iter(sorted(_BESIDE.glob("lpips_squeeze*.safetensors"))), None)


class Fire(nn.Module):
    """SqueezeNet's block: 1x1 to fewer channels, then 1x1 and 3x3 side by side (Iandola et al. 2016)."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,channels,H,W] -> [B,2 expanded,H,W], not negative."""
        x = functional.relu(self.squeeze(x))
        return functional.relu(torch.cat((self.expand1x1(x), self.expand3x3(x)), 1))


class LpipsNetwork(nn.Module):
    """LPIPS v0.1 on SqueezeNet 1.1 (Zhang et al. 2018), differentiable in both pictures; its own weights are fixed.

    Reads safetensors with features.N.*, lin.0..6.weight. Raises MetricsError for another or a damaged file.
    """

    TAPS = (1, 4, 7, 9, 10, 11, 12)  # layers of SqueezeNet 1.1 whose outputs are compared

    shift: Tensor
    scale: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        pools = {index: nn.MaxPool2d(3, stride=2, ceil_mode=True) for index in (2, 5, 8)}
        fires = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128)}
        fires |= {9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}
        layers: dict[int, nn.Module] = {0: nn.Conv2d(3, 64, 3, stride=2), 1: nn.ReLU(), **pools}
        layers |= {index: Fire(*sizes) for index, sizes in fires.items()}
        self.layers = nn.ModuleDict({str(index): layers[index] for index in sorted(layers)})
        widths = (64, 128, 256, 384, 384, 512, 512)
        self.lin = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in widths)
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[:, None, None], persistent=False)
        self._load(path)
        self.requires_grad_(False).eval()

    def features(self, x: Tensor) -> list[Tensor]:
        """What the seven layers see in pictures [B,3,H,W] in [0,1]: [B,C,h,w] each, of unit length over C."""
        x = (x * 2.0 - 1.0 - self.shift) / self.scale
        taps = []
        for index, layer in self.layers.items():
            x = layer(x)
            if int(index) in self.TAPS:
                # The inner constant keeps the gradient of sqrt finite where all channels are 0.
                taps.append(x / ((x**2).sum(1, keepdim=True) + 1e-20).sqrt().add(1e-10))
        return taps

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distance [B] between pictures [B,3,H,W] in [0,1]; 0 for equal ones, at least 32 px."""
        _check(a, b, 32)
        parts = zip(self.features(a), self.features(b), self.lin, strict=True)
        return torch.stack([lin((f_a - f_b) ** 2).mean((1, 2, 3)) for f_a, f_b, lin in parts]).sum(0)

    def _load(self, path: Path) -> None:
        try:
            stored = load_file(path)
            self.load_state_dict({name.replace("features.", "layers."): value for name, value in stored.items()})
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise MetricsError(f"expected LPIPS v0.1 weights for SqueezeNet in {path}, got: {reason}") from None


class Lpips:
    """LPIPS as a figure: called with pictures [B,3,H,W] in [0,1] gives distances [B], without gradients."""

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        self._network = LpipsNetwork(path).to(device)

    @torch.inference_mode()
    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Distance [B] between a and b."""
        distance: Tensor = self._network(a, b)
        return distance


def _check(a: Tensor, b: Tensor, smallest: int) -> None:
    if a.dim() != 4 or a.shape != b.shape or a.shape[1] != 3 or min(a.shape[2:]) < smallest:
        shapes = f"{list(a.shape)} and {list(b.shape)}"
        raise MetricsError(f"expected two batches [B,3,H,W] of one shape, H and W at least {smallest}, got {shapes}")


def _first(value: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """Torchmetrics types its answer as one tensor or two; two only come when they are asked for."""
    return value if isinstance(value, Tensor) else value[0]
