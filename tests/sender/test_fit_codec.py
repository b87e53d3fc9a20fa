"""Tables are fitted to the model's own motion, and travel with the weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

import facewire
from codec import Encoder, Motion, Profile
from models.weights import Model, build_model, load_model, save_model
from sender.fit_codec import motion_of
from tests.models.training.prepared import write_prepared


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"), clips=2, frames=12, stills=0)


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Model]:
    """The same weights before and after the command."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    model = build_model("tiny", seed=1)
    save_model(model.networks, model.codec_tables, folder / "plain", {"source": "a test", "licence": "none"})
    words = ["models", "fit-codec", str(folder / "plain"), str(folder / "out"), "--data", str(data), "--frames", "8"]
    assert facewire.run(words) == 0
    return load_model(folder / "plain"), load_model(folder / "out")


@pytest.mark.parametrize(("profile", "share"), [(Profile.PAPER, 0.8), (Profile.PREDICTIVE, 0.9)])
def test_fitted_tables_make_this_motion_cheaper(
    data: Path, models: tuple[Model, Model], profile: Profile, share: float
) -> None:
    moving = motion_of(models[0], data / "train" / "id000_0.mp4")
    motions = [Motion.from_vector(vector, index / 25) for index, vector in enumerate(moving.vectors[3:6])]
    sizes = []
    for model in models:
        encoder = Encoder(model.codec_tables, profile)
        encoder.set_source(moving.x_c)
        sizes.append(len(encoder.encode(motions)))
    assert sizes[1] < sizes[0] * share


def test_manifest_names_the_clips_and_the_tables(models: tuple[Model, Model]) -> None:
    before, after = models
    assert after.manifest["tables_fitted_on"] == {"split": "train", "clips": 2, "frames": 16}
    assert after.manifest["source"] == "a test"
    assert after.model_id != before.model_id
    assert after.codec_tables.sha256 != before.codec_tables.sha256


def test_weights_stay_what_they_were(data: Path, models: tuple[Model, Model]) -> None:
    before, after = models
    assert before.manifest["weights"]["sha256"] == after.manifest["weights"]["sha256"]
    clip = data / "train" / "id000_0.mp4"
    np.testing.assert_array_equal(motion_of(before, clip).vectors, motion_of(after, clip).vectors)


def test_motion_is_of_the_clips_middle(data: Path, models: tuple[Model, Model]) -> None:
    clip = data / "train" / "id000_0.mp4"
    whole, middle = motion_of(models[0], clip), motion_of(models[0], clip, most=4)
    np.testing.assert_array_equal(middle.vectors, whole.vectors[4:8])
    np.testing.assert_array_equal(middle.x_c, whole.x_c)
