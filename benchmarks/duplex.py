"""A call's two halves at once on one machine: extract at the camera's rate, and render beside it, a process each.

    python -m benchmarks.duplex [--seconds 10] [--fps 25] [--threads 1] [--weights FOLDER | --preset tiny] [--json]

Each process runs the way that is chosen for it (`models.runtime.prepare`) and compares a frame with plain torch's
before it starts. Extract is asked for a frame every 1 / fps seconds and drops what it misses; render runs as fast as
it can. Bar: 25 fps of both. Coding, network and video files are not in it.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

START_S = 300.0  # for measuring the ways, where nothing is kept yet


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both halves and print what they reached."""
    options = _parse(arguments)
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(2), spawn.Queue()
    rates = {"extract": options.fps, "render": 0.0}
    workers = [
        spawn.Process(target=_work, args=(path, fps, options, start, answers), daemon=True)
        for path, fps in rates.items()
    ]
    for worker in workers:
        worker.start()
    results = sorted((answers.get(timeout=START_S + options.seconds) for _ in workers), key=lambda entry: entry["path"])
    for worker in workers:
        worker.join()
    problems = [entry["problem"] for entry in results if entry.get("problem")]
    if problems:
        raise SystemExit(problems[0])
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        Console().print(_table(results, options))


def paced(
    run: Callable[[int], object],
    seconds: float,
    fps: float,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, float]:
    """Run frames for some seconds: one each 1 / fps s, frames that are missed dropped; 0 fps is without a pause.

    Returns frames, dropped, fps reached, and p95 of a frame in ms.
    """
    times_ms: list[float] = []
    start, dropped, due = now(), 0, 0
    while (elapsed := now() - start) < seconds:
        if fps:
            behind = int(elapsed * fps) - due
            if behind < 0:
                sleep((due / fps) - elapsed)
                continue
            dropped, due = dropped + behind, due + behind + 1
        begin = now()
        run(len(times_ms))
        times_ms.append((now() - begin) * 1e3)
    times_ms.sort()
    p95_ms = times_ms[min(len(times_ms) - 1, int(0.95 * len(times_ms)))] if times_ms else 0.0
    return {"frames": len(times_ms), "dropped": dropped, "fps": len(times_ms) / (now() - start), "p95_ms": p95_ms}


def _work(path: str, fps: float, options: argparse.Namespace, start: Any, answers: Any) -> None:
    try:
        run, way = _ready(path, options)
        start.wait(START_S)
        answers.put({"path": path, "way": way, **paced(run, options.seconds, fps)})
    except BaseException as error:
        start.abort()
        answers.put({"path": path, "problem": f"{path}: {type(error).__name__}: {error}"})


def _ready(path: str, options: argparse.Namespace) -> tuple[Callable[[int], object], str]:
    """One half's run(frame), warm and checked, and the name of its way."""
    import torch

    from models.runtime.choose import compare
    from models.runtime.examples import example
    from models.runtime.prepare import prepare
    from models.runtime.torch_eager import Eager
    from models.weights import build_model, load_model

    torch.set_num_threads(options.threads)
    model = build_model(options.preset) if options.preset else load_model(options.weights)
    prepared = prepare(model, [path])
    graph, frames = example(model, path)
    plain = Eager().build(graph)
    plain.fix(*graph.fixed)
    guarded = prepared.model.runners.get(path)

    def run(frame: int) -> torch.Tensor:
        inputs = frames[frame % len(frames)]
        return plain.run(*inputs) if guarded is None else guarded(graph.fixed, inputs)

    got = [run(frame) for frame in range(len(frames))]
    checked = compare(path, path, got, [plain.run(*inputs) for inputs in frames])
    if checked.problem is not None:
        raise ValueError(f"expected plain torch's output, got one that is {checked.problem}")
    return run, prepared.choices[0].way


def _table(results: Sequence[dict[str, Any]], options: argparse.Namespace) -> Table:
    title = f"both at once, {options.threads} thread{'s' if options.threads > 1 else ''} each, {options.seconds:g} s"
    table = Table("half", "way", "asked fps", "reached fps", "dropped", "p95 ms", title=title)
    for entry in results:
        asked = f"{options.fps:g}" if entry["path"] == "extract" else "all it can"
        reached = (f"{entry['fps']:.1f}", str(entry["dropped"]), f"{entry['p95_ms']:.1f}")
        table.add_row(entry["path"], entry["way"], asked, *reached)
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run extract and render at once on this machine.")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--fps", type=float, default=25.0, help="the camera's rate (default 25)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each half (default 1)")
    parser.add_argument("--weights", type=Path, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--preset", help="random weights of this preset instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.seconds <= 0 or options.fps <= 0 or options.threads < 1:
        parser.error("expected --seconds and --fps above 0 and at least one thread")
    return options


if __name__ == "__main__":
    main()
