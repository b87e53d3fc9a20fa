"""Weights on disk: what was written comes back; anything else is refused in words."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from codec import ByteTables, CodecTables
from models.weights import DEFAULT_FOLDER, WeightsError, build_model, load_model, save_model

ABOUT = {"source": "a test", "licence": "Apache-2.0"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = build_model("tiny", seed=3)
    save_model(model.networks, model.codec_tables, tmp_path, ABOUT)
    return tmp_path


def stored(folder: Path, entry: str = "weights") -> Path:
    name: str = json.loads((folder / "model.json").read_text())[entry]["file"]
    return folder / name


def test_saved_weights_come_back_as_fp16(folder: Path) -> None:
    before, after = build_model("tiny", seed=3).networks.state_dict(), load_model(folder).networks.state_dict()
    for name, value in before.items():
        expected = value.half().float() if value.is_floating_point() else value
        torch.testing.assert_close(after[name], expected, atol=0.0, rtol=0.0)


def test_model_id_names_the_weights(folder: Path, tmp_path: Path) -> None:
    model = build_model("tiny", seed=4)
    save_model(model.networks, model.codec_tables, tmp_path / "other", ABOUT)
    first, second = load_model(folder), load_model(tmp_path / "other" / "model.json")
    assert len(first.model_id) == 64
    assert first.model_id != second.model_id
    assert first.model_id == load_model(folder).model_id


def test_tables_change_the_model_id(folder: Path, tmp_path: Path) -> None:
    frequencies = np.full((132, 256), 256)
    frequencies[0, :2] += (1, -1)
    tables = CodecTables(ByteTables(frequencies), CodecTables.default(20).predictive)
    save_model(build_model("tiny", seed=3).networks, tables, tmp_path / "other", ABOUT)
    other = load_model(tmp_path / "other")
    assert other.model_id != load_model(folder).model_id
    assert other.codec_tables.sha256 == tables.sha256


def test_a_newer_model_takes_the_place_of_the_older(folder: Path) -> None:
    model = build_model("tiny", seed=4)
    save_model(model.networks, model.codec_tables, folder, ABOUT)
    assert len(list(folder.iterdir())) == 3
    assert load_model(folder).manifest["source"] == "a test"


def test_cut_weights(folder: Path) -> None:
    path = stored(folder)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"expected \d+ bytes, got \d+: the file is cut"):
        load_model(folder)


def test_altered_weights(folder: Path) -> None:
    path = stored(folder)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="expected sha256"):
        load_model(folder)


@pytest.mark.parametrize("entry", ["weights", "tables"])
def test_missing_file(folder: Path, entry: str) -> None:
    stored(folder, entry).unlink()
    with pytest.raises(WeightsError, match=f"expected the {entry} that model.json names, found no file"):
        load_model(folder)


def test_weights_of_other_sizes(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    manifest["config"]["volume_channels"] *= 2
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="expected weights of preset tiny, got others"):
        load_model(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "expected a model's manifest in JSON"),
        ("[]", "expected version 1 of a model's manifest, got 'list'"),
        ('{"version": 99}', "expected version 1 of a model's manifest, got 99"),
        ('{"version": 1, "config": {"size": 1}}', "expected the sizes"),
    ],
)
def test_foreign_manifest(folder: Path, text: str, words: str) -> None:
    (folder / "model.json").write_text(text)
    with pytest.raises(WeightsError, match=words):
        load_model(folder)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found no readable file"):
        load_model(tmp_path / "nothing.json")


def test_manifest_cannot_name_a_file_elsewhere(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    manifest["weights"]["file"] = "../../etc/passwd"
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="found no file"):
        load_model(folder)


def test_unknown_preset() -> None:
    with pytest.raises(WeightsError, match="expected a preset out of compact, tiny, paper, .*, got 'huge'"):
        build_model("huge")


@pytest.mark.weights
def test_shipped_weights() -> None:
    """The default loads, is `compact`, under 30 MB, and its manifest says where it comes from and on what terms."""
    model = load_model()
    assert model.config.preset == "compact"
    assert sum(path.stat().st_size for path in DEFAULT_FOLDER.glob("*.safetensors")) < 30e6
    assert model.codec_tables.keypoints == 20
    assert model.manifest["source"]
    assert "research" in model.manifest["licence"]
