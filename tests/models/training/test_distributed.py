"""Two real processes over gloo: equal weights after every step, each with its own clips and its own draws."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim import Adam

from models.config import TINY
from models.networks import Networks
from models.training.checkpoint import MovingAverage, load_state, save_state
from models.training.distributed import Ranks, join
from tests.models.training.prepared import write_prepared

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.network
@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """What `torchrun` sets, set by hand: the worker runs 3 steps at once, and 3 in two runs with a stop between."""
    data = write_prepared(tmp_path / "data", clips=4, frames=4, stills=2)
    known = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.models.training.rank_worker", str(data), str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, **known, "RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in ("0", "1")
    ]
    try:
        assert [worker.wait(240) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
    said = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    weights = [load_file(tmp_path / f"rank{rank}.safetensors") for rank in (0, 1)]
    resumed = [load_file(tmp_path / f"resumed{rank}.safetensors") for rank in (0, 1)]
    start = load_file(tmp_path / "start0.safetensors")
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
        assert torch.equal(value, resumed[0][name]), f"resumed: {name}"
        assert torch.equal(value, resumed[1][name]), f"resumed: {name}"
    assert any(not torch.equal(value, start[name]) for name, value in weights[0].items())
    # a single process with the same seed sees other pictures, and comes to other weights
    alone = load_file(tmp_path / "alone.safetensors")
    assert any(not torch.equal(value, alone[name]) for name, value in weights[0].items())
    assert set(said[0]["clips"]) & set(said[1]["clips"]) == set()
    assert len(said[0]["clips"] + said[1]["clips"]) == 6
    assert said[0]["draws"] != said[1]["draws"]
    assert said[0]["stopped_after"] == said[1]["stopped_after"] == 2  # one was asked, both ended
    assert sorted(path.name for path in (tmp_path / "whole").glob("*.safetensors")) == ["keypoints.safetensors"]


def test_alone_nothing_changes() -> None:
    with join(torch.device("cpu")) as ranks:
        assert ranks == Ranks()
        assert ranks.shard([1, 2, 3]) == [1, 2, 3]
        assert ranks.seed(7) == 7
        assert ranks.agree(1.5, True) == (1.5, True)
        module = nn.Linear(2, 2)
        ranks.average(module)
        ranks.broadcast(module)
        assert module.weight.grad is None
        assert ranks.gather(torch.tensor([1, 2], dtype=torch.uint8)).tolist() == [[1, 2]]


def test_shards_cover_all_and_overlap_nowhere() -> None:
    parts = [Ranks(rank, 3).shard(range(8)) for rank in range(3)]
    assert parts == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert len({Ranks(rank, 3).seed(5) for rank in range(3)}) == 3


def test_batch_norms_count_all_ranks_pictures_on_cuda_only() -> None:
    on_cpu, on_cuda = Networks(TINY), Networks(TINY)
    names = set(on_cuda.state_dict())
    Ranks(0, 2, torch.device("cpu")).synchronise_norms(on_cpu)
    Ranks(0, 2, torch.device("cuda", 0)).synchronise_norms(on_cuda)
    assert not any(isinstance(part, nn.SyncBatchNorm) for part in on_cpu.modules())
    synchronised = [part for part in on_cuda.modules() if isinstance(part, nn.SyncBatchNorm)]
    assert len(synchronised) == sum(isinstance(part, nn.BatchNorm2d) for part in on_cpu.modules())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in on_cuda.modules())
    assert set(on_cuda.state_dict()) == names  # weights load as before


def test_ranks_that_were_not_there_keep_their_own_random_stream(tmp_path: Path) -> None:
    """A state of two ranks read by three: the first two go on where they were, the third starts its own."""
    module = nn.Linear(2, 2)
    average, optimizer = MovingAverage(module, 0.9), Adam(module.parameters())
    streams = [torch.Generator().manual_seed(seed) for seed in (11, 12)]
    states = torch.stack([stream.get_state() for stream in streams])
    save_state(tmp_path / "state", module, average, optimizer, states, {"step": 3})
    read = [torch.Generator().manual_seed(99) for _ in range(3)]
    for rank, rng in enumerate(read):
        assert load_state(tmp_path / "state", module, average, optimizer, rng, rank)["step"] == 3
    assert [rng.initial_seed() for rng in read[2:]] == [99]
    drawn = [torch.rand(2, generator=rng).tolist() for rng in read]
    assert drawn[:2] == [torch.rand(2, generator=stream).tolist() for stream in streams]
    assert drawn[2] == torch.rand(2, generator=torch.Generator().manual_seed(99)).tolist()
