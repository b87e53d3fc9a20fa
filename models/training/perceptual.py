"""Perceptual loss L_P (FV2V A.2): L1 between features of pictures, at several sizes of the picture.

SqueezeNet with LPIPS's weights is at hand everywhere (`models/metrics.py`). VGG19 and face-VGG, which the paper uses,
are taken where the user gives their weights as safetensors; nothing is ever downloaded.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.metrics import LpipsNetwork
from models.training.errors import DataError

SMALLEST_PX = 32  # below it the deep layers see one place only


class FeatureNetwork(nn.Module, ABC):
    """A fixed network whose features are compared; `weights` has one number a layer."""

    weights: tuple[float, ...]
    every_scale: bool = True  # else the picture's own size alone

    @abstractmethod
    def features(self, image: Tensor) -> list[Tensor]:
        """Features [B,C,h,w] of pictures [B,3,H,W] in [0,1], layer by layer."""


class SqueezeFeatures(FeatureNetwork):
    """LPIPS-SqueezeNet's seven layers, each of unit length over channels and weighed by LPIPS's own channel weights.

    Raises MetricsError for weights that do not fit.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.network = LpipsNetwork(path)
        self.weights = (1.0,) * len(LpipsNetwork.TAPS)

    def features(self, image: Tensor) -> list[Tensor]:
        """Scaled so that a mean over channels is LPIPS's weighted sum over them, with |a - b| for (a - b)^2."""
        taps = self.network.features(image)
        return [tap * lin.weight * tap.shape[1] for tap, lin in zip(taps, self.network.lin, strict=True)]  # type: ignore[operator]


# convolutions between two poolings, up to relu_5_1, of VGG16 and VGG19
_VGG16 = (2, 2, 3, 3, 1)
_VGG19 = (2, 2, 4, 4, 1)
_RELU_X_1 = (0.03125, 0.0625, 0.125, 0.25, 1.0)


class VggFeatures(FeatureNetwork):
    """relu_1_1 ... relu_5_1 of a VGG; widths are those of the file. Raises DataError for a file that does not fit."""

    weights = _RELU_X_1

    def __init__(
        self, path: Path, names: Sequence[Sequence[str]], shift: tuple[float, ...], scale: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.names = names
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.tensor(shift)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(scale)[:, None, None], persistent=False)
        self.layers = nn.ModuleDict(_read_convolutions(path, [name for block in names for name in block]))
        self.requires_grad_(False).eval()

    def features(self, image: Tensor) -> list[Tensor]:
        """The five maps, the first at full size, each later one at half the size of the one before."""
        x = (image - self.shift) / self.scale
        taps = []
        for number, block in enumerate(self.names):
            if number:
                x = functional.max_pool2d(x, 2)
            for place, name in enumerate(block):
                x = functional.relu(self.layers[_key(name)](x))
                if place == 0:
                    taps.append(x)
        return taps


def vgg19(path: Path) -> VggFeatures:
    """ImageNet's VGG19 from torchvision's names (features.0.weight ... features.28.bias), RGB."""
    names, index = [], 0
    for count in _VGG19:
        names.append([f"features.{index + 2 * place}" for place in range(count)])
        index += 2 * count + 1
    return VggFeatures(path, names, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def face_vgg(path: Path) -> VggFeatures:
    """VGG-Face (Parkhi et al. 2015), a VGG16 with names conv1_1 ... conv5_1, RGB of 0 to 255 less its mean face.

    Compared at the picture's own size alone (FV2V A.2).
    """
    names = [[f"conv{block + 1}_{place + 1}" for place in range(count)] for block, count in enumerate(_VGG16)]
    mean = (129.1863 / 255.0, 104.7624 / 255.0, 93.5940 / 255.0)
    network = VggFeatures(path, names, mean, (1.0 / 255.0,) * 3)
    network.every_scale = False
    return network


class PerceptualLoss(nn.Module):
    """Sum over networks, sizes and layers of layer weight times mean L1 of the features.

    Sizes are 1, 1/2, 1/4, 1/8 of the picture (FOMM's pyramid: once, and three times again), none below 32 px.
    """

    def __init__(self, networks: Sequence[FeatureNetwork], scales: int = 4) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.scales = scales

    def forward(self, y: Tensor, target: Tensor) -> Tensor:
        """Scalar distance of pictures [B,3,H,W] in [0,1]; no gradient flows to `target`."""
        total = y.new_zeros((), dtype=torch.float32)
        for scale in range(self.scales):
            if scale:
                if min(y.shape[-2:]) < 2 * SMALLEST_PX:
                    break
                y, target = functional.avg_pool2d(y, 2), functional.avg_pool2d(target, 2)
            for network in self.networks:
                if scale == 0 or network.every_scale:
                    total = total + _distance(network, y, target)  # type: ignore[arg-type]
        return total


def perceptual_loss(
    squeeze: Path | None, vgg: Path | None, face: Path | None, device: torch.device | str = "cpu"
) -> PerceptualLoss | None:
    """The loss over those networks whose weights are given; None without any.

    VGG19 takes SqueezeNet's place: the paper has no need of both. Raises MetricsError or DataError.
    """
    networks: list[FeatureNetwork] = []
    if vgg is not None:
        networks.append(vgg19(vgg))
    elif squeeze is not None:
        networks.append(SqueezeFeatures(squeeze))
    if face is not None:
        networks.append(face_vgg(face))
    return PerceptualLoss(networks).to(device) if networks else None


def _distance(network: FeatureNetwork, y: Tensor, target: Tensor) -> Tensor:
    with torch.no_grad():
        wanted = network.features(target)
    parts = [
        weight * (a.float() - b.float()).abs().mean()
        for weight, a, b in zip(network.weights, network.features(y), wanted, strict=True)
    ]
    return torch.stack(parts).sum()


def _key(name: str) -> str:
    return name.replace(".", "_")  # a ModuleDict has no dots in its keys


def _read_convolutions(path: Path, names: Sequence[str]) -> dict[str, nn.Module]:
    try:
        stored = load_file(path)
        layers: dict[str, nn.Module] = {}
        channels = 3
        for name in names:
            weight, bias = stored[f"{name}.weight"], stored[f"{name}.bias"]
            if weight.dim() != 4 or tuple(weight.shape[1:]) != (channels, 3, 3) or len(bias) != len(weight):
                raise ValueError(f"{name}.weight of shape {list(weight.shape)} after {channels} channels")
            layer = nn.Conv2d(channels, len(weight), 3, padding=1)
            layer.load_state_dict({"weight": weight, "bias": bias})
            layers[_key(name)], channels = layer, len(weight)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DataError(f"{path}: expected VGG weights with {names[0]} ... {names[-1]}, got: {error}") from None
    return layers
