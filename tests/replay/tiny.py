"""A model small enough for tests, that takes every crop for a face."""

from pathlib import Path

import torch

from models.face_finder_weights import save_finder
from models.weights import Model, build_model, load_model, save_model
from tests.models.finders import central_finder


def save_tiny(folder: Path, seed: int = 0) -> Model:
    """Save a tiny model with random weights into a folder, and load it as a program would."""
    model = build_model("tiny", seed)
    with torch.no_grad():
        model.networks.extractor.face.weight.zero_()
        model.networks.extractor.face.bias.fill_(10.0)
    save_model(model.networks, model.codec_tables, folder, {"source": "random weights", "licence": "Apache-2.0"})
    save_finder(central_finder(), folder, {"source": "no training", "licence": "Apache-2.0"})
    return load_model(folder)
