import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.metrics import Lpips, LpipsNetwork, MetricsError, find_lpips_weights, ms_ssim, psnr, ssim
from tests.models.squeeze_weights import write_squeeze

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_psnr_of_a_known_error() -> None:
    a = torch.full((2, 3, 16, 16), 0.5)
    b = a.clone()
    b[0] += 0.1  # mse 0.01
    b[1, 0] += 0.3  # one colour of three: mse 0.03
    torch.testing.assert_close(psnr(a, b), torch.tensor([20.0, -10 * math.log10(0.03)]))
    assert psnr(a, a).tolist() == [100.0, 100.0]


def test_ssim_of_a_known_case() -> None:
    # Constant pictures have no variance: only the luminance term (2ab + C1) / (a^2 + b^2 + C1) is left.
    a, b = torch.full((1, 3, 32, 32), 0.4), torch.full((1, 3, 32, 32), 0.8)
    expected = (2 * 0.4 * 0.8 + 0.01**2) / (0.4**2 + 0.8**2 + 0.01**2)
    torch.testing.assert_close(ssim(a, b), torch.tensor([expected]), atol=1e-4, rtol=0)
    x = noise(2, 3, 32, 32)
    torch.testing.assert_close(ssim(x, x), torch.ones(2))
    assert (ssim(x, 1 - x) < 0).all()


def test_ssim_against_the_definition() -> None:
    a, b = noise(1, 3, 16, 12).double(), noise(1, 3, 16, 12, seed=1).double()
    offset = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-(offset**2) / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2

    def windows(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(x, (5, 5, 5, 5), mode="reflect").unfold(2, 11, 1).unfold(3, 11, 1)

    def mean(x: torch.Tensor) -> torch.Tensor:
        return (x * window).sum((-2, -1))

    w_a, w_b = windows(a), windows(b)
    mu_a, mu_b = mean(w_a), mean(w_b)
    var_a, var_b, cov = mean(w_a**2) - mu_a**2, mean(w_b**2) - mu_b**2, mean(w_a * w_b) - mu_a * mu_b
    value = (2 * mu_a * mu_b + 1e-4) * (2 * cov + 9e-4) / ((mu_a**2 + mu_b**2 + 1e-4) * (var_a + var_b + 9e-4))
    torch.testing.assert_close(ssim(a, b), value.mean((1, 2, 3)))


def test_ms_ssim_orders_pictures_by_damage_and_needs_size() -> None:
    a = torch.nn.functional.interpolate(noise(1, 3, 12, 12), (192, 192), mode="bicubic").clamp(0, 1)
    values = [
        ms_ssim(a, (a + strength * (noise(1, 3, 192, 192) - 0.5)).clamp(0, 1)).item() for strength in (0, 0.2, 0.8)
    ]
    assert values[0] == pytest.approx(1.0)
    assert values[0] > values[1] > values[2] > 0
    assert ms_ssim(noise(2, 3, 176, 176), noise(2, 3, 176, 176)).shape == (2,)
    with pytest.raises(MetricsError, match="at least 176"):
        ms_ssim(noise(1, 3, 175, 200), noise(1, 3, 175, 200))


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 1, 16, 16), (1, 3, 16, 15)])
def test_other_shapes_are_refused_in_words(shape: tuple[int, ...]) -> None:
    with pytest.raises(MetricsError, match=r"expected two batches \[B,3,H,W\]"):
        psnr(noise(1, 3, 16, 16), noise(*shape))


def test_lpips_has_the_gradient_that_a_loss_needs(tmp_path: Path) -> None:
    network = LpipsNetwork(write_squeeze(tmp_path))
    a, b = noise(2, 3, 64, 64).requires_grad_(), noise(2, 3, 64, 64, seed=1)
    distance = network(a, b)
    assert distance.shape == (2,)
    assert (distance > 0).all()
    distance.sum().backward()
    assert a.grad is not None
    assert torch.isfinite(a.grad).all()
    assert a.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())
    black = torch.zeros(1, 3, 64, 64, requires_grad=True)
    network(black, black.detach()).sum().backward()
    assert black.grad is not None
    assert torch.isfinite(black.grad).all()


def test_lpips_is_symmetric_zero_for_equals_and_per_picture(tmp_path: Path) -> None:
    lpips = Lpips(write_squeeze(tmp_path))
    a, b = noise(2, 3, 64, 64), noise(2, 3, 64, 64, seed=1)
    torch.testing.assert_close(lpips(a, b), lpips(b, a))
    assert lpips(a, a).tolist() == [0.0, 0.0]
    torch.testing.assert_close(lpips(a, b)[1:], lpips(a[1:], b[1:]))


def test_lpips_features_have_the_sizes_of_squeezenet(tmp_path: Path) -> None:
    taps = LpipsNetwork(write_squeeze(tmp_path)).features(noise(1, 3, 256, 256))
    assert [(tap.shape[1], tap.shape[2]) for tap in taps] == [
        (64, 127), (128, 63), (256, 31), (384, 15), (384, 15), (512, 15), (512, 15),
    ]  # fmt: skip
    torch.testing.assert_close((taps[3] ** 2).sum(1), torch.ones(1, 15, 15))


def test_bad_weights_are_refused_in_words(tmp_path: Path) -> None:
    good = write_squeeze(tmp_path)
    missing = load_file(good)
    del missing["lin.6.weight"]
    save_file(missing, tmp_path / "missing.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(good.read_bytes()[:5000])
    for name in ("missing.safetensors", "cut.safetensors", "gone.safetensors"):
        with pytest.raises(MetricsError, match="expected LPIPS v0.1 weights for SqueezeNet") as error:
            LpipsNetwork(tmp_path / name)
        assert "\n" not in str(error.value)


def test_named_weights_win_and_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.safetensors"
    monkeypatch.setenv("FACEWIRE_LPIPS", str(path))
    with pytest.raises(MetricsError, match="no such file"):
        find_lpips_weights()
    path.write_bytes(b"")
    assert find_lpips_weights() == path


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "perceptual").is_dir(), reason="needs ../shared/data/perceptual")
def test_lpips_of_a_real_pair() -> None:
    # With this code the first frames of the val clips, repeated, score 0.132 on each 6th of 150 frames, as
    # ../shared/research/codec_anchors.md, section 6, has it; this pair is one of those.
    weights = find_lpips_weights()
    assert weights is not None
    video = cv2.VideoCapture(str(SHARED / "talking_heads" / "val" / "id092_0.mp4"))
    frames = [video.read()[1][..., ::-1] for _ in range(61)]
    picture = torch.from_numpy(np.stack([frames[0], frames[60]])).permute(0, 3, 1, 2).float() / 255
    assert Lpips(weights)(picture[:1], picture[1:]).item() == pytest.approx(0.0264, abs=1e-3)
