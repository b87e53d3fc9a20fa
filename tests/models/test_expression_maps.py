"""The maps of an opening, on a mouth drawn by hand: corners at (-0.4, 0) and (0.4, 0), lips at -0.1 and 0.3."""

import math

import pytest
import torch

from models.expression_maps import CHANNELS, expression_maps
from models.keypoints import LANDMARKS

SIZE = 40  # pixel centres at -0.975, -0.925, ... so 0.025 is one, and -0.025


def keypoints(**places: tuple[float, float]) -> torch.Tensor:
    x = torch.full((1, len(LANDMARKS), 3), 5.0)
    x[0, :, 0] += torch.arange(len(LANDMARKS))  # far away, and no two in one place
    mouth = {"61": (-0.4, 0.0), "291": (0.4, 0.0), "13": (0.0, -0.1), "14": (0.0, 0.3)}
    for landmark, place in (mouth | places).items():
        x[0, LANDMARKS.index(int(landmark)), :2] = torch.tensor(place)
    return x


def at(maps: torch.Tensor, channel: int, x: float, y: float) -> float:
    column, row = (round((value + 1.0) * SIZE / 2 - 0.5) for value in (x, y))
    return float(maps[0, channel, row, column])


def window(u: float, v: float) -> float:
    return math.exp(-(u * u + v * v) / (2 * 1.3**2))


def test_inside_an_open_mouth() -> None:
    """Half width 0.4: at (0.025, 0.125) u = 1/16, v = 5/16; the lips' arcs lie at -0.25 and 0.75 of (1 - u^2)."""
    maps = expression_maps(keypoints(), SIZE)
    u, v = 1 / 16, 5 / 16
    inside = min(v + 0.25 * (1 - u * u), 0.75 * (1 - u * u) - v) * 4.0
    assert inside > 1.0  # cut at 1
    assert at(maps, 0, 0.025, 0.125) == pytest.approx(window(u, v), abs=1e-5)
    assert at(maps, 1, 0.025, 0.125) == pytest.approx(u * window(u, v), abs=1e-5)
    assert at(maps, 2, 0.025, 0.125) == pytest.approx(v * window(u, v), abs=1e-5)
    assert at(maps, 3, 0.025, 0.125) == pytest.approx(window(u, v), abs=1e-5)
    assert at(maps, 3, 0.025, -0.225) < 0.0  # above the upper lip
    assert at(maps, 3, 0.025, 0.375) < 0.0  # below the lower one
    assert at(maps, 3, -0.475, 0.025) < 0.0  # beyond the corner


def test_closed_mouth_has_no_inside() -> None:
    maps = expression_maps(keypoints(**{"13": (0.0, 0.1), "14": (0.0, 0.1)}), SIZE)
    assert float(maps[0, 3].max()) <= 0.0


def test_maps_turn_and_grow_with_the_face() -> None:
    """A quarter turn of the mouth is a quarter turn of its maps."""
    upright = expression_maps(keypoints(), SIZE)
    turned = expression_maps(
        keypoints(**{"61": (0.0, -0.4), "291": (0.0, 0.4), "13": (0.1, 0.0), "14": (-0.3, 0.0)}), SIZE
    )
    torch.testing.assert_close(turned[:, :4], upright[:, :4].rot90(-1, (2, 3)), atol=1e-4, rtol=0.0)


def test_iris_is_where_it_looks() -> None:
    eye = {"33": (-0.5, -0.5), "133": (-0.1, -0.5), "159": (-0.3, -0.6), "468": (-0.375, -0.525)}
    maps = expression_maps(keypoints(**eye), SIZE)
    assert maps.shape == (1, CHANNELS, SIZE, SIZE)
    assert at(maps, CHANNELS - 2, -0.375, -0.525) == pytest.approx(1.0, abs=1e-4)
    # 0.05 away with sigma 0.3 * 0.2: exp(-(0.05 / 0.06)^2 / 2)
    assert at(maps, CHANNELS - 2, -0.325, -0.525) == pytest.approx(math.exp(-((0.05 / 0.06) ** 2) / 2), abs=1e-3)


def test_gradient_stays_finite_where_corners_meet() -> None:
    x = keypoints(**{"61": (0.1, 0.0), "291": (0.1, 0.0)}).requires_grad_()
    expression_maps(x, SIZE).square().sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())
