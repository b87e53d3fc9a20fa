"""finder.py, finder_measure.py: training runs, stops, goes on, learns; what is measured is right."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import facewire
from models.face_finder import FaceBox, FaceFinder, FinderConfig, FinderNetwork
from models.face_finder_weights import load_finder
from models.training.finder import Batches, rate_at
from models.training.finder_faces import load_people
from models.training.finder_loss import finder_loss
from models.training.finder_measure import Labelled, measure, overlap
from models.training.finder_pictures import Composer
from tests.models.finders import central_finder
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"))


def test_train_stop_resume_and_load(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train-finder", "--data", str(folder), "--out", str(tmp_path), "--batch", "2"]
    assert facewire.run([*command, "--steps", "2"]) == 0
    assert facewire.run([*command, "--steps", "3", "--resume"]) == 0
    manifest = json.loads((tmp_path / "weights" / "finder.json").read_text())
    assert manifest["training"] == {"steps": 3, "pictures": 6, "splits": ["train", "stills"]}
    assert manifest["licence"]
    assert 0 <= load_finder(tmp_path / "weights").find(np.zeros((90, 160, 3), np.uint8)).score <= 1
    assert facewire.run([*command, "--steps", "3", "--minutes", "1"]) == 1
    assert "expected --minutes or --steps, one of them" in capsys.readouterr().err


def test_learns(folder: Path) -> None:
    """A small network on a few pictures that come again and again."""
    torch.manual_seed(0)
    network = FinderNetwork(FinderConfig(64, (8, 8, 16, 16, 16), (1, 1, 1, 1), 16))
    batches = Batches(Composer(load_people(folder, ["train", "stills"]), 64, 0), 64, 0)
    pictures, target = batches.draw(8)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        loss = finder_loss(network(pictures), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.35 * losses[0]


def test_batches_half_of_them_are_seen_again(folder: Path) -> None:
    batches = Batches(Composer(load_people(folder, ["train"]), 64, 0), 64, 0)
    pictures, target = batches.draw(6)
    assert pictures.shape == (6, 3, 64, 64)
    assert 0 <= pictures.min() < pictures.max() <= 1
    assert target.heat.shape == (6, 1, 8, 8)
    again, _ = batches.draw(6)
    assert not torch.equal(pictures, again)
    assert len(batches._kept) == 9


def test_rate_warms_up_and_falls() -> None:
    assert rate_at(0.0, 0) < 0.1 * rate_at(0.0, 100)
    assert rate_at(0.5, 999) == pytest.approx(0.505 * rate_at(0.0, 999))
    assert rate_at(1.0, 999) == pytest.approx(0.01 * rate_at(0.0, 999))


def test_overlap_case_by_hand() -> None:
    # 10x10 at (0, 0) and 10x10 at (5, 0): 50 of 150
    assert overlap(FaceBox(1, 5, 5, 10, 10), np.array([5.0, 0, 15, 10])) == pytest.approx(1 / 3)
    assert overlap(FaceBox(1, 5, 5, 10, 10), np.array([20.0, 0, 30, 10])) == 0


def test_measure_case_by_hand() -> None:
    """The stand-in finder sees 44 px around the middle of each picture of 100 px, at 0.99."""
    picture = np.zeros((100, 100, 3), np.uint8)
    side = 2.2 * 0.45 * 0.45 * 100
    here = np.array([[50 - side / 2, 50 - side / 2, 50 + side / 2, 50 + side / 2]])
    aside = here + np.array([side / 10, 0, side / 10, 0])
    small = np.array([[0.0, 0, 20, 20]])
    pictures = [Labelled(picture, boxes) for boxes in (here, aside, small, np.concatenate((here, small)), here[:0])]
    figures = measure(FaceFinder(central_finder()), pictures)
    assert (figures.faces, figures.empty) == (4, 1)
    assert figures.missed == pytest.approx(0.25)  # the one that is elsewhere
    assert figures.overlap == pytest.approx((1 + 0.9 / 1.1 + 1) / 3, abs=1e-3)
    assert figures.centre_error == pytest.approx(0.1 / 3, abs=1e-3)
    assert figures.false_alarms == 1
    strict = measure(FaceFinder(central_finder(0.0)), pictures, threshold=0.6)
    assert (strict.missed, strict.false_alarms) == (1, 0)


def test_validate_finder_writes_its_figures(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "figures.json"
    command = ["validate-finder", "--data", str(folder), "--split", "train", "--number", "6", "--report", str(report)]
    assert facewire.run(command) == 0
    figures = json.loads(report.read_text())["composed, train"]
    assert figures["faces"] + figures["empty"] == 6
