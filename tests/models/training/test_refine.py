"""The stage of the refiner: its pool, what it varies, and that it learns."""

from pathlib import Path

import pytest
import torch

from models.config import TINY
from models.networks import Networks
from models.training.data import Store, load_clips
from models.training.refine import Example, Pool, RefineStage, change_of_opening, vary
from tests.models.training.prepared import write_prepared

CPU = torch.device("cpu")


def example(count: int, size: int = 40) -> Example:
    """Black patches with a white dot at the driving points' first; a mouth that is shut in the source."""
    q_d = torch.tensor([[-0.4, 0.1], [0.4, 0.1], [0.0, 0.0], [0.0, 0.3]]).expand(count, 4, 2).clone()
    q_s = q_d.clone()
    q_s[:, 2:] = 0.15
    picture = torch.zeros(count, 3, size, size, dtype=torch.uint8)
    column, row = ((q_d[0, 0] + 1.0) * size / 2).round().long().tolist()
    picture[:, :, row - 1 : row + 1, column - 1 : column + 1] = 255
    return Example(picture, picture.clone(), picture.clone(), q_d, q_s)


def test_points_and_pictures_are_varied_alike() -> None:
    patch, target = vary(example(16), True, torch.Generator().manual_seed(0), CPU)
    assert target.shape == (16, 3, 32, 32)
    swapped = 0
    for picture, points in zip(target, patch.points_d, strict=True):
        bright = picture.mean(0)
        brightest = int((bright - bright.median()).flatten().argmax())
        found = torch.tensor([brightest % 32 + 0.5, brightest // 32 + 0.5]) / 16.0 - 1.0
        far = (points[:2] - found).norm(dim=1)
        assert far.min() < 0.12
        swapped += int(far.argmin())
    assert 0 < swapped < 16  # mirrored, the left corner is the right one
    assert bool((patch.points_d[:, 0, 0] < patch.points_d[:, 1, 0]).all())


def test_change_of_opening_by_hand() -> None:
    # open by 0.3 against shut, over a width of 0.8
    torch.testing.assert_close(change_of_opening(example(2)), torch.full((2,), 0.375))
    eye = torch.tensor([[[-0.5, 0.0], [0.5, 0.0], [0.0, -0.2], [0.0, 0.0], [0.0, -0.5]]])
    shut = eye.clone()
    shut[:, 2] = 0.1
    black = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    assert change_of_opening(Example(black, black, black, eye, shut)).item() == pytest.approx(0.3)


def test_pool_keeps_the_newest_and_prefers_what_changed() -> None:
    pool = Pool(4)
    still = example(3)
    still = still._replace(points_s=still.points_d.clone())
    pool.put(still)
    pool.put(example(3))
    assert pool.count == 4
    drawn = pool.draw(300, torch.Generator().manual_seed(0))
    changed = (drawn.points_d != drawn.points_s).flatten(1).any(1).float().mean()
    assert changed > 0.85  # three of four kept are, and those are drawn more often


def test_only_the_refiner_learns_and_it_learns(tmp_path: Path) -> None:
    torch.manual_seed(0)
    networks = Networks(TINY)
    store = Store(load_clips(write_prepared(tmp_path), ["train"], 64), CPU)
    stage = RefineStage(networks, store, 64, sources=2, driving=2, faces=6, capacity=32, fill=32)
    before = {name: value.clone() for name, value in networks.state_dict().items() if not name.startswith("refiner")}
    stage.train()
    optimizer = torch.optim.Adam(stage.module.parameters(), 2e-3)
    losses = []
    for _ in range(30):
        terms = stage.loss(torch.Generator().manual_seed(1))
        loss = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert set(terms) == {"mouth.picture", "mouth.structure", "eye.picture", "eye.structure"}
    assert losses[-1] < 0.9 * losses[0]
    assert all(torch.equal(value, networks.state_dict()[name]) for name, value in before.items())
