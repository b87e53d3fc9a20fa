"""Patches: where they lie, how positions go in and out of them, and what they show."""

import math

import pytest
import torch

from models.keypoints import LANDMARKS
from models.regions import EYE_LEFT, EYE_RIGHT, MOUTH, PICK, FaceRegions, Patch, RegionPoints, place_patches
from models.training.mean_face import mean_face, mirror_points


def face() -> torch.Tensor:
    """Keypoints [1,K,2] of the mean face, half as large as the crop."""
    return torch.from_numpy(mean_face()[list(LANDMARKS)]).float()[None, :, :2] * 0.6


def turned(points: torch.Tensor, angle_deg: float) -> torch.Tensor:
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return points @ torch.tensor([[c, s], [-s, c]])


def test_right_eye_is_the_left_one_mirrored() -> None:
    partner = mirror_points().tolist()
    assert tuple(partner[point] for point in EYE_LEFT) == EYE_RIGHT


def test_keypoints_are_found_among_the_regions_points() -> None:
    everything = EYE_LEFT + EYE_RIGHT + MOUTH
    assert [everything[index] for index, point in zip(PICK, LANDMARKS, strict=True) if point in everything] == [
        point for point in LANDMARKS if point in everything
    ]


def test_positions_go_in_and_out() -> None:
    """A patch about (0.5, 0) with half a side of 0.2, turned by 90 degrees: its x axis points down."""
    patch = Patch(torch.tensor([[0.5, 0.0]]), torch.tensor([[[0.0, -0.2], [0.2, 0.0]]]))
    p = patch.to_crop(torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))
    torch.testing.assert_close(p, torch.tensor([[[0.5, 0.2], [0.3, 0.0]]]))
    torch.testing.assert_close(patch.to_patch(p), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))


def test_sample_shows_what_lies_there() -> None:
    """Half of the picture's side, about its lower right quarter: exactly those pixels."""
    image = torch.rand(1, 3, 16, 16)
    patch = Patch(torch.tensor([[0.5, 0.5]]), 0.5 * torch.eye(2)[None])
    torch.testing.assert_close(patch.sample(image, 8), image[..., 8:, 8:])


@pytest.mark.parametrize("angle_deg", [0.0, 25.0, -40.0])
def test_patches_turn_with_the_head(angle_deg: float) -> None:
    """Seen in its patch, every landmark of an eye stays where it is however the head leans."""
    upright = place_patches(face(), torch.full((1,), math.log(0.6)))
    leaning = place_patches(turned(face(), angle_deg), torch.full((1,), math.log(0.6)))
    for a, b in zip(upright, leaning, strict=True):
        torch.testing.assert_close(a.to_patch(face()), b.to_patch(turned(face(), angle_deg)), atol=1e-5, rtol=0.0)


def test_eyes_look_alike_in_their_patches() -> None:
    left, right, _, _ = place_patches(face(), torch.full((1,), math.log(0.6)))
    mean = torch.tensor(mean_face()).float()[None, :, :2] * 0.6
    torch.testing.assert_close(
        left.to_patch(mean[:, list(EYE_LEFT)]), right.to_patch(mean[:, list(EYE_RIGHT)]), atol=1e-4, rtol=0.0
    )


def test_points_are_the_means_of_their_heatmaps() -> None:
    """All heat in one cell is the middle of that cell; equal heat everywhere is the middle of the patch."""
    network = RegionPoints((8, 8, 8), 1).eval()
    torch.nn.init.zeros_(network.heat.weight)
    patch = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(network(patch), torch.zeros(1, 1, 2))
    network.join.register_forward_hook(lambda *_: one_cell())
    network.heat.weight.data[0, 0, 1, 1] = 1.0
    torch.testing.assert_close(network(patch), torch.tensor([[[0.25, -0.75]]]))


def one_cell() -> torch.Tensor:
    heat = torch.zeros(1, 8, 4, 4)
    heat[0, 0, 0, 2] = 100.0  # row 0, column 2 of 4 x 4
    return heat


def test_every_region_is_found_in_one_pass() -> None:
    regions = FaceRegions(16, (8, 8, 8)).eval()
    points = regions(torch.rand(2, 3, 64, 64), place_patches(face().expand(2, -1, -1), torch.zeros(2)))
    assert points.shape[:1] + points.shape[2:] == (2, 2)
    assert max(PICK) < points.shape[1]
