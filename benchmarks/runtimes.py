"""Times every way to run extract (H, Δ) and render (M, warps, G) on this machine, on one thread and on two.

    python -m benchmarks.runtimes [--rounds 60] [--threads 1,2] [--clock wall|cpu] [--json]
                                  [--weights FOLDER | --preset tiny]

GMAC, ms p50 and p95, and how far each way's output is from plain fp32 torch's on the same frames; one that is further
off than allowed ends the benchmark with an error. The ways take turns. `--clock cpu` counts the process's own CPU time
(all threads), which a busy machine disturbs less than the wall's.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from models.runtime.choose import Measured, choose
from models.runtime.examples import example
from models.runtime.machine import describe
from models.runtime.prepare import PATHS, count_gmac, ranges_of, ways_for
from models.weights import Model, build_model, load_model

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its tables or JSON."""
    options = _parse(arguments)
    model = build_model(options.preset) if options.preset else load_model(options.weights, options.device)
    model.networks.to(options.device)
    results = [
        measure(model, path, threads, options.rounds, options.clock) for threads in options.threads for path in PATHS
    ]
    report = {"results": results, "clock": options.clock, "machine": describe(), "preset": model.config.preset}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        console = Console()
        for result in results:
            console.print(_table(result, report))


def measure(model: Model, path: str, threads: int, rounds: int, clock: str) -> dict[str, Any]:
    """Time and check all ways of one path. Raises SystemExit where a way that runs gives another picture."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        graph, frames = example(model, path)
        choice = choose(graph, frames, ways_for(model.device, ranges=ranges_of(model)), CLOCKS[clock], rounds).choice
    finally:
        torch.set_num_threads(before)
    wrong = [result for result in choice.measured if is_wrong(result)]
    if wrong:
        raise SystemExit(f"{path}: expected plain torch's output, {wrong[0].way} is {wrong[0].problem}")
    return {"path": path, "threads": threads, "gmac": round(count_gmac(graph), 3), **asdict(choice)}


def is_wrong(result: Measured) -> bool:
    """Whether a way ran and gave something else, as against one that cannot run here."""
    return result.problem is not None and result.largest_difference is not None


def _table(result: dict[str, Any], report: dict[str, Any]) -> Table:
    machine = report["machine"]
    about = f"{result['gmac']} GMAC, {result['threads']} threads, {machine['processor']}"
    title = f"{result['path']}, {report['preset']}, {about}"
    table = Table("way", f"p50 ms ({report['clock']})", "p95 ms", "off by (worst)", "off by (mean)", "", title=title)
    for entry in result["measured"]:
        numbers = [(entry["p50_ms"], ".2f"), (entry["p95_ms"], ".2f")]
        numbers += [(entry["largest_difference"], ".1e"), (entry["mean_difference"], ".1e")]
        cells = ("-" if value is None else format(value, form) for value, form in numbers)
        table.add_row(entry["way"], *cells, entry["problem"] or "")
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time every way to run the networks on this machine.")
    parser.add_argument("--rounds", type=int, default=60, help="frames to time for each way (default 60)")
    parser.add_argument("--threads", type=_numbers, default=[1, 2], help="numbers of threads (default 1,2)")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="what is counted (default wall)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--weights", type=Path, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--preset", help="random weights of this preset instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.rounds < 1:
        parser.error(f"expected at least one round, got {options.rounds}")
    return options


def _numbers(text: str) -> list[int]:
    numbers = [int(word) for word in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"expected numbers of threads from 1, got {text}")
    return numbers


if __name__ == "__main__":
    main()
