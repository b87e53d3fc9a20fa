"""index.json of a prepared folder: which clips there are, whose, where their pictures and landmarks lie.

{"version": 1,
 "clips": [{"name": "id001_0", "split": "train", "identity": "id001", "kind": "video", "frames": 250, "fps": 25.0,
            "video": "train/id001_0.mp4", "landmarks": "train/id001_0.npz", "static_camera": true,
            "camera_px": 1.2, "border_levels": 0.8, "crop": [left, top, side], "sha256": "...",
            "source_sha256": "..."}],
 "rejected": [{"name": "x", "split": "train", "reason": "words", "source_sha256": "..."}]}

The npz holds: landmarks f32 [N,478,3] in [-1,1] over the crop (x right, y down, z negative towards the camera, centred
frame by frame so that the pose has t_z = 0; NaN without a face), detected bool [N], yaw_deg, pitch_deg, roll_deg,
log_scale f32 [N], t f32 [N,2], neutral f32 [478,3] in the unit of the mean face:
    x = exp(log_scale) (R x_c + delta) + (t_x, t_y, 0),   R = rotation_matrix(yaw_deg, pitch_deg, roll_deg)
with x_c = neutral, so that delta is what pose and neutral shape do not explain.
"""

import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.training.errors import DataError

VERSION = 1
INDEX = "index.json"


@dataclass(frozen=True)
class Clip:
    """One usable clip; paths are relative to the prepared folder. `kind` is "video" or "still" (one frame)."""

    name: str
    split: str
    identity: str
    kind: str
    frames: int
    fps: float
    video: str
    landmarks: str
    static_camera: bool
    camera_px: float  # how far the background strays, at 256 px; see camera.py
    border_levels: float  # how much the picture's upper border changes, in grey levels of 255
    crop: list[int]  # left, top, side in pixels of the source
    sha256: str  # of the prepared video or picture
    source_sha256: str


@dataclass(frozen=True)
class Rejected:
    """One clip that is of no use, and why."""

    name: str
    split: str
    reason: str
    source_sha256: str


@dataclass
class Index:
    """The clips of a prepared folder."""

    clips: list[Clip] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def of_split(self, split: str) -> list[Clip]:
        """Clips of one set; `DataError` when there are none."""
        chosen = [clip for clip in self.clips if clip.split == split]
        if not chosen:
            there = ", ".join(sorted({clip.split for clip in self.clips})) or "none"
            raise DataError(f"expected clips of the set {split}, but the prepared folder has the sets: {there}")
        return chosen


class Track(NamedTuple):
    """Landmarks and pose of one clip as its npz holds them; shapes in the module's words."""

    landmarks: NDArray[np.float32]
    detected: NDArray[np.bool_]
    yaw_deg: NDArray[np.float32]
    pitch_deg: NDArray[np.float32]
    roll_deg: NDArray[np.float32]
    log_scale: NDArray[np.float32]
    t: NDArray[np.float32]
    neutral: NDArray[np.float32]


def read_index(folder: Path) -> Index:
    """Read index.json. Raises `DataError` when it is missing, damaged or of another version."""
    path = folder / INDEX
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"expected prepared data in {folder}, but there is no {INDEX}; see `facewire prepare`"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"expected JSON in {path}, but it cannot be read: {error}") from None
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise DataError(f"expected version {VERSION} in {path}, got {version!r}; run `facewire prepare` again")
    try:
        return Index(
            [Clip(**_known(Clip, entry)) for entry in content["clips"]],
            [Rejected(**_known(Rejected, entry)) for entry in content["rejected"]],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"expected the fields of version {VERSION} in {path}, got another form: {error}") from None


def write_index(folder: Path, index: Index) -> None:
    """Write index.json whole or not at all, clips sorted by set and name."""
    content = {
        "version": VERSION,
        "clips": [asdict(clip) for clip in sorted(index.clips, key=lambda clip: (clip.split, clip.name))],
        "rejected": [asdict(clip) for clip in sorted(index.rejected, key=lambda clip: (clip.split, clip.name))],
    }
    partial = folder / (INDEX + ".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder / INDEX)


def read_track(folder: Path, clip: Clip) -> Track:
    """Read one clip's landmarks. Raises `DataError` when they are missing, damaged or of another length."""
    path = folder / clip.landmarks
    try:
        with np.load(path, allow_pickle=False) as arrays:
            track = Track(**{name: arrays[name] for name in Track._fields})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"expected the landmarks of {clip.name} in {path}, but they cannot be read: {error}") from None
    if track.landmarks.shape != (clip.frames, 478, 3):
        raise DataError(f"expected landmarks [{clip.frames},478,3] in {path}, got {list(track.landmarks.shape)}")
    return track


def _known(kind: type[Clip] | type[Rejected], entry: dict[str, Any]) -> dict[str, Any]:
    """The fields that this version knows; later ones may add more."""
    return {item.name: entry[item.name] for item in fields(kind)}
