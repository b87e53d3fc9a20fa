"""Measures the ways to run one graph beside plain fp32 torch, on real pictures, and chooses the quickest right one."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from models.runtime.base import Graph, Runner, RuntimeUnusable, Tolerance, Way
from models.runtime.torch_eager import Eager

WARM_UP = 3
ROUNDS = 15
GAIN = 0.95
"""Another way has to take at most this share of plain torch's time: less is noise, and plain torch cannot go wrong."""
OF_RENDER = Tolerance(largest=6.0 / 255, mean=0.25 / 255)
"""How far a picture in [0,1] may be off. fp32 in another order is off by 3e-5; G in bf16 by 0.006 at worst; a network
that is wrong by far more."""
OF_EXTRACT = Tolerance(largest=0.001, mean=0.001)
"""How far a keypoint may be off in crop units (0.13 px of 256), and an angle in half turns (0.2 degrees)."""


@dataclass(frozen=True)
class Measured:
    """What came of one way. Times in ms, None where it could not run; difference from plain torch in its own unit."""

    way: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    largest_difference: float | None = None
    mean_difference: float | None = None
    problem: str | None = None

    @property
    def usable(self) -> bool:
        return self.problem is None and self.p50_ms is not None


@dataclass(frozen=True)
class Choice:
    """The way taken for a graph and why, with everything that was measured.

    load: programs that wanted a core while it was measured, this one among them; None where the system does not tell.
    """

    graph: str
    way: str
    why: str
    measured: tuple[Measured, ...] = field(default=())
    load: float | None = None


@dataclass(frozen=True)
class Chosen:
    """A choice with its runner, fixed to the graph's example source."""

    choice: Choice
    runner: Runner


def choose(
    graph: Graph,
    frames: Sequence[tuple[Tensor, ...]],
    ways: Sequence[Way],
    now: Callable[[], float] = time.perf_counter,
    rounds: int = ROUNDS,
) -> Chosen:
    """Build every way, run `frames` (inputs of real frames) through each, and take the quickest right one.

    Plain torch always takes part. The ways take turns, so that a machine that slows down slows all of them.
    """
    plain = Eager().build(graph)
    plain.fix(*graph.fixed)
    expected = [plain.run(*frame) for frame in frames]
    runners: dict[str, Runner] = {Eager.name: plain}
    results: dict[str, Measured] = {Eager.name: Measured(Eager.name, largest_difference=0.0, mean_difference=0.0)}
    for way in ways:
        if way.name == Eager.name:
            continue
        try:
            runner = way.build(graph)
            runner.fix(*graph.fixed)
            got = [runner.run(*frame) for frame in frames]
            results[way.name] = compare(way.name, graph.name, got, expected, way.tolerance)
            runners[way.name] = runner
        except RuntimeUnusable as error:
            results[way.name] = Measured(way.name, problem=str(error))
        except Exception as error:  # a way that breaks is a way that is not taken, whatever breaks it
            results[way.name] = Measured(way.name, problem=f"failed: {type(error).__name__}: {error}".splitlines()[0])
    right = {name: runner for name, runner in runners.items() if results[name].problem is None}
    times_ms = _time(right, frames, now, rounds)
    measured = tuple(_timed(result, times_ms.get(name)) for name, result in results.items())
    way_name, why = decide(measured)
    chosen = Chosen(Choice(graph.name, way_name, why, measured), runners[way_name])
    runners.clear()
    gc.collect()  # the networks of the ways not taken
    return chosen


def compare(
    way: str, graph: str, got: Sequence[Tensor], expected: Sequence[Tensor], tolerance: Tolerance | None = None
) -> Measured:
    """How far results are from plain torch's; `problem` says so where that is too far (by default, for the path)."""
    pairs = [(_in_units(graph, a), _in_units(graph, b)) for a, b in zip(got, expected, strict=True)]
    if any(a.shape != b.shape for a, b in pairs):
        return Measured(way, problem=f"expected shape {tuple(pairs[0][1].shape)}, got {tuple(pairs[0][0].shape)}")
    off = torch.stack([(a - b).abs() for a, b in pairs])
    largest, mean = float(off.max()), float(off.mean())
    allowed = tolerance or (OF_RENDER if graph == "render" else OF_EXTRACT)
    problem = None
    if not (largest <= allowed.largest and mean <= allowed.mean):  # so that NaN is one, too
        problem = f"off by {largest:.1e} (mean {mean:.1e}), allowed are {allowed.largest:.1e} (mean {allowed.mean:.1e})"
    return Measured(way, largest_difference=largest, mean_difference=mean, problem=problem)


def decide(measured: Sequence[Measured]) -> tuple[str, str]:
    """The way to take out of what was measured, and why, in words."""
    times_ms = {result.way: result.p50_ms for result in measured if result.usable and result.p50_ms is not None}
    plain_ms = times_ms[Eager.name]
    best = min(times_ms, key=lambda name: times_ms[name])
    if best == Eager.name or times_ms[best] > GAIN * plain_ms:
        others = len(times_ms) - 1
        return Eager.name, f"none of {others} other ways is quicker by 5 %" if others else "nothing else runs here"
    return best, f"{times_ms[best]:.1f} ms where plain torch takes {plain_ms:.1f} ms"


def _time(
    runners: dict[str, Runner], frames: Sequence[tuple[Tensor, ...]], now: Callable[[], float], rounds: int
) -> dict[str, list[float]]:
    times_ms: dict[str, list[float]] = {name: [] for name in runners}
    for round_ in range(-WARM_UP, rounds):
        frame = frames[round_ % len(frames)]
        for name, runner in runners.items():
            start = now()
            runner.run(*frame)
            _wait()
            if round_ >= 0:
                times_ms[name].append((now() - start) * 1e3)
    return times_ms


def _timed(result: Measured, times_ms: list[float] | None) -> Measured:
    if not times_ms:
        return result
    p50, p95 = (float(np.percentile(times_ms, share)) for share in (50, 95))
    return Measured(result.way, p50, p95, result.largest_difference, result.mean_difference, result.problem)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _in_units(graph: str, result: Tensor) -> Tensor:
    """Results in fp32 on the CPU; of `extract`, angles in half turns, so that one bound fits all numbers."""
    result = result.detach().float().cpu().clone()
    if graph == "extract":
        result[:, :3] /= 180.0
    return result
