"""`facewire validate [WEIGHTS] --data OUT`: how well a model redraws people it may never have seen.

Frame 0 of each clip is the source; every Nth later frame drives. The motion comes from the model's own H and Δ on the
driving frame, the picture from its renderer: what a call would show with a perfect link. Beside the model stands what
costs nothing at all: to show the source again and again. Frame 0 itself is not measured. Each 6th of the first 150
frames are those on which ordinary codecs were measured.

With `--size` twice the model's own, the pictures of the model's own size scaled up stand there as well: what the larger
ones must beat. With `--views` nothing is measured; sheets of pictures from other views are written.
"""

import contextlib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from torch import Tensor

from models.geometry import HeadMotion
from models.metrics import Lpips, find_lpips_weights
from models.renderer import Renderer, picture_sizes
from models.resize import resize
from models.sharpen import load_sharpen
from models.training.comparison import Array, find_faces, measure
from models.training.dataset_index import Clip, read_index
from models.training.errors import DataError
from models.training.landmarker import Landmarker
from models.training.mediapipe_env import default_folder, make_environment
from models.training.picture_grid import Row, write_grid
from models.training.same_person import nearest_sources
from models.training.timelines import write_timeline
from models.training.validation_frames import Frames, bicubic, read_clip
from models.training.validation_report import (
    ClipResult,
    Identity,
    clip_table,
    following_table,
    identity_table,
    mean_table,
    write_report,
)
from models.training.view_sheets import TURNED_DEG, view_of, write_view_sheets
from models.weights import Model, load_model

GRID_COLUMNS = 4


class Drawn(NamedTuple):
    """What was rendered of a clip: outputs [N,3,S,S] by name ("model", "plain", "scaled_up"), the last one turned
    [3,S,S], and the canonical keypoints [1+N,K,3] of the source and each driving frame.
    """

    outputs: dict[str, Tensor]
    turned: Tensor
    shapes: Tensor


class Measured(NamedTuple):
    """Figures of a clip, its row of the grid, canonical keypoints of its frames, landmarks [2,N,478,2] of outputs and
    driving frames (None where they are not looked for) and the frames' numbers.
    """

    result: ClipResult
    row: Row
    shapes: Tensor
    faces: Array | None
    numbers: list[int]


def validate(
    weights: Annotated[Path | None, typer.Argument(help="Weights (default: the ones that come with facewire).")] = None,
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")] = Path("data"),
    split: Annotated[str, typer.Option(help="Which set of clips.")] = "val",
    out: Annotated[Path, typer.Option(help="Folder for the report and pictures.")] = Path("validation"),
    every: Annotated[int, typer.Option(min=1, help="Measure each Nth frame.")] = 6,
    first: Annotated[int, typer.Option(min=2, help="Use the first N frames of each clip.")] = 150,
    lpips: Annotated[Path | None, typer.Option(help="LPIPS v0.1 SqueezeNet weights (safetensors).")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
    landmarks: Annotated[bool, typer.Option(help="Measure landmark distances (needs MediaPipe).")] = True,
    size: Annotated[int | None, typer.Option(help="Side of the pictures in px; the model's own by default.")] = None,
    originals: Annotated[
        Path | None, typer.Option(help="Folder of the clips as they were before `prepare`, for a larger --size.")
    ] = None,
    views: Annotated[bool, typer.Option("--views", help="Measure nothing; write sheets of turned heads.")] = False,
) -> None:
    """Measure a model on prepared clips beside repeating the source: JSON, tables, a picture grid, curves."""
    console = Console()
    model = load_model(weights)
    clips = [clip for clip in read_index(data).of_split(split) if clip.kind == "video"]
    if not clips:
        raise DataError(f"expected video clips in the set {split}, got stills only")
    if views:
        console.print(*write_view_sheets(model, data, clips, out), sep="\n", highlight=False)
        return
    frames = Frames(every, first, _checked_size(model, size, originals), originals)
    lpips_weights = lpips or find_lpips_weights()
    if lpips_weights is None:
        console.print("LPIPS is left out: no weights (name them with --lpips or FACEWIRE_LPIPS)")
    distance = Lpips(lpips_weights) if lpips_weights else None
    with contextlib.ExitStack() as stack:
        landmarker = None
        if landmarks:
            python = mediapipe_python or make_environment(default_folder())
            landmarker = stack.enter_context(Landmarker(python))
        measured = [
            validate_clip(model, data, clip, frames, distance, landmarker)
            for clip in track(clips, f"validate {split}", console=console, transient=True)
        ]
    results = [clip.result for clip in measured]
    shapes, people = [clip.shapes for clip in measured], [result.identity for result in results]
    identity = Identity(nearest_sources(shapes, people), nearest_sources(shapes, people, own_clip=False))
    out.mkdir(parents=True, exist_ok=True)
    write_report(out / "report.json", _about(model, split, frames), results, identity)
    titles = ("source", *["driving", "output"] * GRID_COLUMNS, f"view {TURNED_DEG:+.0f} deg")
    write_grid(out / "grid.png", titles, [clip.row for clip in measured])
    console.print(clip_table(results), mean_table(results))
    if landmarks:
        _write_timelines(out / "timelines", measured)
        console.print(following_table(results))
    console.print(identity_table(identity), f"{out / 'report.json'}  {out / 'grid.png'}")


def validate_clip(
    model: Model, data: Path, clip: Clip, frames: Frames, lpips: Lpips | None, landmarker: Landmarker | None
) -> Measured:
    """Drive a clip's first frame by its later ones and measure what comes out.

    Raises `DataError` when the clip's files do not agree with the index, or it has no second frame.
    """
    source, driving, boxes, numbers = read_clip(data, clip, frames)
    drawn = _render(model, source, driving, frames.size)
    pictures = drawn.outputs | {"repeat_source": source.expand_as(driving)}
    faces: dict[str, Array | None] = dict.fromkeys(pictures)
    if landmarker:
        seen = find_faces(driving, landmarker)
        found = {name: find_faces(output, landmarker) for name, output in drawn.outputs.items()}
        found["repeat_source"] = np.repeat(find_faces(source, landmarker), len(seen), 0)
        faces = {name: np.stack((points, seen)) for name, points in found.items()}
    figures = {name: measure(picture, driving, boxes, lpips, faces[name]) for name, picture in pictures.items()}
    result = ClipResult(
        name=clip.name,
        identity=clip.identity,
        static_camera=clip.static_camera,
        frames=len(driving),
        **figures,
    )
    outputs = drawn.outputs["model"]
    shown = np.linspace(0, len(driving) - 1, GRID_COLUMNS + 1).round().astype(int)[1:]
    cells = [source[0], *(picture for n in shown for picture in (driving[n], outputs[n])), drawn.turned]
    return Measured(result, Row(clip.name, cells), drawn.shapes, faces["model"], numbers)


def _about(model: Model, split: str, frames: Frames) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "preset": model.config.preset,
        "size_px": frames.size,
        "split": split,
        "frames": f"each {frames.every}th of the first {frames.first}; frame 0 is the source and not measured",
    }


def _checked_size(model: Model, size: int | None, originals: Path | None) -> int:
    """The size to measure at. Raises `DataError` for one that the model or the prepared clips do not have."""
    sizes = picture_sizes(model)
    if size is not None and size not in sizes:
        raise DataError(f"--size: expected {' or '.join(map(str, sizes))} for this model, got {size}")
    if size is not None and size > sizes[0] and originals is None:
        raise DataError("--size: expected --originals with it, since prepared clips hold 256 px, got none")
    return size or sizes[0]


def _render(model: Model, source: Tensor, driving: Tensor, size: int) -> Drawn:
    """Redraw driving frames [N,3,S,S] from a source [1,3,S,S]: at S, and at the model's own size scaled up to S."""
    own = model.config.size
    small, moving = resize(source, own), resize(driving, own)
    x_c = model.canonical(small)
    motions = [model.extract(frame[None], x_c).motion for frame in moving]
    renderer = Renderer(model, size)
    outputs = {"model": _render_all(renderer, source, motions)}
    turned = renderer.render(motions[-1], view_of(model, motions[-1], TURNED_DEG)).cpu()[0]
    if size != own and load_sharpen(model) is not None:
        outputs["plain"] = _render_all(Renderer(model, size, sharpen=False), source, motions)
    if size != own:
        outputs["scaled_up"] = bicubic(_render_all(Renderer(model), small, motions), size)
    shapes = torch.cat([x_c.cpu(), *(model.canonical(frame[None]).cpu() for frame in moving)])
    return Drawn(outputs, turned, shapes)


def _render_all(renderer: Renderer, source: Tensor, motions: list[HeadMotion]) -> Tensor:
    renderer.set_source(source)
    return torch.cat([renderer.render(motion).cpu() for motion in motions])


def _write_timelines(folder: Path, measured: list[Measured]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for clip in measured:
        if clip.faces is not None:
            write_timeline(folder / f"{clip.result.name}.png", clip.result.name, clip.numbers, clip.faces)
