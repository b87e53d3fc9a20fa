import json
from pathlib import Path

import pytest
import torch

from models.training.data import Store
from models.training.distributed import Ranks
from models.training.errors import DataError
from models.training.shards import ShardFrames, Wanted, open_store
from tests.models.training.prepared import write_prepared

CPU = torch.device("cpu")
WANTED = Wanted(("train", "stills"), 32)
PACKED = "32px-15fps-video-still-0of1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("prepared"), clips=4, frames=9, stills=3)


def opened(folder: Path, packed: Path, memory_gib: float = 0.0) -> Store:
    # a frame of 32 px is 3 KiB: shards of 1 MiB would hold all; the smallest shard is one frame
    return open_store(folder, WANTED, CPU, packed, memory_gib=memory_gib, shard_mib=0)


def drawn(store: Store, seed: int, number: int = 64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    clips = store.draw_clips(number, rng, 0.25)
    frames = store.draw_frames(clips, rng)
    return clips, frames, store.batch(clips, frames).image


def test_draws_from_shards_are_those_from_memory(folder: Path, tmp_path: Path) -> None:
    memory, shards = opened(folder, tmp_path, memory_gib=1.0), opened(folder, tmp_path)
    assert isinstance(memory.frames, torch.Tensor)
    assert isinstance(shards.frames, ShardFrames)
    for a, b in zip(drawn(memory, 3), drawn(shards, 3), strict=True):
        assert torch.equal(a, b)
    clips = torch.arange(7)
    one, two = memory.batch(clips, memory.start), shards.batch(clips, shards.start)
    assert torch.equal(one.landmarks, two.landmarks)
    assert torch.equal(one.motion.delta, two.motion.delta)


def test_every_shard_is_drawn_evenly(folder: Path, tmp_path: Path) -> None:
    """Clips of one length: each of their 36 frames, a shard each, comes up about as often."""
    store = opened(folder, tmp_path)
    assert isinstance(store.frames, ShardFrames)
    assert store.frames.counts == [1] * 39
    rng = torch.Generator().manual_seed(0)
    clips = store.draw_clips(3600, rng)
    seen = torch.bincount(store.draw_frames(clips, rng), minlength=39)
    assert seen[36:].sum() == 0  # stills were not asked for
    assert seen[:36].min() > 60
    assert seen[:36].max() < 150


def test_frames_across_shards_of_several_frames(folder: Path, tmp_path: Path) -> None:
    store = open_store(folder, WANTED._replace(size=256), CPU, tmp_path, memory_gib=0.0, shard_mib=1)
    memory = open_store(folder, WANTED._replace(size=256), CPU, tmp_path, memory_gib=1.0)
    assert isinstance(store.frames, ShardFrames)
    assert store.frames.counts == [5] * 7 + [4]
    order = torch.randperm(39, generator=torch.Generator().manual_seed(0))
    assert torch.equal(store.frames[order], memory.frames[order])


def test_shards_are_kept_as_long_as_they_are_of_the_same_clips(folder: Path, tmp_path: Path) -> None:
    opened(folder, tmp_path)
    first = tmp_path / PACKED / "shard-00000.bin"
    made = first.stat().st_mtime_ns
    opened(folder, tmp_path)
    assert first.stat().st_mtime_ns == made
    index = tmp_path / PACKED / "shards.json"
    content = json.loads(index.read_text())
    content["clips"][0][2] = "another"
    index.write_text(json.dumps(content))
    opened(folder, tmp_path)
    assert first.stat().st_mtime_ns > made
    (tmp_path / PACKED / "shard-00003.bin").write_bytes(b"cut")
    assert torch.equal(drawn(opened(folder, tmp_path), 1)[2], drawn(opened(folder, tmp_path, 1.0), 1)[2])


def test_ranks_share_videos_and_stills_out(folder: Path, tmp_path: Path) -> None:
    parts = [open_store(folder, WANTED, CPU, tmp_path, memory_gib=1.0, ranks=Ranks(rank, 2)) for rank in (0, 1)]
    names = [set(part.names) for part in parts]
    assert names[0] & names[1] == set()
    assert len(names[0] | names[1]) == 7
    assert [int(part.is_still.sum()) for part in parts] == [2, 1]
    with pytest.raises(DataError, match="at least one clip of each kind for 5 processes, got 4"):
        open_store(folder, WANTED, CPU, tmp_path, memory_gib=1.0, ranks=Ranks(0, 5))
