"""`facewire fit-int8 [WEIGHTS] --data OUT`: what G needs to run in 8 bits, kept beside the weights.

Looks at what comes into each of G's convolutions while training clips are rendered, rounds G by it, and measures on
validation clips how far its pictures are from fp32's and what the faces lose against the camera's. Where that could be
seen (`models/runtime/ranges.py`), the file says so and no call runs it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from models.config import ModelConfig
from models.geometry import HeadMotion
from models.metrics import Lpips, find_lpips_weights, psnr
from models.renderer import Renderer
from models.runtime.base import Runner, RuntimeUnusable
from models.runtime.graphs import render_graph
from models.runtime.openvino_int8 import OpenVinoInt8
from models.runtime.ranges import LARGEST_LOSS_DB, LARGEST_LPIPS, Range, Ranges, save_ranges
from models.training.comparison import Array, cut_box
from models.training.dataset_index import Clip, read_index
from models.training.errors import DataError
from models.training.validation_frames import Frames, read_clip
from models.weights import Model, load_model

FIRST = 100  # frames of a clip from which the driving ones are taken
LEFT_PLAIN = ("generator.correct", "generator.up_full")
"""What moves the flow, and the colours themselves: a step of theirs is a step in the picture."""


class Cost(NamedTuple):
    """What 8 bits did to one clip: distance from fp32's pictures, PSNR of the face in fp32 and in 8 bits, difference in
    levels of 255 (mean, worst).
    """

    lpips: float
    plain_db: float
    rounded_db: float
    mean_levels: float
    largest_levels: float


def fit_int8(
    weights: Annotated[Path | None, typer.Argument(help="Weights (default: the ones that come with facewire).")] = None,
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")] = Path("data"),
    learned: Annotated[str, typer.Option(help="Set of clips that ranges are taken from.")] = "train",
    split: Annotated[str, typer.Option(help="Set of clips that the cost is measured on.")] = "val",
    people: Annotated[int, typer.Option(min=1, help="How many people to look at for ranges.")] = 32,
    frames: Annotated[int, typer.Option(min=1, help="Frames of a clip.")] = 4,
    lpips: Annotated[Path | None, typer.Option(help="LPIPS v0.1 SqueezeNet weights (safetensors).")] = None,
) -> None:
    """Measure what G's convolutions see and what 8 bits cost; kept beside the weights for OpenVINO."""
    console = Console()
    model = load_model(weights)
    if not isinstance(model.config, ModelConfig):
        raise DataError(f"expected weights of preset compact, got {model.config.preset}")
    lpips_weights = lpips or find_lpips_weights()
    if lpips_weights is None:
        raise DataError("expected LPIPS weights, to see what 8 bits cost; name them with --lpips or FACEWIRE_LPIPS")
    index = read_index(data)
    seen = [clip for clip in _one_each(index.of_split(learned), people) if clip.static_camera]
    measured = _one_each(index.of_split(split), None)
    if not seen or not measured:
        raise DataError(f"expected video clips in the sets {learned} and {split}, got none in one of them")
    ranges = watch(model, data, track(seen, "ranges", console=console, transient=True), frames)
    distance = Lpips(lpips_weights)
    shown = track(measured, f"measure {split}", console=console, transient=True)
    costs = [cost_of(model, ranges, data, clip, frames, distance) for clip in shown]
    ranges = replace(ranges, lpips=_mean([c.lpips for c in costs]), loss_db=_mean([_lost(c) for c in costs]))
    path = save_ranges(model, ranges)
    console.print(_table(measured, costs), f"{ranges.words}: {'taken' if ranges.invisible else 'not taken'}. {path}")


def watch(model: Model, data: Path, clips: Iterable[Clip], frames: int) -> Ranges:
    """Render some frames of each clip from its first and keep the least and most of every input channel of G."""
    seen: dict[str, Range] = {}
    with watched(model.networks, seen):
        for clip in clips:
            source, motions, _, _ = read_motions(model, data, clip, frames)
            renderer = Renderer(model)
            renderer.set_source(source)
            for motion in motions:
                renderer.render(motion)
    return Ranges(seen, float("nan"), float("nan"))


def cost_of(model: Model, ranges: Ranges, data: Path, clip: Clip, frames: int, distance: Lpips) -> Cost:
    """Render some frames of a clip in fp32 and in 8 bits and compare. Raises DataError where 8 bits cannot run."""
    source, motions, driving, boxes = read_motions(model, data, clip, frames)
    renderer = Renderer(model)
    renderer.set_source(source)
    plain = [renderer.render(motion) for motion in motions]
    rounded = render_rounded(model, ranges, source, motions)
    off = torch.cat([(a - b).abs() * 255 for a, b in zip(plain, rounded, strict=True)])

    def face_db(pictures: Sequence[Tensor]) -> float:
        cut = [(cut_box(a, box), cut_box(b, box)) for a, b, box in zip(pictures, driving, boxes, strict=True)]
        return _mean([float(psnr(a, b)) for a, b in cut])

    return Cost(
        _mean([float(distance(a, b)) for a, b in zip(plain, rounded, strict=True)]),
        face_db(plain),
        face_db(rounded),
        float(off.mean()),
        float(off.max()),
    )


def render_rounded(model: Model, ranges: Ranges, source: Tensor, motions: Sequence[HeadMotion]) -> list[Tensor]:
    """The pictures of some motions of a source [1,3,S,S] in 8 bits. Raises DataError where OpenVINO cannot."""
    networks = model.networks
    with torch.inference_mode():
        x_c = networks.canonical(source)
        own = networks.place(x_c, networks.extractor(source, x_c).motion)
        graph = render_graph(networks, networks.appearance(source), own, own)
        try:
            # the cost is what is asked for here, so nothing that is known of it may refuse
            runner: Runner = OpenVinoInt8(replace(ranges, lpips=0.0, loss_db=0.0)).build(graph)
        except RuntimeUnusable as error:
            raise DataError(f"expected to render in 8 bits: {error}") from None
        runner.fix(*graph.fixed)
        return [runner.run(*networks.place(x_c, motion)) for motion in motions]


def read_motions(model: Model, data: Path, clip: Clip, frames: int) -> tuple[Tensor, list[HeadMotion], Tensor, Array]:
    """Frame 0, the model's own motion of some later frames, these themselves [N,1,3,S,S] and their face boxes [N,4]."""
    first = min(clip.frames, FIRST)
    pictures = read_clip(data, clip, Frames(max(1, (first - 1) // frames), first, model.config.size))
    x_c = model.canonical(pictures.source)
    driving = pictures.driving[:frames, None]
    motions = [model.extract(frame, x_c).motion for frame in driving]
    return pictures.source, motions, driving, pictures.boxes[:frames]


@contextmanager
def watched(networks: nn.Module, seen: dict[str, Range]) -> Iterator[None]:
    """While open, what comes into each of G's convolutions widens its range in `seen`."""

    def look(name: str) -> Any:
        def widen(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            low, high = (_numbers(edge) for edge in (inputs[0].amin((0, 2, 3)), inputs[0].amax((0, 2, 3))))
            before = seen.get(name, Range(low, high))
            seen[name] = Range(np.minimum(before.low, low), np.maximum(before.high, high))

        return widen

    named = [(name, part) for name, part in networks.named_modules() if isinstance(part, nn.Conv2d)]
    of_g = [(name, part) for name, part in named if name.startswith("generator.") and name not in LEFT_PLAIN]
    handles = [part.register_forward_pre_hook(look(name)) for name, part in of_g]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _numbers(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().float().cpu().numpy().astype(np.float32)


def _one_each(clips: Sequence[Clip], most: int | None) -> list[Clip]:
    """The first video of each person, `most` people evenly spread over all."""
    firsts = list({clip.identity: clip for clip in reversed(clips) if clip.kind == "video"}.values())[::-1]
    if most is None or len(firsts) <= most:
        return firsts
    return [firsts[number] for number in np.linspace(0, len(firsts) - 1, most).round().astype(int)]


def _lost(cost: Cost) -> float:
    return cost.plain_db - cost.rounded_db


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _table(clips: Sequence[Clip], costs: Sequence[Cost]) -> Table:
    title = f"8 bits beside fp32; taken up to LPIPS {LARGEST_LPIPS} and {LARGEST_LOSS_DB} dB lost"
    table = Table("clip", "LPIPS", "face dB fp32", "face dB 8 bits", "levels mean", "worst", title=title)
    forms = (".5f", ".3f", ".3f", ".3f", ".1f")
    for clip, cost in zip(clips, costs, strict=True):
        table.add_row(clip.name, *(format(value, form) for value, form in zip(cost, forms, strict=True)))
    return table
