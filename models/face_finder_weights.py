"""The face finder's weights on disk: safetensors, fp16, beside a manifest of its own. Never pickle.

    <folder>/finder.json                      sizes, sha256, score from which a face is taken for one, where from
    <folder>/finder-<hash>.safetensors        the network

Only the sender needs it, and the two peers of a call need not have the same one: it is no part of the model id.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.face_finder import FaceFinder, FinderConfig, FinderNetwork
from models.weights import DEFAULT_FOLDER, WeightsError

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
    manifest = _read_manifest(path)
    config = _config(manifest, path)
    weights = _weights(manifest, path)
    try:
        network = FinderNetwork(config)
        state = load_tensors(weights).items()
        network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in state})
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
    before = _file_of(path)
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    weights = save_tensors(state)
    digest = hashlib.sha256(weights).hexdigest()
    file = folder / f"finder-{digest[:12]}.safetensors"
    manifest = {
        "version": MANIFEST_VERSION,
        "config": asdict(network.config),
        "weights": {"file": file.name, "sha256": digest, "bytes": len(weights)},
        **about,
    }
    file.write_bytes(weights)
    path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    if before is not None and before != file:
        before.unlink(missing_ok=True)
    return path


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text())
    except OSError as error:
        raise WeightsError(f"{path}: expected a face finder's manifest, found none ({error.strerror})") from None
    except ValueError:
        raise WeightsError(f"{path}: expected a face finder's manifest in JSON, got something else") from None
    if not isinstance(manifest, dict) or manifest.get("version") != MANIFEST_VERSION:
        got = manifest.get("version") if isinstance(manifest, dict) else type(manifest).__name__
        raise WeightsError(f"{path}: expected version {MANIFEST_VERSION} of a face finder's manifest, got {got!r}")
    return manifest


def _config(manifest: dict[str, Any], path: Path) -> FinderConfig:
    known, stored = {field.name for field in fields(FinderConfig)}, manifest.get("config")
    if not isinstance(stored, dict) or set(stored) != known:
        raise WeightsError(f"{path}: expected the sizes {', '.join(sorted(known))}, got others")
    try:
        sizes: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
        return FinderConfig(**sizes)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from None


def _weights(manifest: dict[str, Any], path: Path) -> bytes:
    """The bytes of the weights, with their length and sha256 checked."""
    try:
        name, sha256, length = (manifest["weights"][key] for key in ("file", "sha256", "bytes"))
    except (KeyError, TypeError):
        raise WeightsError(f"{path}: expected file, sha256 and bytes of its weights, found none") from None
    file = path.parent / Path(str(name)).name
    if not file.is_file():
        raise WeightsError(f"{file}: expected the weights that {path.name} names, found no file")
    content = file.read_bytes()
    if len(content) != length:
        raise WeightsError(f"{file}: expected {length} bytes, got {len(content)}: the file is cut or another one")
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise WeightsError(f"{file}: expected sha256 {str(sha256)[:12]}..., got {digest[:12]}...")
    return content


def _file_of(path: Path) -> Path | None:
    """The weights that a manifest names, if it can be read at all."""
    try:
        return path.parent / Path(str(_read_manifest(path)["weights"]["file"])).name
    except (WeightsError, KeyError, TypeError):
        return None
