from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.metrics import LpipsNetwork
from models.training.errors import DataError
from models.training.perceptual import FeatureNetwork, PerceptualLoss, SqueezeFeatures, face_vgg, vgg19
from tests.models.squeeze_weights import write_squeeze


class Brightness(FeatureNetwork):
    """Two layers: the picture itself, and twice its mean; easy to compute in the head."""

    weights = (1.0, 10.0)

    def features(self, image: Tensor) -> list[Tensor]:
        return [image, 2.0 * image.mean((2, 3), keepdim=True)]


def test_distance_of_a_constant_error_by_hand() -> None:
    """0.1 everywhere costs 1 * 0.1 + 10 * 0.2 = 2.1 a size; 256, 128, 64 and 32 px are four sizes, 64 and 32 two."""
    target = torch.rand(1, 3, 256, 256)
    loss = PerceptualLoss([Brightness()])
    assert loss(target + 0.1, target).item() == pytest.approx(4 * 2.1, rel=1e-4)
    small = target[..., :64, :64]
    assert loss(small + 0.1, small).item() == pytest.approx(2 * 2.1, rel=1e-4)
    assert PerceptualLoss([Brightness()], scales=1)(small + 0.1, small).item() == pytest.approx(2.1, rel=1e-4)
    assert loss(target, target).item() == 0.0


def test_networks_add_up_and_some_look_at_the_full_size_alone() -> None:
    target = torch.rand(1, 3, 64, 64)
    once = Brightness()
    once.every_scale = False
    assert PerceptualLoss([Brightness(), once])(target + 0.1, target).item() == pytest.approx(3 * 2.1, rel=1e-4)


def test_fine_errors_vanish_at_coarse_sizes() -> None:
    """A checkerboard of +-0.1 is seen at the first size and averaged away at the second."""
    target = torch.full((1, 3, 64, 64), 0.5)
    sign = 1.0 - 2.0 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2)
    assert PerceptualLoss([Brightness()])(target + 0.1 * sign, target).item() == pytest.approx(0.1, abs=1e-5)


def test_squeeze_features_sum_to_lpips_with_l1_for_l2(tmp_path: Path) -> None:
    path = write_squeeze(tmp_path)
    network, features = LpipsNetwork(path), SqueezeFeatures(path)
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    a, b = pictures[:1], pictures[1:]
    expected = sum(
        float((lin.get_parameter("weight") * (f_a - f_b).abs()).sum(1).mean())
        for f_a, f_b, lin in zip(network.features(a), network.features(b), network.lin, strict=True)
    )
    assert PerceptualLoss([features], scales=1)(a, b).item() == pytest.approx(expected, rel=1e-4)


def test_gradient_reaches_the_picture_and_nothing_else(tmp_path: Path) -> None:
    loss = PerceptualLoss([SqueezeFeatures(write_squeeze(tmp_path))])
    y, target = (torch.rand(1, 3, 64, 64, requires_grad=True) for _ in range(2))
    loss(y, target).backward()
    assert y.grad is not None
    assert y.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())


def write_vgg(path: Path, names: list[str], widths: list[int]) -> Path:
    """A narrow VGG whose every convolution passes the mean of its inputs on to all outputs, plus 0.5."""
    tensors: dict[str, Tensor] = {}
    channels = 3
    for name, width in zip(names, widths, strict=True):
        weight = torch.zeros(width, channels, 3, 3)
        weight[:, :, 1, 1] = 1.0 / channels
        tensors |= {f"{name}.weight": weight, f"{name}.bias": torch.full((width,), 0.5)}
        channels = width
    save_file(tensors, path)
    return path


VGG19_NAMES = [f"features.{n}" for n in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)]
FACE_NAMES = [f"conv{b}_{n}" for b, count in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 1)) for n in range(1, count + 1)]
VGG19_WIDTHS = [2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6]


def test_vgg19_takes_the_first_relu_of_each_block(tmp_path: Path) -> None:
    """A grey of ImageNet's mean enters as 0; each convolution adds 0.5; relu_x_1 are the 1st, 3rd, 5th, 9th, 13th."""
    network = vgg19(write_vgg(tmp_path / "vgg.safetensors", VGG19_NAMES, VGG19_WIDTHS))
    grey = torch.tensor([0.485, 0.456, 0.406])[:, None, None].expand(1, 3, 64, 64)
    taps = network.features(grey)
    assert [tap.mean().item() for tap in taps] == pytest.approx([0.5, 1.5, 2.5, 4.5, 6.5], abs=1e-4)
    assert [tuple(tap.shape[1:]) for tap in taps] == [(2, 64, 64), (3, 32, 32), (4, 16, 16), (5, 8, 8), (6, 4, 4)]
    assert network.weights == (0.03125, 0.0625, 0.125, 0.25, 1.0)
    # one deviation brighter in every channel: each map is 1 brighter
    brighter = grey + torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    assert PerceptualLoss([network], scales=1)(brighter, grey).item() == pytest.approx(1.46875, rel=1e-4)


def test_face_vgg_looks_once_at_levels_of_255(tmp_path: Path) -> None:
    network = face_vgg(write_vgg(tmp_path / "face.safetensors", FACE_NAMES, [2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6]))
    grey = torch.tensor([129.1863, 104.7624, 93.5940])[:, None, None].expand(1, 3, 64, 64) / 255.0
    assert [tap.mean().item() for tap in network.features(grey)] == pytest.approx([0.5, 1.5, 2.5, 4.0, 5.5], abs=1e-3)
    assert PerceptualLoss([network])(grey + 1.0 / 255.0, grey).item() == pytest.approx(1.46875, rel=1e-3)


def test_weights_of_another_network_are_refused_in_words(tmp_path: Path) -> None:
    path = write_vgg(tmp_path / "face.safetensors", FACE_NAMES, [2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6])
    with pytest.raises(DataError, match=r"expected VGG weights with features\.0 \.\.\. features\.28, got"):
        vgg19(path)
    (tmp_path / "cut").write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="expected VGG weights"):
        face_vgg(tmp_path / "cut")
    wrong = write_vgg(tmp_path / "w.safetensors", VGG19_NAMES, VGG19_WIDTHS)
    tensors = load_file(wrong)
    tensors["features.5.weight"] = torch.zeros(3, 7, 3, 3)
    save_file(tensors, wrong)
    with pytest.raises(DataError, match=r"features\.5\.weight of shape \[3, 7, 3, 3\] after 2 channels"):
        vgg19(wrong)
