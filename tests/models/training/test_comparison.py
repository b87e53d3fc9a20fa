from dataclasses import replace

import numpy as np
import pytest
import torch

from models.training.comparison import (
    Figures,
    correlation,
    cut_box,
    landmark_figures,
    lid_opening,
    mean_figures,
    measure,
    median_figures,
    mouth_opening,
)
from models.training.mean_face import mean_face


def faces(count: int = 4) -> np.ndarray:
    """Landmarks [N,478,2] in [-1,1] of the mean face."""
    return np.repeat(mean_face()[None, :, :2] * 0.6, count, 0)


def test_distance_is_in_px_at_256() -> None:
    driving = faces()
    figures = landmark_figures(driving + (3 / 128, 4 / 128), driving)
    assert figures["akd_px"] == pytest.approx(5.0)
    assert figures["akd_mouth_px"] == pytest.approx(5.0)
    assert figures["faces_found"] == 1.0


def test_regions_see_only_their_own_points_and_irises_count_nowhere() -> None:
    driving, output = faces(), faces()
    output[:, 14, 1] += 40 / 128  # lower lip: 1 of 40 lip points, 1 of 468
    output[:, 468:] += 1.0
    figures = landmark_figures(output, driving)
    assert figures["akd_mouth_px"] == pytest.approx(1.0)
    assert figures["akd_px"] == pytest.approx(40 / 468)
    assert figures["akd_eyes_px"] == pytest.approx(0.0)


def test_pictures_without_a_face_count_as_missed_not_as_distance() -> None:
    driving, output = faces(5), faces(5)
    output[0] = np.nan
    driving[4] = np.nan
    figures = landmark_figures(output, driving)
    assert figures["faces_found"] == pytest.approx(3 / 4)
    assert figures["akd_px"] == 0.0
    output[:] = np.nan
    assert landmark_figures(output, driving)["akd_px"] is None


def test_openings_are_ratios_and_follow() -> None:
    opened = faces(6)
    gap = np.linspace(0, 0.2, 6)
    opened[:, 14, 1] = opened[:, 13, 1] + gap
    height = np.linalg.norm(opened[0, 10] - opened[0, 152])
    np.testing.assert_allclose(mouth_opening(opened), gap / height)
    np.testing.assert_allclose(mouth_opening(opened * 3), gap / height)
    shut = faces(2)
    shut[1, [159, 386]] = shut[1, [145, 374]]
    np.testing.assert_allclose(lid_opening(shut)[1], 0.0)
    assert lid_opening(shut)[0] > 0.1
    half = faces(6)
    half[:, 14, 1] = half[:, 13, 1] + gap / 2
    assert landmark_figures(half, opened)["mouth_correlation"] == pytest.approx(1.0)
    assert landmark_figures(faces(6), opened)["mouth_correlation"] == 0.0
    assert landmark_figures(opened, faces(6))["mouth_correlation"] is None


def test_correlation_of_a_worked_case() -> None:
    assert correlation(np.array([1.0, 2, 3, 2]), np.array([3.0, 2, 1, 2])) == pytest.approx(-1.0)
    assert correlation(np.array([0.0, 1, 0, 1]), np.array([0.0, 0, 1, 1])) == pytest.approx(0.0)
    assert correlation(np.array([1.0, 2]), np.array([1.0, 2])) is None


def test_face_box_has_a_margin_and_stays_inside() -> None:
    picture = torch.arange(100 * 100).reshape(1, 1, 100, 100).expand(1, 3, 100, 100).float()
    cut = cut_box(picture, np.array([-0.2, -0.4, 0.2, 0.4]))
    assert cut.shape == (1, 3, 44, 22)  # 40 x 20 px, and 5 % on each side
    assert cut[0, 0, 0, 0] == 28 * 100 + 39
    assert cut_box(picture, np.array([0.99, -2.0, 1.5, 2.0])).shape == (1, 3, 100, 11)


def test_damage_outside_the_face_is_not_seen_in_it() -> None:
    driving = torch.full((3, 3, 64, 64), 0.5)
    outputs = driving.clone()
    outputs[:, :, :, :8] = 0.9
    box = np.tile([-0.5, -0.5, 0.5, 0.5], (3, 1))
    figures = measure(outputs, driving, box, None, None)
    assert figures.face_psnr_db == 100.0
    assert figures.psnr_db == pytest.approx(-10 * np.log10(0.16 / 8), abs=1e-3)
    assert figures.lpips is None
    assert figures.ms_ssim is None  # 64 px is too small for five scales
    assert figures.akd_px is None


def test_means_and_medians_leave_out_what_is_not_known() -> None:
    one = Figures(20.0, 0.5, None, 0.1, 20.0, 0.5, None, akd_px=1.0)
    clips = [one, replace(one, psnr_db=26.0, akd_px=None), replace(one, psnr_db=23.0, akd_px=4.0)]
    assert mean_figures(clips).psnr_db == 23.0
    assert mean_figures(clips).akd_px == 2.5
    assert mean_figures(clips).ms_ssim is None
    assert median_figures([*clips, replace(one, psnr_db=90.0)]).psnr_db == 24.5
