"""A call's two halves at once on one machine: extract at the camera's rate, and render beside it, a process each.

    python -m benchmarks.duplex [--seconds 10] [--fps 25] [--threads 1] [--weights FOLDER | --preset tiny] [--json]

Each process runs the way that is chosen for it (`models.runtime.prepare`) and compares a frame with plain torch's
before it starts. Extract is asked for a frame every 1 / fps seconds and drops what it misses; render runs as fast as
it can. Bar: 25 fps of both. Coding, network and video files are not in it.

Rates hold for a machine that does nothing else. CPU ms is what a frame takes of a core while the other half runs beside
it, which a busy machine disturbs less: render keeps the bar with up to 40 on a core of its own.
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
    cpu: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Run frames for some seconds: one each 1 / fps s, frames that are missed dropped; 0 fps is without a pause.

    Returns frames, dropped, fps reached, p95 of a frame in ms, and the CPU time of this process a frame in ms (median).
    """
    times_ms: list[float] = []
    cpu_ms: list[float] = []
    start, dropped, due = now(), 0, 0
    while (elapsed := now() - start) < seconds:
        if fps:
            behind = int(elapsed * fps) - due
            if behind < 0:
                sleep((due / fps) - elapsed)
                continue
            dropped, due = dropped + behind, due + behind + 1
        begin, cpu_begin = now(), cpu()
        run(len(times_ms))
        times_ms.append((now() - begin) * 1e3)
        cpu_ms.append((cpu() - cpu_begin) * 1e3)
    return {
        "frames": len(times_ms),
        "dropped": dropped,
        "fps": len(times_ms) / (now() - start),
        "p95_ms": _share(times_ms, 0.95),
        "cpu_ms": _share(cpu_ms, 0.5),
    }


def _share(values: Sequence[float], share: float) -> float:
    """The value that a share of all stays below; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


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
    from models.runtime.prepare import prepare, ways_for
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
    way = prepared.choices[0].way
    tolerance = next(each.tolerance for each in ways_for(model.device) if each.name == way)
    checked = compare(way, path, got, [plain.run(*inputs) for inputs in frames], tolerance)
    if checked.problem is not None:
        raise ValueError(f"expected plain torch's output, got one that is {checked.problem}")
    return run, way


def _table(results: Sequence[dict[str, Any]], options: argparse.Namespace) -> Table:
    title = f"both at once, {options.threads} thread{'s' if options.threads > 1 else ''} each, {options.seconds:g} s"
    table = Table("half", "way", "asked fps", "reached fps", "dropped", "p95 ms", "CPU ms", title=title)
    for entry in results:
        asked = f"{options.fps:g}" if entry["path"] == "extract" else "all it can"
        reached = (f"{entry['fps']:.1f}", str(entry["dropped"]), f"{entry['p95_ms']:.1f}", f"{entry['cpu_ms']:.1f}")
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
