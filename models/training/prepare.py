"""`facewire prepare CLIPS OUT`: head crops, landmarks and pose of every frame, ready to train on.

    file -> frames -> landmarks (MediaPipe's process) -> one crop a clip -> pose, neutral shape -> OUT/<set>/<name>

OUT/index.json lists what came of each clip (`dataset_index.py` has the fields). A clip that was done before, or
rejected before, is not looked at again as long as its bytes are the same.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.training.camera import CameraMotion, CameraWatch
from models.training.clip_files import (
    Source,
    VideoWriter,
    find_sources,
    read_fps,
    read_frames,
    read_still,
    write_still,
)
from models.training.crop import SIZE, Crop, choose_crop, landmark_boxes
from models.training.dataset_index import INDEX, Clip, Index, Rejected, read_index, write_index
from models.training.errors import ClipRejected, PrepareError
from models.training.landmarker import Landmarker, Picture
from models.training.mean_face import PoseTrack, fit_pose, neutral_shape
from models.training.mediapipe_env import default_folder, make_environment

FEWEST_FRAMES = 10
MAY_MISS = 0.05  # share of a clip's frames in which no face is found
MAY_WANDER = 0.05  # share of frames in which the face is partly outside the crop, by more than 5 % of its side
LARGEST_JUMP = 0.5  # of the face's size, from one frame to the next: more is a cut
SAVE_EVERY_S = 5.0


class Landmarks(NamedTuple):
    """Landmarks [N,478,3] in pixels of the source picture and its size."""

    points_px: NDArray[np.float32]
    width: int
    height: int


def prepare(
    clips: Annotated[list[Path], typer.Argument(help="Video clips, pictures, or folders of them.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Folder for the prepared data.", show_default=False)],
    split: Annotated[str | None, typer.Option(help="Set of all clips; else the name of their folder.")] = None,
    mediapipe_python: Annotated[Path | None, typer.Option(help="A python that has MediaPipe 0.10.21.")] = None,
) -> None:
    """Make training data of CLIPS: head crops, landmarks and pose, with a reason for each clip that is left out."""
    console = Console(stderr=True)
    sources = find_sources(clips, split)
    if mediapipe_python is None:
        with console.status(f"MediaPipe's environment in {default_folder()} (made once)"):
            mediapipe_python = make_environment(default_folder())
    index = prepare_sources(sources, out, mediapipe_python, console)
    for rejected in index.rejected:
        console.print(f"left out {rejected.split}/{rejected.name}: {rejected.reason}")
    frames = sum(clip.frames for clip in index.clips)
    moving = sum(not clip.static_camera for clip in index.clips)
    console.print(
        f"{len(index.clips)} clips, {frames} frames, {moving} with a moving camera; {len(index.rejected)} left out"
    )


def prepare_sources(sources: list[Source], out: Path, python: Path, console: Console) -> Index:
    """Prepare `sources` into the folder `out`, keeping what it already holds, and return its index.

    Raises `PrepareError` when MediaPipe does not work; an interruption leaves a good index of what was done.
    """
    out.mkdir(parents=True, exist_ok=True)
    index = read_index(out) if (out / INDEX).exists() else Index()
    entries: list[Clip | Rejected] = [*index.clips, *index.rejected]
    done = {(entry.split, entry.name): entry for entry in entries}
    saved_at, took_s = time.monotonic(), 0.0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Landmarker(python) as landmarker, Progress(*columns, console=console) as progress:
        task = progress.add_task("prepare", total=len(sources))
        try:
            for source in sources:
                progress.update(task, description=f"{source.split}/{source.name}")
                done[source.split, source.name] = _prepare_or_keep(source, out, landmarker, done)
                progress.advance(task)
                now = time.monotonic()
                if save_is_due(now - saved_at, took_s):
                    write_index(out, _index_of(done))
                    saved_at = time.monotonic()
                    took_s = saved_at - now
        finally:
            write_index(out, _index_of(done))
    return _index_of(done)


def save_is_due(since_s: float, took_s: float) -> bool:
    """Whether to write the index again, `since_s` after the last time, which took `took_s`.

    The index of a hundred thousand clips takes seconds to write: no more than a twentieth of the time goes there.
    """
    return since_s > max(SAVE_EVERY_S, 20.0 * took_s)


def _index_of(done: dict[tuple[str, str], Clip | Rejected]) -> Index:
    entries = [done[key] for key in sorted(done)]
    return Index(
        [entry for entry in entries if isinstance(entry, Clip)],
        [entry for entry in entries if isinstance(entry, Rejected)],
    )


def _prepare_or_keep(
    source: Source, out: Path, landmarker: Landmarker, done: dict[tuple[str, str], Clip | Rejected]
) -> Clip | Rejected:
    digest = _sha256(source.path)
    before = done.get((source.split, source.name))
    if before and before.source_sha256 == digest and _still_there(before, out):
        return before
    try:
        return prepare_clip(source, out, landmarker, digest)
    except ClipRejected as reason:
        return Rejected(source.name, source.split, str(reason), digest)


def _still_there(entry: Clip | Rejected, out: Path) -> bool:
    return isinstance(entry, Rejected) or ((out / entry.video).is_file() and (out / entry.landmarks).is_file())


def prepare_clip(source: Source, out: Path, landmarker: Landmarker, source_sha256: str) -> Clip:
    """Write one clip's crop and landmarks under `out` and return its entry. Raises `ClipRejected` with a reason."""
    found = find_landmarks(source, landmarker)
    check_landmarks(found.points_px, source.kind == "still")
    crop = choose_crop(found.points_px, found.width, found.height)
    points = crop.normalise(found.points_px)
    check_head_stays(points)
    folder = out / source.split
    folder.mkdir(parents=True, exist_ok=True)
    copied = crop.whole and crop.side == SIZE and (source.kind == "still" or source.path.suffix.lower() == ".mp4")
    video = folder / (source.name + _ending(source, copied))
    fps = 25.0 if source.kind == "still" else read_fps(source.path)
    camera = _write_crop(source, crop, video, landmark_boxes(points), fps, copied)
    landmarks = video.with_suffix(".npz")
    write_track(landmarks, points, fit_pose(points))
    return Clip(
        name=source.name,
        split=source.split,
        identity=source.identity,
        kind=source.kind,
        frames=len(points),
        fps=round(fps, 4),
        video=video.relative_to(out).as_posix(),
        landmarks=landmarks.relative_to(out).as_posix(),
        static_camera=camera.still,
        camera_px=round(camera.path_px, 2),
        border_levels=round(camera.border_levels, 2),
        crop=[crop.left, crop.top, crop.side],
        sha256=_sha256(video),
        source_sha256=source_sha256,
    )


def find_landmarks(source: Source, landmarker: Landmarker) -> Landmarks:
    """Landmarks of every frame. Raises `ClipRejected` when there is no frame to look at."""
    landmarker.start_clip()
    points: list[NDArray[np.float32]] = []
    width = height = 0
    for picture in _pictures(source):
        height, width, _ = picture.shape
        points.append(landmarker.find(picture, still=source.kind == "still"))
    if not points:
        raise ClipRejected("no frames in this file")
    return Landmarks(np.stack(points), width, height)


def check_landmarks(points_px: NDArray[np.float32], still: bool) -> None:
    """Raise `ClipRejected` for a clip that is too short, shows no face often enough, or cuts to another picture."""
    if not still and len(points_px) < FEWEST_FRAMES:
        raise ClipRejected(f"{len(points_px)} frames, expected at least {FEWEST_FRAMES}")
    missing = float(np.mean(np.isnan(points_px[:, 0, 0])))
    if missing == 1.0:
        raise ClipRejected("no face found")
    if missing > MAY_MISS:
        raise ClipRejected(f"no face in {missing:.0%} of the frames, expected at most {MAY_MISS:.0%}")
    boxes = landmark_boxes(points_px)
    size = np.nanmedian((boxes[:, 2:] - boxes[:, :2]).max(1))
    jumps = np.abs(np.diff((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)).max(1, initial=0.0) / size
    if np.nanmax(jumps, initial=0.0) > LARGEST_JUMP:
        frame = int(np.nanargmax(jumps)) + 1
        raise ClipRejected(f"the face jumps at frame {frame} by {jumps[frame - 1]:.0%} of its size: a cut or two faces")


def check_head_stays(points: NDArray[np.float64]) -> None:
    """Raise `ClipRejected` when the face [N,478,3] in [-1,1] is often outside the crop by over 5 % of its side."""
    with np.errstate(invalid="ignore"):  # frames without a face
        outside = float(np.mean(np.abs(points[..., :2]).max((1, 2)) > 1.1))
    if outside > MAY_WANDER:
        raise ClipRejected(
            f"the head leaves its crop in {outside:.0%} of the frames, expected at most {MAY_WANDER:.0%}"
        )


def write_track(path: Path, points: NDArray[np.float64], pose: PoseTrack) -> None:
    """Write landmarks [N,478,3] in [-1,1] and their pose as the npz that `dataset_index.Track` describes."""
    centred = points - np.stack((0 * pose.log_scale, 0 * pose.log_scale, pose.t[:, 2]), -1)[:, None]
    flat = pose._replace(t=pose.t * (1.0, 1.0, 0.0))
    arrays = {
        "landmarks": centred,
        "yaw_deg": pose.yaw_deg,
        "pitch_deg": pose.pitch_deg,
        "roll_deg": pose.roll_deg,
        "log_scale": pose.log_scale,
        "t": pose.t[:, :2],
        "neutral": neutral_shape(centred, flat),
    }
    contents: dict[str, Any] = {name: array.astype(np.float32) for name, array in arrays.items()}
    contents["detected"] = np.isfinite(points).all((1, 2))
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **contents)
    partial.replace(path)


def _pictures(source: Source) -> Iterator[Picture]:
    return iter([read_still(source.path)]) if source.kind == "still" else read_frames(source.path)


def _ending(source: Source, copied: bool) -> str:
    if copied:
        return source.path.suffix.lower()
    return ".jpg" if source.kind == "still" else ".mp4"


def _write_crop(
    source: Source, crop: Crop, video: Path, boxes: NDArray[np.float64], fps: float, copied: bool
) -> CameraMotion:
    """Write the crop (the same bytes where `copied`) and return how its camera moved; boxes [N,4] are its faces."""
    partial = video.with_name(f"{video.stem}.partial{video.suffix}")
    camera = CameraWatch()
    if copied:
        shutil.copyfile(source.path, partial)
        for picture, box in zip(_pictures(source), boxes, strict=True):
            camera.add(picture, box)
    elif source.kind == "still":
        write_still(partial, crop.cut(read_still(source.path)))
    else:
        with VideoWriter(partial, fps, SIZE, SIZE) as writer:
            for picture, box in zip(read_frames(source.path), boxes, strict=True):
                cut = crop.cut(picture)
                camera.add(cut, box)
                writer.write(cut)
    partial.replace(video)
    return camera.motion()


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise PrepareError(f"expected to read {path}: {error.strerror}") from None
