"""The face finder's weights on disk: safetensors, fp16, beside a manifest of its own. Never pickle.

    <folder>/finder.json                      sizes, sha256, score from which a face is taken for one, where from
    <folder>/finder-<hash>.safetensors        the network

Only the sender needs it, and the two peers of a call need not have the same one: it is no part of the model id.
"""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.face_finder import FaceFinder, FinderConfig, FinderNetwork
from models.manifest import WeightsError, entry_of, files_of, narrow, read_file, read_manifest, sha256_of, widen
from models.weights import DEFAULT_FOLDER

MANIFEST = "finder.json"
MANIFEST_VERSION = 1


def load_finder(folder: Path | None = None) -> FaceFinder:
    """Load the finder that lies in a model's folder, or else the shipped one; `folder` may be a model's manifest.

    The file's sha256 is checked and the weights must fit the network exactly. Raises WeightsError.
    """
    folder = DEFAULT_FOLDER if folder is None else folder
    folder = folder if folder.is_dir() else folder.parent
    path = folder / MANIFEST
    if not path.is_file():
        path = DEFAULT_FOLDER / MANIFEST
    manifest = read_manifest(path, MANIFEST_VERSION, "a face finder")
    config = _config(manifest, path)
    weights = read_file(path, manifest, "weights")
    try:
        network = FinderNetwork(config)
        network.load_state_dict(widen(load_tensors(weights)))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: expected the weights of a face finder, got others: {reason}") from None
    return FaceFinder(network.requires_grad_(False))


def save_finder(network: FinderNetwork, folder: Path, about: dict[str, Any]) -> Path:
    """Write weights and manifest into `folder`, which may hold a model, too; returns the manifest's path.

    `about` holds at least source and licence. The weights of the finder that the folder held before are removed last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    before = files_of(path, MANIFEST_VERSION, ("weights",))
    weights = save_tensors(narrow(network.state_dict()))
    file = folder / f"finder-{sha256_of(weights)[:12]}.safetensors"
    manifest = {
        "version": MANIFEST_VERSION,
        "config": asdict(network.config),
        "weights": entry_of(file.name, weights),
        **about,
    }
    file.write_bytes(weights)
    path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    for old in before - {file}:
        old.unlink(missing_ok=True)
    return path


def _config(manifest: dict[str, Any], path: Path) -> FinderConfig:
    known, stored = {field.name for field in fields(FinderConfig)}, manifest.get("config")
    if not isinstance(stored, dict) or set(stored) != known:
        raise WeightsError(f"{path}: expected the sizes {', '.join(sorted(known))}, got others")
    try:
        sizes: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
        return FinderConfig(**sizes)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from None
