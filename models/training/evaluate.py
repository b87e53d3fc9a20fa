"""`facewire validate [WEIGHTS] --data OUT`: how well a model redraws people it may never have seen.

Frame 0 of each clip is the source; every Nth later frame drives. The motion comes from the model's own H and Δ on the
driving frame, the picture from its renderer: what a call would show with a perfect link. Beside the model stands what
costs nothing at all, to show the source again and again. Frame 0 itself is not measured.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from models.geometry import View
from models.metrics import Lpips, find_lpips_weights
from models.renderer import Renderer
from models.training.clip_files import read_frames, read_still
from models.training.comparison import Array, Figures, find_faces, mean_figures, measure
from models.training.crop import landmark_boxes
from models.training.dataset_index import Clip, read_index, read_track
from models.training.errors import ClipRejected, DataError
from models.training.landmarker import Landmarker, Picture
from models.training.mediapipe_env import default_folder, make_environment
from models.training.picture_grid import Row, write_grid
from models.weights import Model, load_model

VIEW_YAW_DEG = 20.0
GRID_COLUMNS = 4


@dataclass(frozen=True)
class ClipResult:
    """Figures of one clip: the model's, and those of its source repeated."""

    name: str
    identity: str
    static_camera: bool
    frames: int  # measured
    model: Figures
    repeat_source: Figures


def validate(
    weights: Annotated[Path | None, typer.Argument(help="Weights (default: the ones that come with facewire).")] = None,
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")] = Path("data"),
    split: Annotated[str, typer.Option(help="Which set of clips.")] = "val",
    out: Annotated[Path, typer.Option(help="Folder for report.json and grid.png.")] = Path("validation"),
    every: Annotated[int, typer.Option(min=1, help="Measure each Nth frame.")] = 6,
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
    landmarker = None
    if landmarks:
        python = mediapipe_python or make_environment(default_folder())
        landmarker = Landmarker(python)
    results, rows = [], []
    distance = Lpips(lpips_weights) if lpips_weights else None
    try:
        for clip in track(clips, f"validate {split}", console=console, transient=True):
            result, row = validate_clip(model, data, clip, every, distance, landmarker)
            results.append(result)
            rows.append(row)
    finally:
        if landmarker:
            landmarker.close()
    out.mkdir(parents=True, exist_ok=True)
    write_report(out / "report.json", model, split, every, results)
    titles = ("source", *["driving", "output"] * GRID_COLUMNS, f"view {VIEW_YAW_DEG:+.0f} deg")
    write_grid(out / "grid.png", titles, rows)
    console.print(result_table(results))
    console.print(f"{out / 'report.json'}  {out / 'grid.png'}")


def validate_clip(
    model: Model, data: Path, clip: Clip, every: int, lpips: Lpips | None, landmarker: Landmarker | None
) -> tuple[ClipResult, Row]:
    """Drive a clip's first frame by its later ones; returns the figures and the clip's row of the grid.

    Raises `DataError` when the clip's files do not agree with the index, or it has no second frame.
    """
    boxes = landmark_boxes(read_track(data, clip).landmarks)
    source, driving, numbers = _read_pictures(data, clip, model.config.size, every)
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


def write_report(path: Path, model: Model, split: str, every: int, results: list[ClipResult]) -> None:
    """Write report.json: what was measured, each clip, and the means over clips."""
    report = {
        "model_id": model.model_id,
        "preset": model.manifest.get("preset"),
        "size_px": model.config.size,
        "split": split,
        "every": every,
        "source": "frame 0, itself not measured",
        "clips": [asdict(result) for result in results],
        "mean": {
            "model": asdict(mean_figures([result.model for result in results])),
            "repeat_source": asdict(mean_figures([result.repeat_source for result in results])),
        },
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def result_table(results: list[ClipResult]) -> Table:
    """The figures for people: a line a clip, the model's value and, dim, that of the repeated source."""
    columns = {
        "PSNR": ("psnr_db", 1),
        "face": ("face_psnr_db", 1),
        "SSIM": ("ssim", 3),
        "face ": ("face_ssim", 3),
        "MS-SSIM": ("ms_ssim", 3),
        "LPIPS": ("lpips", 3),
        "face  ": ("face_lpips", 3),
        "AKD px": ("akd_px", 1),
        "mouth": ("akd_mouth_px", 1),
        "eyes": ("akd_eyes_px", 1),
        "mouth r": ("mouth_correlation", 2),
        "blink r": ("blink_correlation", 2),
    }
    table = Table("clip", *columns, title="model / source repeated")
    means = ClipResult(
        "mean", "", True, 0, mean_figures([r.model for r in results]), mean_figures([r.repeat_source for r in results])
    )
    for result in (*results, means):
        cells = [_cell(result, name, digits) for name, digits in columns.values()]
        table.add_row(result.name + ("" if result.static_camera else " (moving)"), *cells)
    return table


def _cell(result: ClipResult, name: str, digits: int) -> str:
    ours, theirs = getattr(result.model, name), getattr(result.repeat_source, name)
    words = ["-" if value is None else f"{value:.{digits}f}" for value in (ours, theirs)]
    return f"{words[0]} [dim]{words[1]}[/dim]"


def _read_pictures(data: Path, clip: Clip, size: int, every: int) -> tuple[Tensor, Tensor, list[int]]:
    """Source [1,3,S,S], driving frames [N,3,S,S] in [0,1] and their numbers."""
    path = data / clip.video
    source: Picture | None = None
    driving, numbers, count = [], [], 0
    try:
        for count, frame in enumerate(read_frames(path) if clip.kind == "video" else [read_still(path)], 1):
            if count == 1:
                source = frame
            elif (count - 1) % every == 0:
                driving.append(frame)
                numbers.append(count - 1)
    except ClipRejected as error:
        raise DataError(f"expected the clip {clip.name} at {path}: {error}") from None
    if source is None or not driving or count != clip.frames:
        raise DataError(f"expected {clip.frames} frames, more than {every}, in {path}, got {count}")
    return _to_tensor([source], size), _to_tensor(driving, size), numbers


def _to_tensor(frames: list[Picture], size: int) -> Tensor:
    pictures = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255
    if pictures.shape[-1] == size:
        return pictures
    return torch.nn.functional.interpolate(pictures, (size, size), mode="area")


def _render(model: Model, source: Tensor, driving: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs [N,3,S,S], and the last frame seen from 20 degrees further right [1,3,S,S]."""
    renderer = Renderer(model)
    renderer.set_source(source)
    motions = [model.extract(frame[None]).motion for frame in driving]
    outputs = torch.cat([renderer.render(motion).cpu() for motion in motions])
    zero = torch.zeros(1)
    view = View(zero + VIEW_YAW_DEG, zero, zero, torch.zeros(1, 3))
    return outputs, renderer.render(motions[-1], view).cpu()


def _fill(boxes: Array) -> Array:
    """Boxes [N,4] with those of frames without a face taken from the nearest frame that has one."""
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    nearest = known[np.abs(np.arange(len(boxes))[:, None] - known[None]).argmin(1)]
    return np.asarray(boxes[nearest])
