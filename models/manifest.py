"""Files on disk that a manifest names, each with its length and sha256: read whole and unaltered, or not at all.

    {"version": 1, "weights": {"file": "compact-<hash>.safetensors", "sha256": "...", "bytes": 15678292}, ...}

WeightsError is the one error: a file that is missing, cut, altered or made for something else.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor


class WeightsError(Exception):
    """Weights that cannot be used, in one line: what was expected, what came."""


def read_manifest(path: Path, version: int, of: str) -> dict[str, Any]:
    """The manifest `of` something ("a model") as a dictionary. Raises WeightsError."""
    try:
        manifest = json.loads(path.read_text())
    except OSError as error:
        raise WeightsError(f"{path}: expected {of}'s manifest, found no readable file ({error.strerror})") from None
    except ValueError:
        raise WeightsError(f"{path}: expected {of}'s manifest in JSON, got something else") from None
    if not isinstance(manifest, dict) or manifest.get("version") != version:
        got = manifest.get("version") if isinstance(manifest, dict) else type(manifest).__name__
        raise WeightsError(f"{path}: expected version {version} of {of}'s manifest, got {got!r}")
    return manifest


def entry_of(file: str, content: bytes) -> dict[str, Any]:
    """What a manifest says of one file."""
    return {"file": file, "sha256": sha256_of(content), "bytes": len(content)}


def read_file(path: Path, manifest: dict[str, Any], entry: str) -> bytes:
    """The bytes of one file that the manifest at `path` names, checked. Raises WeightsError."""
    try:
        name, sha256, length = (manifest[entry][key] for key in ("file", "sha256", "bytes"))
    except (KeyError, TypeError):
        raise WeightsError(f"{path}: expected file, sha256 and bytes of its {entry}, found none") from None
    file = path.parent / Path(str(name)).name
    if not file.is_file():
        raise WeightsError(f"{file}: expected the {entry} that {path.name} names, found no file")
    content = file.read_bytes()
    if len(content) != length:
        raise WeightsError(f"{file}: expected {length} bytes, got {len(content)}: the file is cut or another one")
    if (digest := sha256_of(content)) != sha256:
        raise WeightsError(f"{file}: expected sha256 {str(sha256)[:12]}..., got {digest[:12]}...")
    return content


def files_of(path: Path, version: int, entries: Sequence[str]) -> set[Path]:
    """The files that a manifest names, if it can be read at all."""
    try:
        manifest = read_manifest(path, version, "a model")
        return {path.parent / Path(str(manifest[entry]["file"])).name for entry in entries}
    except (WeightsError, KeyError, TypeError):
        return set()


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def narrow(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are stored: on the CPU, fp16 where they are real numbers."""
    here = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    return {name: value.half() if value.is_floating_point() else value for name, value in here.items()}


def widen(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are used: fp32 where they are real numbers."""
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
