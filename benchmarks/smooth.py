"""What the sender's filter and the receiver's interpolation do to real motion.

    python -m benchmarks.smooth --data PREPARED --out FOLDER [--split val] [--weights FOLDER] [--clips N] [--frames N]

PREPARED is a folder made by `facewire prepare`. The motion that was extracted is kept in FOLDER (minutes for the 13
validation clips), and smooth.json is written there. Two tables:

steady       motion as measured and as `sender/steady.py` leaves it: tremble at rest, lag, what blinks and mouths kept,
             distance from MediaPipe's landmarks, bytes a frame of `predictive` in messages of two frames
between      every second frame left out, and put back by `receiver/steady_rate.py` or by repeating the one before:
             distance from the keypoints that were there, in clips of 29 frames a second and more

Pixels are those of a picture of 256.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.steadiness import RIGID, Array, blinks_kept, closures_px, lag, mouth_kept, rest, tremble
from codec.codec_tables import CodecTables
from codec.encoder import Encoder
from codec.motion import Motion
from models.keypoints import LANDMARKS
from models.rotations import rotation_matrix
from models.training.clip_files import read_frames
from models.training.dataset_index import Clip, read_index, read_track
from models.weights import Model, load_model
from receiver.steady_rate import SteadyRate
from sender.extract import Extractor
from sender.steady import ARM, Steady

PX = 128.0
"""Of half a crop."""
FAST_FPS = 29.0
MESSAGE_FRAMES = 2


@dataclass(frozen=True)
class Moving:
    """A clip's motion at its own rate, x_c [K,3] of its first frame, landmarks [N,K,2] in pixels (NaN without)."""

    name: str
    fps: float
    motions: list[Motion]
    x_c: NDArray[np.float32]
    landmarks: Array


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print both tables, write JSON."""
    options = _parse(arguments)
    torch.set_num_threads(1)
    model = load_model(options.weights)
    kept = options.out / f"moving-{model.manifest['weights']['sha256'][:12]}"
    kept.mkdir(parents=True, exist_ok=True)
    chosen = [clip for clip in read_index(options.data).of_split(options.split) if clip.kind == "video"][
        : options.clips
    ]
    console = Console(width=120)
    shown = track(chosen, "motion", console=Console(stderr=True), transient=True)
    clips = [read_moving(options.data, clip, model, kept, options.frames) for clip in shown]
    result = {
        "model_id": model.model_id,
        "split": options.split,
        "steady": steady_figures(clips, model.codec_tables),
        "between": [between_figures(clip) for clip in clips if clip.fps >= FAST_FPS],
    }
    console.print(_steady_table(result["steady"]), _between_table(result["between"]))
    (options.out / "smooth.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def read_moving(data: Path, clip: Clip, model: Model, kept: Path, frames: int) -> Moving:
    """Motion of a prepared clip, from `kept` where it is there. Raises DataError, ClipRejected."""
    file = kept / f"{clip.name}-{clip.sha256[:12]}-{frames}.npz"
    if not file.is_file():
        with closing(Extractor(model)) as extractor:
            vectors = list[NDArray[np.float32]]()
            for picture in islice(read_frames(data / clip.video), frames):
                if not vectors:
                    extractor.set_source(picture)
                vectors.append(extractor.extract_now(picture, 0.0).motion.as_vector())
            np.savez_compressed(file, motion=np.stack(vectors), x_c=extractor.canonical)
    with np.load(file, allow_pickle=False) as stored:
        motions = [Motion.from_vector(vector, index / clip.fps) for index, vector in enumerate(stored["motion"])]
        x_c = stored["x_c"]
    track_ = read_track(data, clip)
    landmarks = PX * track_.landmarks[: len(motions), list(LANDMARKS), :2].astype(np.float64)
    landmarks[~track_.detected[: len(motions)]] = np.nan
    return Moving(clip.name, clip.fps, motions, x_c, landmarks)


def points_px(motions: Sequence[Motion], x_c: NDArray[np.float32]) -> Array:
    """Keypoints [N,K,2] of `compact`, x = exp(t_z) (R x_c + delta) + t, in pixels from the middle."""
    numbers = np.stack([motion.as_vector() for motion in motions]).astype(np.float64)
    R = rotation_matrix(*numbers[:, :3].T)
    delta = numbers[:, 6:].reshape(len(numbers), -1, 3)
    x = np.exp(numbers[:, 5])[:, None, None] * (x_c @ R.mT + delta)
    return np.asarray(PX * (x[..., :2] + numbers[:, None, 3:5]))


def pose_px(motions: Sequence[Motion]) -> Array:
    """Pose [N,6] in pixels by which it moves what is ARM away from the middle of the head."""
    numbers = np.stack([motion.as_vector()[:6] for motion in motions]).astype(np.float64)
    return np.asarray(numbers * [*[PX * ARM * np.pi / 180] * 3, PX, PX, PX * ARM])


def steady_figures(clips: Sequence[Moving], tables: CodecTables) -> dict[str, dict[str, float]]:
    """Figures of motion as measured and made steady, means over clips (of blinks and closures: over all of them)."""
    calm = [[steady(motion) for motion in clip.motions] for clip in clips for steady in [Steady(clip.x_c, scaled=True)]]
    measured = [clip.motions for clip in clips]
    return {"measured": _figures(clips, measured, tables), "steady": _figures(clips, calm, tables)}


def _figures(clips: Sequence[Moving], made: Sequence[Sequence[Motion]], tables: CodecTables) -> dict[str, float]:
    of: dict[str, list[float]] = {}

    def add(name: str, *values: float | None) -> None:
        of.setdefault(name, []).extend(value for value in values if value is not None)

    for clip, motions in zip(clips, made, strict=True):
        raw, calm, fps = points_px(clip.motions, clip.x_c), points_px(motions, clip.x_c), clip.fps
        at_rest = rest(raw, fps)
        add("tremble_px", tremble(calm[:, RIGID], at_rest))
        add("pose_tremble_px", tremble(pose_px(motions), at_rest))
        add("lag_ms", lag(raw, calm, fps).ms)
        add("pose_lag_ms", lag(pose_px(clip.motions), pose_px(motions), fps).ms)
        add("blink_kept", *blinks_kept(raw, calm, fps))
        add("mouth_kept", mouth_kept(raw, calm, fps))
        add("closure_px", *closures_px(raw, calm, fps))
        add("from_landmarks_px", float(np.nanmean(np.linalg.norm(calm - clip.landmarks, axis=-1))))
        add("off_px", float(np.linalg.norm(calm - raw, axis=-1).max()))
        add("bytes", bytes_a_frame(motions, clip.x_c, tables))
    figures = {name: float(np.mean(values)) for name, values in of.items() if values}
    worst = {"blink_kept_least": min(of["blink_kept"], default=1.0), "off_px": max(of["off_px"])}
    return figures | worst | {"blinks": float(len(of["blink_kept"])), "closures": float(len(of["closure_px"]))}


def bytes_a_frame(motions: Sequence[Motion], x_c: NDArray[np.float32], tables: CodecTables) -> float:
    """Bytes of `predictive` at `high`, each message on top of the one before."""
    encoder = Encoder(tables)
    encoder.set_source(x_c)
    starts = range(0, len(motions), MESSAGE_FRAMES)
    return sum(len(encoder.encode(motions[start : start + MESSAGE_FRAMES])) for start in starts) / len(motions)


def between_figures(clip: Moving) -> dict[str, Any]:
    """Every second frame left out and put back."""
    steady, put_back = SteadyRate(clip.fps), list[Motion]()
    for motion in clip.motions[::2]:
        put_back += [timed.motion for timed in steady.push(motion)]
    count = len(put_back) - 1
    true = points_px(clip.motions[:count], clip.x_c)[1::2]
    kept = points_px(clip.motions[: count - 1 : 2], clip.x_c)
    off = np.linalg.norm(points_px(put_back[:count], clip.x_c)[1::2] - true, axis=-1)
    held = np.linalg.norm(kept[: len(true)] - true, axis=-1)
    return {
        "clip": clip.name,
        "fps": f"{clip.fps / 2:g} to {clip.fps:g}",
        "interpolated_px": float(off.mean()),
        "interpolated_p95_px": float(np.percentile(off, 95)),
        "repeated_px": float(held.mean()),
        "repeated_p95_px": float(np.percentile(held, 95)),
    }


def _steady_table(figures: dict[str, dict[str, float]]) -> Table:
    table = Table("", *figures, title="the sender's filter")
    for name in figures["measured"]:
        table.add_row(name, *(f"{each[name]:.3f}" for each in figures.values()))
    return table


def _between_table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(*(rows[0] if rows else ["no clip is fast enough"]), title="the receiver's interpolation")
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f"{value:.3f}" for value in row.values()))
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the sender's filter and the receiver's interpolation.")
    parser.add_argument("--data", type=Path, required=True, help="folder made by `facewire prepare`")
    parser.add_argument("--out", type=Path, required=True, help="folder for smooth.json and extracted motion")
    parser.add_argument("--split", default="val", help="which set of clips (default val)")
    parser.add_argument("--weights", type=Path, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--clips", type=int, help="so many clips (default: all)")
    parser.add_argument("--frames", type=int, default=300, help="so many frames of each (default 300)")
    return parser.parse_args(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    main()
