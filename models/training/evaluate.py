"""`facewire validate [WEIGHTS] --data OUT`: how well a model redraws people it may never have seen.

Frame 0 of each clip is the source; every Nth later frame drives. The motion comes from the model's own H and Δ on the
driving frame, the picture from its renderer: what a call would show with a perfect link. Beside the model stands what
costs nothing at all: to show the source again and again. Frame 0 itself is not measured. Each 6th of the first 150
frames are those on which ordinary codecs were measured.
"""

import contextlib
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from torch import Tensor

from models.geometry import View
from models.metrics import Lpips, find_lpips_weights
from models.renderer import Renderer
from models.training.clip_files import read_frames
from models.training.comparison import Array, find_faces, measure
from models.training.crop import landmark_boxes
from models.training.dataset_index import Clip, read_index, read_track
from models.training.errors import ClipRejected, DataError
from models.training.landmarker import Landmarker, Picture
from models.training.mediapipe_env import default_folder, make_environment
from models.training.picture_grid import Row, write_grid
from models.training.validation_report import ClipResult, clip_table, mean_table, write_report
from models.weights import Model, load_model

VIEW_YAW_DEG = 20.0
GRID_COLUMNS = 4


class Frames(NamedTuple):
    """Which frames are measured: each `every`-th of the first `first`, but for frame 0, the source."""

    every: int
    first: int


def validate(
    weights: Annotated[Path | None, typer.Argument(help="Weights (default: the ones that come with facewire).")] = None,
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")] = Path("data"),
    split: Annotated[str, typer.Option(help="Which set of clips.")] = "val",
    out: Annotated[Path, typer.Option(help="Folder for report.json and grid.png.")] = Path("validation"),
    every: Annotated[int, typer.Option(min=1, help="Measure each Nth frame.")] = 6,
    first: Annotated[int, typer.Option(min=2, help="Use the first N frames of each clip.")] = 150,
    lpips: Annotated[Path | None, typer.Option(help="LPIPS v0.1 SqueezeNet weights (safetensors).")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
    landmarks: Annotated[bool, typer.Option(help="Measure landmark distances (needs MediaPipe).")] = True,
) -> None:
    """Measure a model on prepared clips beside repeating the source: JSON, a table and a picture grid."""
    console = Console()
    model = load_model(weights)
    clips = [clip for clip in read_index(data).of_split(split) if clip.kind == "video"]
    if not clips:
        raise DataError(f"expected video clips in the set {split}, got stills only")
    lpips_weights = lpips or find_lpips_weights()
    if lpips_weights is None:
        console.print("LPIPS is left out: no weights (name them with --lpips or FACEWIRE_LPIPS)")
    distance = Lpips(lpips_weights) if lpips_weights else None
    frames = Frames(every, first)
    with contextlib.ExitStack() as stack:
        landmarker = None
        if landmarks:
            python = mediapipe_python or make_environment(default_folder())
            landmarker = stack.enter_context(Landmarker(python))
        measured = [
            validate_clip(model, data, clip, frames, distance, landmarker)
            for clip in track(clips, f"validate {split}", console=console, transient=True)
        ]
    results = [result for result, _ in measured]
    out.mkdir(parents=True, exist_ok=True)
    write_report(out / "report.json", _about(model, split, frames), results)
    titles = ("source", *["driving", "output"] * GRID_COLUMNS, f"view {VIEW_YAW_DEG:+.0f} deg")
    write_grid(out / "grid.png", titles, [row for _, row in measured])
    console.print(clip_table(results), mean_table(results), f"{out / 'report.json'}  {out / 'grid.png'}")


def validate_clip(
    model: Model, data: Path, clip: Clip, frames: Frames, lpips: Lpips | None, landmarker: Landmarker | None
) -> tuple[ClipResult, Row]:
    """Drive a clip's first frame by its later ones; returns the figures and the clip's row of the grid.

    Raises `DataError` when the clip's files do not agree with the index, or it has no second frame.
    """
    boxes = landmark_boxes(read_track(data, clip).landmarks)
    source, driving, numbers = _read_pictures(data, clip, model.config.size, frames)
    boxes = _fill(boxes)[numbers]
    outputs, turned = _render(model, source, driving)
    repeat = source.expand_as(driving)
    faces = repeated = None
    if landmarker:
        seen = find_faces(driving, landmarker)
        faces = np.stack((find_faces(outputs, landmarker), seen))
        repeated = np.stack((np.repeat(find_faces(source, landmarker), len(seen), 0), seen))
    result = ClipResult(
        name=clip.name,
        identity=clip.identity,
        static_camera=clip.static_camera,
        frames=len(driving),
        model=measure(outputs, driving, boxes, lpips, faces),
        repeat_source=measure(repeat, driving, boxes, lpips, repeated),
    )
    shown = np.linspace(0, len(driving) - 1, GRID_COLUMNS + 1).round().astype(int)[1:]
    pictures = [source[0], *(picture for n in shown for picture in (driving[n], outputs[n])), turned[0]]
    return result, Row(clip.name, pictures)


def _about(model: Model, split: str, frames: Frames) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "preset": model.config.preset,
        "size_px": model.config.size,
        "split": split,
        "frames": f"each {frames.every}th of the first {frames.first}; frame 0 is the source and not measured",
    }


def _read_pictures(data: Path, clip: Clip, size: int, frames: Frames) -> tuple[Tensor, Tensor, list[int]]:
    """Source [1,3,S,S], driving frames [N,3,S,S] in [0,1] and their numbers."""
    path = data / clip.video
    try:
        pictures = list(islice(read_frames(path), frames.first))
    except ClipRejected as error:
        raise DataError(f"expected the clip {clip.name} at {path}: {error}") from None
    expected = min(clip.frames, frames.first)
    if len(pictures) != expected or expected <= frames.every:
        raise DataError(f"expected {expected} frames, more than {frames.every}, in {path}, got {len(pictures)}")
    numbers = list(range(frames.every, len(pictures), frames.every))
    return _to_tensor(pictures[:1], size), _to_tensor([pictures[n] for n in numbers], size), numbers


def _to_tensor(frames: list[Picture], size: int) -> Tensor:
    pictures = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255
    if pictures.shape[-1] == size:
        return pictures
    return torch.nn.functional.interpolate(pictures, (size, size), mode="area")


def _render(model: Model, source: Tensor, driving: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs [N,3,S,S], and the last frame seen from 20 degrees further right [1,3,S,S]."""
    renderer = Renderer(model)
    renderer.set_source(source)
    x_c = model.canonical(source)
    motions = [model.extract(frame[None], x_c).motion for frame in driving]
    outputs = torch.cat([renderer.render(motion).cpu() for motion in motions])
    zero = torch.zeros(1)
    view = View(zero + VIEW_YAW_DEG, zero, zero, torch.zeros(1, 3))
    return outputs, renderer.render(motions[-1], view).cpu()


def _fill(boxes: Array) -> Array:
    """Boxes [N,4] with those of frames without a face taken from the nearest frame that has one."""
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    nearest = known[np.abs(np.arange(len(boxes))[:, None] - known[None]).argmin(1)]
    return np.asarray(boxes[nearest])
