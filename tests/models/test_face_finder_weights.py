"""face_finder_weights.py: what is written is read again, and what is damaged is said in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.face_finder import FinderConfig, FinderNetwork
from models.face_finder_weights import MANIFEST, load_finder, save_finder
from models.weights import DEFAULT_FOLDER, WeightsError
from tests.models.finders import central_finder

ABOUT = {"source": "no training", "licence": "Apache-2.0"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_finder(central_finder(), tmp_path, ABOUT)
    return tmp_path


def edit(folder: Path, **entries: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_load_what_was_saved(folder: Path) -> None:
    face = load_finder(folder).find(np.zeros((64, 64, 3), np.uint8))
    assert (face.centre_x, face.centre_y) == pytest.approx((32, 32), abs=0.1)
    assert face.score > 0.99


def test_load_by_the_name_of_a_models_manifest(folder: Path) -> None:
    assert load_finder(folder / "model.json").find(np.zeros((64, 64, 3), np.uint8)).score > 0.99


def test_save_again_leaves_one_file_and_what_others_put_there(folder: Path) -> None:
    (folder / "model.json").write_text("{}")
    (folder / "compact-0.safetensors").write_text("not ours")
    before = set(folder.glob("finder-*"))
    save_finder(central_finder(3.0), folder, ABOUT)
    after = set(folder.glob("finder-*"))
    assert len(after) == 1
    assert after != before
    assert (folder / "compact-0.safetensors").exists()


@pytest.mark.weights
def test_shipped_finder_is_small_and_stands_in_for_a_folder_without_one(tmp_path: Path) -> None:
    files = list(DEFAULT_FOLDER.glob("finder-*.safetensors"))
    assert len(files) == 1
    assert files[0].stat().st_size < 2_000_000
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    assert load_finder(tmp_path).find(image) == load_finder().find(image)


def test_altered_weights(folder: Path) -> None:
    file = next(folder.glob("finder-*"))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"expected sha256 [0-9a-f]{12}\.\.\., got"):
        load_finder(folder)


def test_cut_weights(folder: Path) -> None:
    file = next(folder.glob("finder-*"))
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(WeightsError, match="the file is cut or another one"):
        load_finder(folder)


def test_missing_weights(folder: Path) -> None:
    next(folder.glob("finder-*")).unlink()
    with pytest.raises(WeightsError, match="expected the weights that finder.json names, found no file"):
        load_finder(folder)


def test_weights_of_another_size(folder: Path) -> None:
    edit(folder, config={"size": 32, "widths": [4, 4, 4, 4, 8], "blocks": [1, 1, 1, 1], "features": 4})
    with pytest.raises(WeightsError, match="expected the weights of a face finder, got others"):
        load_finder(folder)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"version": 9}, "expected version 1 of a face finder's manifest, got 9"),
        ({"config": {"size": 32}}, "expected the sizes blocks, features, size, widths, got others"),
        ({"weights": {}}, "expected file, sha256 and bytes of its weights, found none"),
    ],
)
def test_other_manifests(folder: Path, entries: dict[str, object], words: str) -> None:
    edit(folder, **entries)
    with pytest.raises(WeightsError, match=words):
        load_finder(folder)


def test_manifest_that_is_no_json(folder: Path) -> None:
    (folder / MANIFEST).write_text("nonsense")
    with pytest.raises(WeightsError, match="in JSON, got something else"):
        load_finder(folder)


def test_weights_are_stored_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FinderNetwork(FinderConfig()).eval()
    size = json.loads(save_finder(network, tmp_path, ABOUT).read_text())["weights"]["bytes"]
    assert size < 2.2 * sum(value.numel() for value in network.state_dict().values())
