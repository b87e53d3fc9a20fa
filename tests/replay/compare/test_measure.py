"""Figures equal those that `facewire validate` uses, and say what they should of known pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from models.metrics import Lpips, find_lpips_weights, ms_ssim, psnr
from replay.compare.clip import Picture
from replay.compare.inception import check_weights, frechet
from replay.compare.measure import Instruments, measure
from replay.compare.similarity import l1, psnr_db, ssim_and_ms_ssim
from replay.errors import CompareError
from tests.replay.compare.moving import picture, reference


def noisy(one: Picture, seed: int = 0, spread: float = 9.0) -> Picture:
    noise = np.random.default_rng(seed).normal(0, spread, one.shape)
    return np.clip(one + noise, 0, 255).astype(np.uint8)


def tensor(one: Picture) -> Tensor:
    return torch.from_numpy(one).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("size", [192, 177])
def test_similarity_is_torchmetrics_over_windows_wholly_inside(size: int) -> None:
    a, b = picture(size, 3), noisy(picture(size, 4))
    similarity, of_scales = ssim_and_ms_ssim(a, b)
    answer = structural_similarity_index_measure(tensor(a), tensor(b), data_range=1.0, return_full_image=True)
    assert similarity == pytest.approx(float(answer[1][..., 5:-5, 5:-5].mean()), abs=2e-4)
    assert of_scales == pytest.approx(float(ms_ssim(tensor(a), tensor(b))), abs=5e-3)  # there, one scale has borders
    assert psnr_db(a, b) == pytest.approx(float(psnr(tensor(a), tensor(b))), abs=1e-3)


def test_small_and_equal_pictures() -> None:
    a = picture(64, 0)
    similarity, of_scales = ssim_and_ms_ssim(a, a)
    assert similarity == pytest.approx(1.0, abs=1e-5)
    assert of_scales is None
    assert psnr_db(a, a) == 100
    assert l1(a, np.clip(a.astype(int) + 5, 0, 255).astype(np.uint8)) == pytest.approx(5.0, abs=0.2)


def test_lpips_is_that_of_models_metrics() -> None:
    weights = find_lpips_weights()
    if weights is None:
        pytest.skip("no LPIPS weights in ../shared")
    a, b = picture(64, 3), noisy(picture(64, 4))
    with Instruments(weights, None) as instruments:
        mine = instruments.lpips_distance(instruments.features(a), instruments.features(b))
    assert mine == pytest.approx(float(Lpips(weights)(tensor(a), tensor(b))), rel=1e-4)


def test_a_frozen_picture_flickers_as_much_as_the_clip_moves() -> None:
    clip = reference()
    still = dict.fromkeys(clip.wanted, clip.pictures[0])
    with Instruments(None, None) as instruments:
        found = measure(clip, {"still": still, "same": clip.pictures}, instruments)
    moved = [np.abs(clip.pictures[n].astype(int) - clip.pictures[n - 1]).mean() for n in clip.measured[1:]]
    assert found["still"].figures["flicker"] == pytest.approx(np.mean(moved))
    assert found["same"].figures["flicker"] == 0
    assert found["same"].figures["psnr_db"] == 100
    assert found["still"].figures["lpips"] is None
    assert "akd_px" not in found["still"].figures  # nobody looked for faces


def test_fid_is_that_of_gaussians() -> None:
    """Known by the formula for diagonal covariances: |m|^2 + sum (s_a - s_b)^2."""
    random = np.random.default_rng(1)
    a = random.normal(0, 1, (20000, 4)).astype(np.float32)
    b = (3 * random.normal(0, 1, (20000, 4)) + (2, 0, 0, 0)).astype(np.float32)
    assert frechet(a[:2000], b[:2000]) == pytest.approx(4 + 4 * (3 - 1) ** 2, rel=0.1)
    assert frechet(a[:500], a[:500]) == pytest.approx(0, abs=1e-6)


def test_fids_weights_must_be_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="found no such file; they are at https"):
        check_weights(tmp_path / "none.pth")
    (tmp_path / "other.pth").write_bytes(b"something else")
    with pytest.raises(CompareError, match="expected sha256 6726825d0af5"):
        check_weights(tmp_path / "other.pth")
