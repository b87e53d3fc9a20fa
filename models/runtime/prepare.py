"""`prepare(model)`: the same model, with its per-frame paths run the way that is quickest here."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from models.runtime.base import Graph, Runner, RuntimeUnusable, Way
from models.runtime.choose import Choice, choose, compare
from models.runtime.cuda_graph import CudaGraph
from models.runtime.examples import example
from models.runtime.guarded import Guarded
from models.runtime.machine import describe, load
from models.runtime.openvino_graph import OpenVino
from models.runtime.openvino_int8 import OpenVinoInt8
from models.runtime.ranges import Ranges, load_ranges
from models.runtime.stored import cache_folder, forget, keep_choice, key_of, one_at_a_time, read_choice
from models.runtime.torch_eager import Eager, Folded
from models.runtime.torch_frozen import Frozen, FrozenBf16
from models.weights import Model, WeightsError

PATHS = ("extract", "render")
SMALL_GMAC = 0.02
"""Below this, plain torch is quick enough and there is nothing to measure: the networks of tests."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A model with its runners, and what was chosen for each path."""

    model: Model
    choices: tuple[Choice, ...]


def prepare(
    model: Model,
    paths: Sequence[str] = PATHS,
    say: Say = lambda line: None,
    measure: bool = False,
    now: Callable[[], float] = time.perf_counter,
) -> Prepared:
    """Choose how each path runs: as kept on disk, or, where nothing is kept or `measure` asks for it, by measuring.

    Never fails for a way that does: plain torch is always there. `say` hears what takes long and what went wrong.
    """
    runners: dict[str, Guarded] = {}
    choices = []
    for path in paths:
        graph, frames = example(model, path)
        if count_gmac(graph) < SMALL_GMAC:
            choices.append(Choice(path, Eager.name, "so small that there is nothing to gain"))
            continue
        choice, runner = _choose(model, graph, frames, say, measure, now)
        choices.append(choice)
        if runner is not None:
            runners[path] = Guarded(choice.way, runner, graph, say)
    return Prepared(replace(model, runners=runners), tuple(choices))


def ways_for(device: torch.device, folder: Path | None = None, ranges: Ranges | None = None) -> list[Way]:
    """Every way worth trying on a device, plain torch first.

    folder: where a way may keep what it converted. ranges: of the model's weights, for the way in 8 bits.
    """
    if device.type == "cuda":
        return [Eager(), Folded(), CudaGraph(torch.float16), CudaGraph(torch.bfloat16)]
    return [Eager(), Folded(), Frozen(), FrozenBf16(), OpenVino(folder), OpenVinoInt8(ranges, folder)]


@torch.inference_mode()
def count_gmac(graph: Graph) -> float:
    """Multiply-adds of one frame in 1e9: convolutions and matrix products, without sampling and activations."""
    plain = Eager().build(graph)
    plain.fix(*graph.fixed)
    with FlopCounterMode(display=False) as counter:
        plain.run(*graph.frame)
    return float(counter.get_total_flops() / 2e9)


def ranges_of(model: Model, say: Say = lambda line: None) -> Ranges | None:
    """The ranges beside a model's weights, None where they cannot be used; `say` hears of a damaged file."""
    try:
        return load_ranges(model)
    except WeightsError as error:
        say(f"{error}; rendering without 8 bits")
        return None


def _choose(
    model: Model,
    graph: Graph,
    frames: Sequence[tuple[Tensor, ...]],
    say: Say,
    measure: bool,
    now: Callable[[], float],
) -> tuple[Choice, Runner | None]:
    """The choice for one graph, and its runner where that is not plain torch."""
    ranges = ranges_of(model, say)
    facts: dict[str, Any] = {"model": model.model_id, "graph": graph.signature, "device": str(model.device)}
    facts["ranges"] = ranges.digest if ranges else None
    folder = cache_folder() / key_of({**facts, **describe()})
    ways = ways_for(model.device, folder, ranges)
    with one_at_a_time(cache_folder()):
        kept = None if measure else read_choice(folder, {way.name for way in ways})
        if kept is None:
            forget(folder)
            say(f"{graph.name}: measuring the ways to run it on this machine, once; this takes some seconds")
            before = load()  # what others ask of the cores: the ways themselves are not in it yet
            chosen = choose(graph, frames, ways, now)
            choice = replace(chosen.choice, load=before)
            keep_choice(folder, choice)
            say(f"{graph.name}: {choice.way}, {choice.why}")
            return choice, None if choice.way == Eager.name else chosen.runner
    if kept.way == Eager.name:
        return kept, None
    try:
        way = next(way for way in ways if way.name == kept.way)
        return kept, _build_checked(way, graph, frames[0])
    except Exception as error:  # it worked when it was measured: say so, and go on
        say(f"{graph.name}: {kept.way} does not run any more ({str(error).splitlines()[0]}); using plain torch")
        return Choice(graph.name, Eager.name, f"{kept.way} does not run any more", kept.measured), None


def _build_checked(way: Way, graph: Graph, frame: tuple[Tensor, ...]) -> Runner:
    """Build a way and compare one frame with plain torch. Raises RuntimeUnusable, or whatever the way raises."""
    plain, runner = Eager().build(graph), way.build(graph)
    for each in (plain, runner):
        each.fix(*graph.fixed)
    result = compare(way.name, graph.name, [runner.run(*frame)], [plain.run(*frame)], way.tolerance)
    if result.problem is not None:
        raise RuntimeUnusable(result.problem)
    return runner
