import torch

from models.keypoints import EXPRESSIVE, LANDMARKS, MIRROR, flip_points
from models.training.mean_face import mean_face, mirror_points


def test_twenty_different_landmarks() -> None:
    assert len(set(LANDMARKS)) == len(LANDMARKS) == 20
    assert set(EXPRESSIVE) < set(range(20))


def test_mirror_agrees_with_the_mean_face() -> None:
    """Each keypoint's partner is where the mirrored mean face has it."""
    partners = mirror_points()
    for k, landmark in enumerate(LANDMARKS):
        assert LANDMARKS[MIRROR[k]] == partners[landmark]


def test_flip_twice_is_nothing_and_a_symmetric_face_stays() -> None:
    points = torch.randn(2, 20, 3)
    flip = torch.tensor([True, False])
    torch.testing.assert_close(flip_points(flip_points(points, flip), flip), points)
    face = torch.from_numpy(mean_face()[list(LANDMARKS)]).float()[None]
    torch.testing.assert_close(flip_points(face, torch.tensor([True])), face, atol=1e-4, rtol=0.0)
