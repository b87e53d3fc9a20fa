"""Likeness of pictures that is known beforehand."""

import numpy as np
import pytest

from replay import picture
from replay.errors import ClipError
from replay.picture import Picture, measure_pictures


def grey(level: int) -> Picture:
    return np.full((64, 64, 3), level, np.uint8)


@pytest.fixture(autouse=True)
def no_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "find_lpips_weights", lambda: None)


def test_means_are_over_all_frames_of_all_batches() -> None:
    """Half of 18 frames off by 1/10 (20 dB), half off by 1/100 (40 dB), more than one batch."""
    camera = [grey(0)] * 18
    shown = [grey(0) + np.uint8(round(255 / 10))] * 9 + [grey(0) + np.uint8(round(255 / 100))] * 9
    figures = measure_pictures(zip(camera, shown, strict=True), grey(0))
    assert figures.psnr_db == pytest.approx((19.81 + 38.59) / 2, abs=0.01)  # 26/255 and 3/255, in whole levels
    assert figures.frames == 18


def test_source_picture_is_the_baseline() -> None:
    figures = measure_pictures([(grey(100), grey(0))], grey(100))
    assert figures.psnr_db < 10
    assert figures.repeat_source.psnr_db == 100
    assert figures.repeat_source.ssim == pytest.approx(1)


def test_without_weights_lpips_is_none() -> None:
    figures = measure_pictures([(grey(1), grey(2))], grey(3))
    assert figures.lpips is None
    assert figures.repeat_source.lpips is None


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ClipError, match="none to compare"):
        measure_pictures([], grey(0))
