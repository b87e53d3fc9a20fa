import torch
from torch import Tensor, nn

from models.paper.canonical import CanonicalKeypoints
from models.paper.config import PAPER_TINY

SIDE, DEPTH, COUNT = PAPER_TINY.canonical_size, PAPER_TINY.depth, PAPER_TINY.keypoints


class Heat(nn.Module):
    """Heat that was worked out beforehand."""

    def __init__(self, heat: Tensor) -> None:
        super().__init__()
        self.heat = heat

    def forward(self, x: Tensor) -> Tensor:
        return self.heat.expand(len(x), -1, -1, -1, -1)


def network(heat: Tensor) -> CanonicalKeypoints:
    torch.manual_seed(0)
    built = CanonicalKeypoints(PAPER_TINY).eval()
    built.heat = Heat(heat)  # type: ignore[assignment]
    return built


def test_keypoint_is_the_mean_position_of_its_heat() -> None:
    """Two cells, 0.1 ln 3 apart in heat: at temperature 0.1 the hotter one counts three quarters."""
    heat = torch.full((1, COUNT, DEPTH, SIDE, SIDE), -100.0)
    heat[0, 0, 0, 2, 15] = 0.1 * torch.log(torch.tensor(3.0))
    heat[0, 0, 3, 2, 11] = 0.0
    x = network(heat)(torch.rand(2, 3, 64, 64))
    # cells of 2/16: x = 15 lies at 0.9375, x = 11 at 0.4375, y = 2 at -0.6875; planes of 2/4: z = 0 at -0.75, 3 at 0.75
    wanted = torch.tensor([0.75 * 0.9375 + 0.25 * 0.4375, -0.6875, 0.75 * -0.75 + 0.25 * 0.75])
    torch.testing.assert_close(x[:, 0], wanted.expand(2, 3))


def test_even_heat_lies_in_the_middle_with_the_identity_as_jacobian() -> None:
    found = network(torch.zeros(1, COUNT, DEPTH, SIDE, SIDE)).find(torch.rand(1, 3, 64, 64))
    assert found.J is not None
    torch.testing.assert_close(found.x, torch.zeros(1, COUNT, 3), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(found.J, torch.eye(3).expand(1, COUNT, 3, 3), atol=1e-5, rtol=0.0)


def test_picture_of_any_size_is_seen_small() -> None:
    """L looks at the picture reduced to `canonical_size`: 64 and 32 px of one picture give the same keypoints."""
    torch.manual_seed(0)
    built = CanonicalKeypoints(PAPER_TINY).eval()
    small = torch.rand(1, 3, 32, 32)
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(built(small), built(large))
