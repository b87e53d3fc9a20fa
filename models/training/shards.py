"""Frames on disk, for training sets that do not fit in memory: packed once, then drawn from as if they were there.

    PACKED/shard-00000.bin ...   uint8 [n,3,S,S], one frame after the other, memory-mapped
    PACKED/shards.json           frames a shard, and which clips in which order, with their sha256

A frame is read where it lies, whichever shard that is, so every draw of a `Store` is as even over all clips as in
memory. Landmarks and poses stay in memory: 1.5 % of the frames' bytes at 256 px.
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training import dataset_index
from models.training.data import Clip, Store, choose_entries, load_clip, load_motion
from models.training.distributed import Ranks
from models.training.errors import DataError

INDEX = "shards.json"
GIB = 2**30


class Wanted(NamedTuple):
    """Which clips of a prepared folder, at which size and rate; `still_camera`: without those whose camera moves."""

    splits: Sequence[str]
    size: int
    max_fps: float = 15.0
    kinds: Sequence[str] = ("video", "still")
    still_camera: bool = False


class ShardFrames:
    """All frames of a packed folder, read when they are asked for."""

    def __init__(self, folder: Path, counts: Sequence[int], size: int) -> None:
        self.counts, self._size = list(counts), size
        self._ends = np.cumsum(self.counts)
        self._shards: list[NDArray[np.uint8]] = [
            np.memmap(_shard(folder, number), np.uint8, "r", shape=(count, 3, size, size))
            for number, count in enumerate(self.counts)
        ]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, frames: Tensor) -> Tensor:
        """Frames [B] by their number over all shards: uint8 [B,3,S,S] on the CPU."""
        numbers = frames.cpu().numpy()
        shards = np.searchsorted(self._ends, numbers, side="right")
        out = np.empty((len(numbers), 3, self._size, self._size), np.uint8)
        for row, (number, shard) in enumerate(zip(numbers, shards, strict=True)):
            out[row] = self._shards[shard][number - (self._ends[shard] - self.counts[shard])]
        return torch.from_numpy(out)


def open_store(
    folder: Path,
    wanted: Wanted,
    device: torch.device,
    packed: Path,
    *,
    memory_gib: float | None = None,
    shard_mib: int = 256,
    ranks: Ranks | None = None,
) -> Store:
    """The wanted clips of a prepared folder, this rank's share of them, in memory or, where they exceed
    `memory_gib`, from shards in `packed` (made when they are not there or are of other clips).

    None: half of the memory of the device, or of the machine (shared by its ranks). Raises DataError.
    """
    ranks = ranks or Ranks()
    entries = _share(folder, wanted, ranks)
    limit = default_memory_gib(device, ranks.world) if memory_gib is None else memory_gib
    frames = sum(math.ceil(entry.frames / max(1, round(entry.fps / wanted.max_fps))) for entry in entries)
    if frames * 3 * wanted.size**2 <= limit * GIB:
        return Store([load_clip(folder, entry, wanted.size, wanted.max_fps) for entry in entries], device)
    packed = packed / f"{wanted.size}px-{wanted.max_fps:g}fps-{'-'.join(wanted.kinds)}-{ranks.rank}of{ranks.world}"
    clips, shards = pack(folder, entries, wanted, packed, shard_mib)
    return Store(clips, device, shards)


def pack(
    folder: Path, entries: Sequence[dataset_index.Clip], wanted: Wanted, packed: Path, shard_mib: int
) -> tuple[list[Clip], ShardFrames]:
    """Write the frames of `entries` to shards of about `shard_mib` and map them; shards of the same clips are kept.

    Returns the clips, without their frames, and the frames in the clips' order.
    """
    listing = [[entry.split, entry.name, entry.sha256] for entry in entries]
    counts = _counts_if_same(packed, listing, wanted)
    if counts is None:
        packed.mkdir(parents=True, exist_ok=True)
        (packed / INDEX).unlink(missing_ok=True)
        counts = _write_shards(folder, entries, wanted, packed, shard_mib)
        partial = packed / (INDEX + ".partial")
        partial.write_text(json.dumps(_index(listing, wanted) | {"counts": counts}))
        os.replace(partial, packed / INDEX)
    clips = [load_motion(folder, entry, wanted.size, wanted.max_fps) for entry in entries]
    frames = ShardFrames(packed, counts, wanted.size)
    if sum(len(clip.landmarks) for clip in clips) != len(frames):
        raise DataError(f"{packed}: expected as many frames as landmarks, got {len(frames)}; remove it to pack again")
    return clips, frames


def default_memory_gib(device: torch.device, world: int = 1) -> float:
    """Half of a CUDA device's memory, or of this machine's over `world` processes, in GiB."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory / 2 / GIB
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 / world / GIB


def _share(folder: Path, wanted: Wanted, ranks: Ranks) -> list[dataset_index.Clip]:
    """This rank's clips: every world-th of the videos, then of the stills."""
    entries = choose_entries(folder, wanted.splits, wanted.kinds)
    if wanted.still_camera:
        entries = [entry for entry in entries if entry.static_camera]
    kinds = [[entry for entry in entries if entry.kind == kind] for kind in ("video", "still")]
    chosen = [entry for of_kind in kinds if of_kind for entry in ranks.shard(of_kind)]
    if not chosen:
        raise DataError(f"{folder}: expected clips of {'/'.join(wanted.splits)} with a still camera, found none")
    return chosen


def _shard(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.bin"


def _index(listing: list[list[str]], wanted: Wanted) -> dict[str, Any]:
    return {"version": 1, "size": wanted.size, "max_fps": wanted.max_fps, "clips": listing}


def _counts_if_same(packed: Path, listing: list[list[str]], wanted: Wanted) -> list[int] | None:
    """Frames of each shard when `packed` holds these clips whole, else None."""
    try:
        known = json.loads((packed / INDEX).read_text())
        counts: list[int] = known.pop("counts")
        sizes = [_shard(packed, number).stat().st_size for number in range(len(counts))]
    except (OSError, ValueError, KeyError):
        return None
    whole = sizes == [count * 3 * wanted.size**2 for count in counts]
    return counts if whole and known == _index(listing, wanted) else None


def _write_shards(
    folder: Path, entries: Sequence[dataset_index.Clip], wanted: Wanted, packed: Path, shard_mib: int
) -> list[int]:
    largest = max(1, shard_mib * 2**20 // (3 * wanted.size**2))  # frames a shard
    counts: list[int] = []
    waiting: list[NDArray[np.uint8]] = []

    def flush(everything: bool) -> None:
        nonlocal waiting
        frames = np.concatenate(waiting)
        while len(frames) >= largest or (everything and len(frames)):
            _shard(packed, len(counts)).write_bytes(frames[:largest].tobytes())
            counts.append(len(frames[:largest]))
            frames = frames[largest:]
        waiting = [frames]

    for entry in entries:
        waiting.append(load_clip(folder, entry, wanted.size, wanted.max_fps).frames.numpy())
        if sum(map(len, waiting)) >= largest:
            flush(everything=False)
    flush(everything=True)
    return counts
