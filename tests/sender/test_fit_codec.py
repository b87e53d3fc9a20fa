"""Tables are counted on the model's own motion, and travel with the weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

import facewire
from codec import Encoder, Motion, Profile
from models.weights import build_model, load_model, save_model
from sender.fit_codec import motion_of
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"), clips=2, frames=12, stills=0)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    model = build_model("tiny", seed=1)
    torch.manual_seed(0)
    save_model(model.networks, model.codec_tables, tmp_path / "plain", {"source": "a test", "licence": "none"})
    return tmp_path / "plain"


def test_fitted_tables_make_this_motion_cheaper(data: Path, weights: Path, tmp_path: Path) -> None:
    assert (
        facewire.run(["fit-codec", str(weights), str(tmp_path / "out"), "--data", str(data), "--split", "train"]) == 0
    )
    before, after = load_model(weights), load_model(tmp_path / "out")
    assert after.manifest["tables_fitted_on"] == {"split": "train", "clips": 2, "frames": 24}
    assert after.manifest["source"] == "a test"
    assert after.model_id != before.model_id
    motion = Motion.from_vector(motion_of(after, data / "train" / "id000_0.mp4")[3], 0.0)
    plain, fitted = (len(Encoder(model.codec_tables, Profile.PAPER).encode([motion])) for model in (before, after))
    assert fitted < plain * 0.8


def test_weights_stay_what_they_were(data: Path, weights: Path, tmp_path: Path) -> None:
    facewire.run(["fit-codec", str(weights), str(tmp_path / "out"), "--data", str(data), "--split", "train"])
    before, after = load_model(weights), load_model(tmp_path / "out")
    assert before.manifest["weights"]["sha256"] == after.manifest["weights"]["sha256"]
    motion = motion_of(before, data / "train" / "id000_0.mp4")
    np.testing.assert_array_equal(motion, motion_of(after, data / "train" / "id000_0.mp4"))
