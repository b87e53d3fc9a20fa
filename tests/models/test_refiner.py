"""The refiner: where its patches lie, that they are put back where they came from, and what it may touch."""

import pytest
import torch
from torch import Tensor

from models.config import TINY
from models.interface import Keypoints
from models.keypoints import LANDMARKS, flip_points
from models.refiner import Refiner, fade, inside, opening_maps, paste
from models.regions import Patch
from models.runtime.base import Graph
from models.runtime.openvino_graph import OpenVino
from models.training.mean_face import mean_face


def keypoints(scale: float = 0.6, shift: float = 0.0) -> Keypoints:
    """The mean face [1,K,3]."""
    x = torch.from_numpy(mean_face()[list(LANDMARKS)]).float()[None] * scale
    x[..., 0] += shift
    t = torch.tensor([[shift, 0.0, 0.0]])
    t[:, 2] = torch.tensor(scale).log()
    return Keypoints(x, torch.eye(3)[None], t, torch.zeros_like(x))


def noise(seed: int, size: int = 64) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def trained() -> Refiner:
    torch.manual_seed(0)
    refiner = Refiner(TINY).eval()
    for region in (refiner.mouth, refiner.eye):
        torch.nn.init.normal_(region.leave.weight, std=0.1)
    return refiner


def test_untrained_it_changes_nothing() -> None:
    drawn = noise(0)
    assert torch.equal(Refiner(TINY)(drawn, noise(1), keypoints(), keypoints()), drawn)


def test_patches_go_back_where_they_came_from() -> None:
    """A picture of two ramps, cut into patches and put back, is itself where the patches are whole."""
    axis = torch.linspace(-1.0, 1.0, 128)
    picture = torch.stack((axis.expand(128, 128), axis[:, None].expand(128, 128), axis[:, None] + axis))[None] * 0.4
    patches = trained().patches(keypoints())
    tiles = [patch.sample(picture, size) for patch, size in zip(patches, (48, 48, 64), strict=True)]
    put, weight = paste(tiles, patches, 128), paste([torch.ones_like(tile) for tile in tiles], patches, 128)
    whole = weight > 0.99
    assert whole.float().mean() > 0.03
    torch.testing.assert_close(put[whole], picture[whole], atol=0.005, rtol=0.0)
    assert weight[..., :8, :].abs().max() == 0.0  # above the face there is no patch


def test_only_mouth_and_eyes_change() -> None:
    refiner, drawn, d = trained(), noise(0), keypoints()
    changed = (refiner(drawn, noise(1), keypoints(), d) - drawn).abs().amax(1)[0] > 0.0
    axis = (torch.arange(64) + 0.5) / 32.0 - 1.0
    near = torch.zeros(64, 64, dtype=torch.bool)
    for patch in refiner.patches(d):
        q = inside(patch, torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(1, -1, 2))
        near |= (q.abs().amax(-1) < 1.0).reshape(64, 64)
    assert (changed & near).sum() / near.sum() > 0.5
    assert not (changed & ~near).any()


def test_right_eye_is_gone_over_as_the_left_one_mirrored() -> None:
    refiner, drawn, source = trained(), noise(0), noise(1)
    torch.nn.init.zeros_(refiner.mouth.leave.weight)
    k = keypoints(shift=0.05)
    everyone = torch.tensor([True])
    mirrored = k._replace(x=flip_points(k.x, everyone), t=k.t * torch.tensor([-1.0, 1.0, 1.0]))
    there = refiner(drawn, source, k, k)
    back = refiner(drawn.flip(-1), source.flip(-1), mirrored, mirrored).flip(-1)
    torch.testing.assert_close(there, back, atol=1e-4, rtol=0.0)


def test_a_larger_picture_gets_the_same_patches() -> None:
    refiner, k = trained(), keypoints()
    small = torch.nn.functional.interpolate(noise(0, 16), 64, mode="bilinear")
    large = torch.nn.functional.interpolate(small, 128, mode="bilinear")
    added = refiner(small, small, k, k) - small
    added_large = refiner(large, large, k, k) - large
    halved = torch.nn.functional.avg_pool2d(added_large, 2)
    assert (halved - added).abs().mean() < 0.35 * added.abs().mean()


def test_opening_by_hand() -> None:
    """Corners at -0.5 and 0.5, lips at -0.25 and 0.25: open by half in the middle, shut at the corners."""
    mouth = torch.tensor([[[-0.5, 0.0], [0.5, 0.0], [0.0, -0.25], [0.0, 0.25]]])
    inside_map = opening_maps(mouth, 32)[0, 0]
    assert inside_map[15:17, 15:17].min() > 0.9  # half of the half width, times four, at most 1
    assert inside_map[:, 0].max() < 0.0
    assert (inside_map > 0).sum().item() == pytest.approx(2 / 3 * 0.5 * 1.0 * 256, rel=0.1)  # a parabola's area
    eye = torch.tensor([[[-0.5, 0.0], [0.5, 0.0], [0.0, -0.2], [0.25, 0.0], [0.0, -0.6]]])
    maps = opening_maps(eye, 32)[0]
    assert maps[1].flatten().argmax() % 32 in (19, 20)  # the iris, at x = 0.25
    assert maps[2, 0, 0] == pytest.approx(-1 + 1 / 32)


def test_inside_is_to_patch() -> None:
    patch = Patch(torch.tensor([[0.1, -0.2]]), torch.tensor([[[-0.3, 0.1], [-0.1, -0.3]]]))
    p = torch.rand(1, 7, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(inside(patch, p), patch.to_patch(p))


def test_fade_is_whole_inside_and_gone_at_the_border() -> None:
    weight = fade(64, torch.device("cpu"))
    assert weight[32, 32] == 1.0
    assert weight[0].max() == 0.0
    assert torch.equal(weight, weight.flip(0).T.flip(1).T)


class _Flat(torch.nn.Module):
    """The refiner as a graph: drawn, source, then the keypoints' tensors."""

    def __init__(self, refiner: Refiner) -> None:
        super().__init__()
        self.refiner = refiner

    def forward(self, source: Tensor, drawn: Tensor, *parts: Tensor) -> Tensor:
        changed: Tensor = self.refiner(drawn, source, Keypoints(*parts[:4]), Keypoints(*parts[4:]))
        return changed


def test_openvino_draws_the_same() -> None:
    pytest.importorskip("openvino")
    refiner, s, d = trained().requires_grad_(False), keypoints(), keypoints(0.55, 0.1)
    graph = Graph("render", _Flat(refiner), (noise(1),), (noise(0), *s, *d))
    runner = OpenVino().build(graph)
    runner.fix(*graph.fixed)
    torch.testing.assert_close(runner.run(*graph.frame), refiner(noise(0), noise(1), s, d), atol=1e-4, rtol=0.0)
