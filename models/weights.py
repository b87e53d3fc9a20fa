"""Weights on disk: safetensors beside a manifest that says what they are. Never pickle, never a download.

    <folder>/model.json                       the manifest; its canonical form's sha256 is the model id
    <folder>/<preset>-<hash>.safetensors      the networks, fp16
    <folder>/<preset>-<hash>.tables           the codec's tables by name, integers (safetensors); FORMAT.md says which

WeightsError is the one error: a file that is missing, cut, altered or made for other networks.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from codec.codec_tables import CodecTables
from codec.errors import TablesError
from codec.tables import ByteTables
from models.config import ModelConfig
from models.interface import Extraction, FaceNetworks
from models.manifest import WeightsError as WeightsError  # where everybody looks for it
from models.manifest import entry_of, files_of, narrow, read_file, read_manifest, sha256_of, widen
from models.networks import Networks
from models.paper.config import PaperConfig
from models.paper.networks import PaperNetworks
from models.presets import PRESETS, Config
from models.runtime.graphs import unpack_extraction
from models.runtime.guarded import Guarded

MANIFEST = "model.json"
MANIFEST_VERSION = 1
OWN_ENTRIES = frozenset({"version", "preset", "config", "weights", "tables"})
"""Of a manifest; all others are what whoever saved the model had to say about it."""
FILES = ("weights", "tables")
DEFAULT_FOLDER = Path(__file__).with_name("weights")


@dataclass(frozen=True)
class Model:
    """Networks with their weights, ready for inference, and what is known of them."""

    networks: FaceNetworks
    manifest: dict[str, Any]
    codec_tables: CodecTables
    folder: Path | None = None  # where it was loaded from; what was measured of it lies there, too
    runners: Mapping[str, Guarded] = field(default_factory=dict)
    """How `extract` and `render` run, where another way than plain torch was chosen (`models.runtime.prepare`)."""

    @property
    def config(self) -> Config:
        return self.networks.config

    @property
    def model_id(self) -> str:
        """sha256 (hex) of the manifest, which names the sha256 of every file: both peers of a call compare it."""
        return sha256_of(_canonical(self.manifest))

    @property
    def device(self) -> torch.device:
        return next(self.networks.parameters()).device

    @torch.inference_mode()
    def canonical(self, image: Tensor) -> Tensor:
        """L on source images [B,3,S,S] RGB in [0,1]: canonical keypoints x_c [B,K,3]."""
        x_c: Tensor = self.networks.canonical(image.to(self.device))
        return x_c

    @torch.inference_mode()
    def extract(self, image: Tensor, x_c: Tensor) -> Extraction:
        """H and Δ on pictures [B,3,S,S] RGB in [0,1] of people whose source images have the canonical keypoints x_c
        [B,K,3]: motion [B], face_score [B] in [0,1].
        """
        runner = self.runners.get("extract")
        if runner is not None:
            return unpack_extraction(runner((x_c,), (image,)))
        extraction: Extraction = self.networks.extractor(image.to(self.device), x_c.to(self.device))
        return extraction


def default_device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def build_networks(config: Config) -> FaceNetworks:
    """Networks of these sizes with random weights, the kind that the sizes are of."""
    return PaperNetworks(config) if isinstance(config, PaperConfig) else Networks(config)


def build_model(preset: str, seed: int = 0) -> Model:
    """A model with random weights and codec tables that know no model, for tests and as the start of training.

    Raises WeightsError for an unknown preset.
    """
    if preset not in PRESETS:
        raise WeightsError(f"expected a preset out of {', '.join(PRESETS)}, got {preset!r}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = build_networks(PRESETS[preset]).eval()
    tables = default_tables(networks.config)
    manifest = _manifest(networks.config, b"random", b"uniform", {"source": "random weights", "licence": "Apache-2.0"})
    return Model(networks, manifest, tables)


def default_tables(config: Config) -> CodecTables:
    """Codec tables that know nothing of how this model's motion moves, for these sizes."""
    return CodecTables.default(config.keypoints, scaled=not isinstance(config, PaperConfig))


def save_model(networks: FaceNetworks, tables: CodecTables, folder: Path, about: dict[str, Any]) -> Path:
    """Write weights (fp16), tables and manifest into `folder`; returns the manifest's path.

    `about` holds at least source and licence. The files of the model that the folder held before are removed last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    before = files_of(path, MANIFEST_VERSION, FILES)
    weights = save_tensors(narrow(networks.state_dict()), metadata={"preset": networks.config.preset})
    stored_tables = save_arrays(tables.arrays())
    manifest = _manifest(networks.config, weights, stored_tables, about)
    for entry, content in zip(FILES, (weights, stored_tables), strict=True):
        (folder / manifest[entry]["file"]).write_bytes(content)
    path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    for file in before - files_of(path, MANIFEST_VERSION, FILES):
        file.unlink(missing_ok=True)
    return path


def load_model(path: Path | None = None, device: torch.device | str = "cpu") -> Model:
    """Load a model from its manifest, or from the folder that holds it; None is the shipped default.

    Every file's sha256 is checked and the weights must fit the networks exactly. Raises WeightsError.
    """
    path = DEFAULT_FOLDER if path is None else path
    path = path / MANIFEST if path.is_dir() else path
    manifest = read_manifest(path, MANIFEST_VERSION, "a model")
    config = _config(manifest, path)
    weights, stored_tables = (read_file(path, manifest, entry) for entry in FILES)
    try:
        tables = _tables(load_arrays(stored_tables), config)
        networks = build_networks(config)
        networks.load_state_dict(widen(load_tensors(weights)))
    except (SafetensorError, TablesError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path}: expected weights of preset {config.preset}, got others: {reason}") from None
    return Model(networks.to(device).eval().requires_grad_(False), manifest, tables, path.parent)


def _manifest(config: Config, weights: bytes, tables: bytes, about: dict[str, Any]) -> dict[str, Any]:
    name = f"{config.preset}-{sha256_of(weights)[:12]}"
    return {
        "version": MANIFEST_VERSION,
        "preset": config.preset,
        "config": json.loads(json.dumps(asdict(config))),
        "weights": entry_of(f"{name}.safetensors", weights),
        "tables": entry_of(f"{name}.tables", tables),
        **about,
    }


def _config(manifest: dict[str, Any], path: Path) -> Config:
    """The sizes, of the kind whose names they have."""
    stored = manifest.get("config")
    known = {kind: {field.name for field in fields(kind)} for kind in (ModelConfig, PaperConfig)}
    kinds = [kind for kind, names in known.items() if isinstance(stored, dict) and set(stored) == names]
    if not isinstance(stored, dict) or not kinds:
        raise WeightsError(f"{path}: expected the sizes of {' or '.join(kind.__name__ for kind in known)}, got others")
    try:
        sizes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        return kinds[0](**sizes)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}") from None


def _tables(arrays: dict[str, NDArray[Any]], config: Config) -> CodecTables:
    """The codec's tables. Weights from before the profile `predictive` have none for it, and get those of no model."""
    if set(arrays) == {"paper"}:
        return CodecTables(ByteTables(arrays["paper"]), default_tables(config).predictive)
    return CodecTables.from_arrays(arrays)


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
