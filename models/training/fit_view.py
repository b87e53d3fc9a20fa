"""`facewire fit-view [WEIGHTS] --data OUT`: how far the viewer may turn a head, kept beside the weights.

Two things are looked at, for yaw, pitch and roll and to both sides, and the nearer of them is the limit:

- data: the turns between two frames of a training clip. What lies beyond 99 % of them was never learned.
- pictures: heads of people never trained on, turned step by step from their source picture. A step holds up when a
  face is found in nine of ten pictures and, in the median, has turned by what was asked to within 3 degrees or 30 %.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from models.geometry import rotation_matrix, turn_deg
from models.renderer import Renderer
from models.training.dataset_index import Clip, Track, read_index, read_track
from models.training.errors import DataError
from models.training.landmarker import Landmarker
from models.training.mean_face import fit_pose, pose_rotation
from models.training.mediapipe_env import default_folder, make_environment
from models.training.validation_frames import Frames, read_clip
from models.training.view_sheets import view_of
from models.view import ViewLimits, save_limits
from models.weights import Model, load_model

AXES = ("yaw", "pitch", "roll")
STEPS_DEG = tuple(range(5, 50, 5))
SEEN_SHARE = 0.99
PAIRS_A_CLIP = 400
FOUND_SHARE = 0.9
OFF_DEG, OFF_SHARE = 3.0, 0.3

Array = NDArray[np.float64]
FindFace = Callable[[Tensor], Array]
"""Landmarks [478,3] in pixels of a picture [3,S,S] in [0,1]; NaN without a face."""


def fit_view(
    weights: Annotated[Path | None, typer.Argument(help="Weights (default: the ones that come with facewire).")] = None,
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")] = Path("data"),
    split: Annotated[str, typer.Option(help="Set of clips whose people are turned.")] = "val",
    learned: Annotated[str, typer.Option(help="Set of clips that the model was trained on.")] = "train",
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
) -> None:
    """Measure how far the viewer may turn a head; kept beside the weights for --view and --frontalise."""
    console = Console()
    model = load_model(weights)
    index = read_index(data)
    seen = seen_range_deg([read_track(data, clip) for clip in index.of_split(learned) if clip.kind == "video"])
    people = {clip.identity: clip for clip in reversed(index.of_split(split)) if clip.kind == "video"}
    if not people:
        raise DataError(f"expected video clips in the set {split}, got stills only")
    with Landmarker(mediapipe_python or make_environment(default_folder())) as landmarker:

        def find(picture: Tensor) -> Array:
            rgb = (picture * 255).round().byte().permute(1, 2, 0).cpu().numpy()
            return landmarker.find(rgb, still=True).astype(np.float64)

        shown = track(list(people.values()), f"turn {split}", console=console, transient=True)
        reached = np.stack([turn_person(model, data, clip, find) for clip in shown])
    held = [[held_up_deg(reached[:, axis, side]) for side in (0, 1)] for axis in range(3)]
    limits = ViewLimits(*((-min(low, most), min(high, most)) for (low, high), most in zip(held, seen, strict=True)))
    measured = {"seen_deg": dict(zip(AXES, seen, strict=True)), "held_up_deg": dict(zip(AXES, held, strict=True))}
    path = save_limits(model, limits, measured | {"people": len(people), "reached_deg": _medians(reached)})
    console.print(_table(limits, seen, held), str(path))


def seen_range_deg(tracks: list[Track]) -> list[float]:
    """Yaw, pitch and roll that 99 % of the turns between two frames of a clip do not exceed, all clips alike."""
    rng = np.random.default_rng(0)
    turns = []
    for poses in tracks:
        number = np.flatnonzero(poses.detected)
        angles = (
            torch.from_numpy(angle[number]).double() for angle in (poses.yaw_deg, poses.pitch_deg, poses.roll_deg)
        )
        R = rotation_matrix(*angles)
        a, b = rng.integers(0, len(number), (2, PAIRS_A_CLIP))
        turns.append(turn_deg(R[b] @ R[a].mT).abs())
    quantiles = torch.cat(turns).quantile(SEEN_SHARE, dim=0)
    return [round(float(value), 1) for value in quantiles]


def turn_person(model: Model, data: Path, clip: Clip, find: FindFace) -> Array:
    """Turn the first frame of a clip from itself: how far each head in the pictures has turned, in degrees.

    Returns [3,2,N]: axis, side (negative first), step of `STEPS_DEG`; NaN where no face was found.
    """
    source = read_clip(data, clip, Frames(clip.frames - 1, clip.frames, model.config.size)).source
    renderer = Renderer(model)
    renderer.set_source(source)
    motion = model.extract(source, model.canonical(source)).motion
    start = _rotation(find(renderer.render(motion)[0]))
    reached = np.full((3, 2, len(STEPS_DEG)), np.nan)
    for axis in range(3):
        for side, sign in enumerate((-1.0, 1.0)):
            for step, size_deg in enumerate(STEPS_DEG):
                angles = (sign * size_deg if axis == other else 0.0 for other in range(3))
                view = view_of(model, motion, *angles)
                R = _rotation(find(renderer.render(motion, view)[0]))
                reached[axis, side, step] = sign * float(turn_deg(R @ start.mT)[axis])
    return reached


def held_up_deg(reached: Array) -> float:
    """The last of `STEPS_DEG` up to which every step holds up, of what people's heads reached [P,N]; 0 for none."""
    last = 0.0
    for asked_deg, values in zip(STEPS_DEG, reached.T, strict=True):
        found = np.isfinite(values)
        off_deg = np.median(np.abs(values[found] - asked_deg)) if found.any() else np.inf
        if found.mean() < FOUND_SHARE or off_deg > max(OFF_DEG, OFF_SHARE * asked_deg):
            break
        last = float(asked_deg)
    return last


def _rotation(points: Array) -> Tensor:
    """Pose [3,3] of landmarks [478,3]; NaN without a face."""
    return torch.from_numpy(pose_rotation(fit_pose(points[None]))[0])


def _medians(reached: Array) -> dict[str, Any]:
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(reached, 0).round(1)
    found = np.isfinite(reached).mean(0).round(2)
    names = [f"{name} {side}" for name in AXES for side in ("low", "high")]
    rows = zip(names, middle.reshape(6, -1).tolist(), found.reshape(6, -1).tolist(), strict=True)
    report = {name: {"asked": list(STEPS_DEG), "reached": values, "found": shares} for name, values, shares in rows}
    return json.loads(json.dumps(report).replace("NaN", "null"))  # type: ignore[no-any-return]


def _table(limits: ViewLimits, seen: list[float], held: list[list[float]]) -> Table:
    table = Table("turn against the source", "limit", "seen in training", "pictures hold up")
    ranges = (limits.yaw_deg, limits.pitch_deg, limits.roll_deg)
    for name, (low, high), most, (down, up) in zip(AXES, ranges, seen, held, strict=True):
        table.add_row(name, f"{low:+.0f} to {high:+.0f}", f"{-most:+.0f} to {most:+.0f}", f"{-down:+.0f} to {up:+.0f}")
    return table
