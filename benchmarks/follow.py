"""What it brings that the crop follows the head: how far from its place in the source picture it is drawn.

    python -m benchmarks.follow [CLIP ...] [--json]

Each clip is filmed as a webcam would: 16:9, its borders continued to both sides. A sender's crop, networks and coder go
over it twice, with a crop that moves when the face leaves it, as before, and with one that follows the head. Told are
the mean, the 95th percentile and the largest distance of the head from its place, in sides of the crop; the bytes of a
frame; and frames in which the networks lost the face. Checks itself: following must bring the head nearer.
"""

import argparse
import json
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from codec.encoder import Encoder
from codec.motion import Motion
from codec.wire import Level, Profile
from models.face_finder_weights import load_finder
from models.runtime.prepare import prepare
from models.weights import Model, load_model
from sender.camera import Clip, Frame
from sender.compress import MESSAGE_S, encode_motions
from sender.crop import Cropper
from sender.crop_square import cut, find_square
from sender.crop_watch import FaceWatch
from sender.extract import Extractor
from sender.keypoints import read_choice
from sender.settings import SendSettings
from sender.source import decode_picture, encode_picture

CLIPS: Final = Path(__file__).parents[2] / "shared/data/talking_heads/hd"
SHAPE: Final = 16 / 9


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=sorted(CLIPS.glob("*.mp4")), metavar="CLIP")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    if not arguments.clips:
        parser.error(f"expected clips of one face each, found none in {CLIPS}")
    torch.set_num_threads(1)
    model = prepare(load_model(), ["extract"]).model
    rows = [{"clip": path.stem, **measure(path, model)} for path in arguments.clips]
    for row in rows:
        assert row["follows"]["p95"] <= row["stays"]["p95"] + 0.01, f"{row['clip']}: following is no nearer"
    print(json.dumps(rows, indent=1)) if arguments.json else Console(width=150).print(_table(rows))


def measure(path: Path, model: Model) -> dict[str, Any]:
    """Both ways over one clip."""
    return {name: _go(path, model, follow) for name, follow in (("stays", False), ("follows", True))}


def webcam(path: Path) -> Iterator[Frame]:
    """The clip's frames, 16:9."""
    with closing(Clip(path)) as clip:
        while (frame := clip.read()) is not None:
            height, width = frame.image.shape[:2]
            more = max(0, round(height * SHAPE) - width) // 2
            wide = cv2.copyMakeBorder(frame.image, 0, 0, more, more, cv2.BORDER_REPLICATE)
            yield Frame(np.asarray(wide, np.uint8), frame.capture_time_s)


def _go(path: Path, model: Model, follow: bool) -> dict[str, float]:
    settings, find, size = SendSettings(), load_finder(model.folder).find, model.config.size
    drifts: list[float] = []
    lost = 0

    def motions() -> Iterator[Motion]:
        nonlocal lost
        for frame in webcam(path):
            found = extractor.extract_now(cropper.crop(frame), frame.capture_time_s)
            if found.face_score < settings.face_threshold or cropper.nobody:
                cropper.worry()
                lost += 1
                continue
            drift = extractor.drift(found.motion)
            drifts.append(math.hypot(drift.x, drift.y))
            if follow:
                cropper.head(drift, frame.capture_time_s)
            yield found.motion

    with closing(Extractor(model)) as extractor:
        first = next(webcam(path))
        square, _ = find_square(first.image, size, settings.face_threshold, find, extractor.face_score)
        assert square is not None, f"{path}: no face in its first frame"
        extractor.set_source(decode_picture(encode_picture(cut(first.image, square, size), settings.source_quality)))
        cropper = Cropper(square, size, FaceWatch(find, settings.face_threshold))
        encoder = Encoder(model.codec_tables)
        encoder.set_source(extractor.canonical)
        choice = read_choice("all", Profile.PREDICTIVE, model.config, Level.HIGH)
        sent = sum(len(message) for _, message in encode_motions(motions(), encoder, choice, MESSAGE_S, 0.04))
    assert drifts, f"{path}: no face in any frame"
    return {
        "mean": round(float(np.mean(drifts)), 3),
        "p95": round(float(np.quantile(drifts, 0.95)), 3),
        "largest": round(max(drifts), 3),
        "bytes_a_frame": round(sent / len(drifts), 1),
        "lost": lost,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("clip", *(f"{way}: {name}" for way in ("stays", "follows") for name in rows[0]["stays"]))
    for row in rows:
        table.add_row(row["clip"], *(str(row[way][name]) for way in ("stays", "follows") for name in row["stays"]))
    means = [
        str(round(float(np.mean([row[way][name] for row in rows])), 3))
        for way in ("stays", "follows")
        for name in rows[0]["stays"]
    ]
    table.add_row("mean", *means)
    return table


if __name__ == "__main__":
    main()
