"""finder_loss.py: targets and both terms, worked by hand."""

import math

import numpy as np
import pytest
import torch

from models.training.finder_loss import LEAST_SPREAD, Targets, box_loss, heat_loss, targets_of

NOBODY = np.zeros((0, 4), np.float32)


def test_targets_of_one_face() -> None:
    # 32 px are 4 cells. The face's middle is (12, 20) px = (1.5, 2.5) cells: the middle of cell row 2, column 1.
    target = targets_of([np.array([[8, 16, 16, 24]], np.float32)], 32)
    assert target.heat.shape == (1, 1, 4, 4)
    assert target.heat[0, 0, 2, 1] == 1
    assert target.heat[0, 0, 2, 2] == pytest.approx(math.exp(-1 / (2 * LEAST_SPREAD**2)))
    assert int((target.heat == 1).sum()) == 1
    assert target.box[0, :, 2, 1].tolist() == pytest.approx([0, 0, math.log(0.25), math.log(0.25)])
    assert target.box[0, :2, 2, 2].tolist() == pytest.approx([-1, 0])  # from the cell beside it, one cell to the left


def test_targets_of_a_large_face_are_spread_wider() -> None:
    small, large = (targets_of([np.array([box], np.float32)], 128).heat for box in ([60, 60, 68, 68], [4, 4, 124, 124]))
    assert large.sum() > 2 * small.sum()


def test_targets_of_two_faces_each_has_its_own_middle() -> None:
    boxes = np.array([[0, 0, 16, 16], [16, 16, 32, 32]], np.float32)
    target = targets_of([boxes, NOBODY], 32)
    assert int((target.heat[0] == 1).sum()) == 2
    assert float(target.heat[1].sum()) == 0
    assert target.box[0, :2, 0, 0].tolist() == pytest.approx([0.5, 0.5])
    assert target.box[0, :2, 3, 3].tolist() == pytest.approx([-0.5, -0.5])


def test_targets_of_a_middle_outside_of_the_picture_is_in_its_last_cell() -> None:
    assert targets_of([np.array([[-20, 0, 4, 8]], np.float32)], 32).heat[0, 0, 0, 0] == 1


def test_heat_loss_case_by_hand() -> None:
    heat, target = torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.5]]]])
    # both at p = 1/2: the middle gives (1/2)^2 ln 2, the other (1 - 1/2)^4 (1/2)^2 ln 2; one face, one picture
    expected = (0.25 + 0.0625 * 0.25) * math.log(2) / 2
    assert float(heat_loss(heat, target)) == pytest.approx(expected)


def test_heat_loss_of_a_picture_without_a_face() -> None:
    assert float(heat_loss(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))) == pytest.approx(4 * 0.25 * math.log(2))
    assert float(heat_loss(torch.full((1, 1, 2, 2), -9.0), torch.zeros(1, 1, 2, 2))) < 1e-6


def test_box_loss_case_by_hand() -> None:
    heat = torch.tensor([[[[1.0, 0.5, 0.3]]]])  # the third cell is too far from the middle to learn
    target = Targets(heat, torch.zeros(1, 4, 1, 3))
    said = torch.zeros(1, 4, 1, 3)
    said[0, :, 0, 0] = torch.tensor([0.1, -0.2, 0.0, 0.3])
    said[0, :, 0, 1] = torch.tensor([0.0, 0.0, 0.4, 0.0])
    said[0, :, 0, 2] = 100.0
    # (0.1 + 0.2 + 2 * 0.3) * 1 + (2 * 0.4) * 0.5, over the heat 1.5
    assert float(box_loss(said, target)) == pytest.approx((0.9 + 0.4) / 1.5)


def test_box_loss_without_faces_is_nothing() -> None:
    assert float(box_loss(torch.ones(1, 4, 2, 2), Targets(torch.zeros(1, 1, 2, 2), torch.zeros(1, 4, 2, 2)))) == 0
