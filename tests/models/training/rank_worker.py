"""One of the processes of test_distributed.py: trains the tiny keypoint networks and writes what this rank holds."""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.config import TINY
from models.networks import Networks
from models.training.checkpoint import load_average
from models.training.distributed import Ranks, join
from models.training.run import Plan, run_stage
from models.training.shards import Wanted, open_store
from models.training.stages import KeypointStage

PLAN = Plan(size=32, minutes=None, steps=3, warm_up=1)


def make_stage(data: Path, out: Path, ranks: Ranks, seed: int = 0) -> KeypointStage:
    """Its weights hang on `seed`; ranks other than the first must not keep theirs."""
    torch.manual_seed(seed)
    wanted = Wanted(("train", "stills"), 40)
    store = open_store(data, wanted, ranks.device, out / "packed", memory_gib=1.0, ranks=ranks)
    return KeypointStage(Networks(TINY), store, TINY.trunk_size, pairs=3)


def write(stage: KeypointStage, path: Path) -> None:
    save_file({name: value.contiguous() for name, value in stage.module.state_dict().items()}, path)


def main(data: Path, out: Path) -> None:
    """Train whole, then in two parts; on rank 0 also alone."""
    with join(torch.device("cpu")) as ranks:
        for name in ("whole", "parts", "alone"):
            (out / name).mkdir(exist_ok=True)
        stage = make_stage(data, out, ranks, seed=ranks.rank)
        write(stage, out / f"start{ranks.rank}.safetensors")
        rng = torch.Generator().manual_seed(ranks.seed(0))
        draws = stage.store.draw_clips(20, rng).tolist()
        assert run_stage(stage, PLAN, out / "whole", resume=False, ranks=ranks)
        write(stage, out / f"rank{ranks.rank}.safetensors")

        parts = make_stage(data, out, ranks, seed=ranks.rank)
        calls = iter([False, False, ranks.rank == 1])  # asked of one of them only
        assert not run_stage(parts, PLAN, out / "parts", False, lambda: next(calls), ranks=ranks)
        steps = load_average(out / "parts" / "keypoints.safetensors")[1]["step"]
        again = make_stage(data, out, ranks, seed=ranks.rank + 5)
        assert run_stage(again, PLAN, out / "parts", resume=True, ranks=ranks)
        write(again, out / f"resumed{ranks.rank}.safetensors")
        said = {"clips": stage.store.names, "draws": draws, "stopped_after": steps}
        (out / f"rank{ranks.rank}.json").write_text(json.dumps(said))
        ranks.wait()
    if ranks.first:
        alone = make_stage(data, out, Ranks())
        run_stage(alone, PLAN, out / "alone", resume=False)
        write(alone, out / "alone.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
