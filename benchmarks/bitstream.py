"""What motion costs and what coding and loss do to it: the table of FV2V, every profile and level, calls that lose.

    python -m benchmarks.bitstream --data PREPARED --out FOLDER [--split val] [--weights FOLDER] [--clips N]
                                   [--frames N] [--pictures N] [--seconds S] [--parts sizes ways loss]

PREPARED is a folder made by `facewire prepare`. Into FOLDER go bitstream.json, bytes_error.png and loss.png, and the
motion that was extracted (minutes for the 13 validation clips), so that a second run takes it from there. A figure that
misses its bar is marked with "!". Times are CPU time of one thread, a message each.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress

from benchmarks.bitstream_charts import error_chart, loss_chart, loss_table, size_table, way_table
from benchmarks.bitstream_loss import LOSSES, loss_rows
from benchmarks.bitstream_pictures import picture_errors
from benchmarks.bitstream_ways import WAYS, Coded, code_clip, summarise
from benchmarks.frame_sizes import our_rows, rival_rows
from benchmarks.val_motion import ClipMotion, read_motions
from models.weights import Model, load_model

JSON = "bitstream.json"
TABLES = {"sizes": size_table, "ways": way_table, "loss": loss_table}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables, write JSON and charts."""
    options = _parse(arguments)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    model = load_model(options.weights)
    clips = read_motions(options.data, options.split, model, options.out, options.clips, options.frames)
    about = {"model_id": model.model_id, "tables": _tables(model), "frames": {c.name: len(c.motions) for c in clips}}
    result = about | _measured_before(options.out / JSON, about)
    console = Console(width=150)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for part in options.parts:
            result[part] = _measure(part, clips, model, options, progress)
            console.print(TABLES[part](result[part]))
            _write(options.out, result)  # minutes lie between the parts


def _measure(
    part: str, clips: Sequence[ClipMotion], model: Model, options: argparse.Namespace, progress: Progress
) -> list[dict[str, Any]]:
    if part == "sizes":
        return rival_rows(options.data, options.split, [clip.name for clip in clips]) + our_rows(clips, model)
    if part == "ways":
        return _measure_ways(clips, model, options.pictures, progress)
    return loss_rows(clips, model.codec_tables, options.seconds, LOSSES, progress)


def _measured_before(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Parts that were measured in an earlier run on the same motion with the same tables."""
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    same = isinstance(before, dict) and all(before.get(name) == value for name, value in about.items())
    return {part: before[part] for part in TABLES if part in before} if same else {}


def _measure_ways(clips: Sequence[ClipMotion], model: Model, pictures: int, progress: Progress) -> list[dict[str, Any]]:
    task = progress.add_task("coding", total=len(WAYS))
    coded: dict[str, list[Coded]] = {}
    for way in WAYS:
        coded[way.name] = [code_clip(clip, model, model.codec_tables, way) for clip in clips]
        progress.advance(task)
    lpips = picture_errors(clips, coded, model, pictures, progress)
    return [summarise(way, coded[way.name]) | {"lpips": lpips.get(way.name)} for way in WAYS]


def _tables(model: Model) -> dict[str, Any]:
    return {"sha256": model.codec_tables.sha256, "fitted_on": model.manifest.get("tables_fitted_on")}


def _write(out: Path, result: dict[str, Any]) -> None:
    (out / JSON).write_text(json.dumps(result, indent=1) + "\n")
    if "ways" in result:
        pictures = all(row["lpips"] for row in result["ways"])
        error_chart(result["ways"], pictures).save(out / "bytes_error.png", optimize=True)
    if "loss" in result:
        loss_chart(result["loss"]).save(out / "loss.png", optimize=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the bitstream on real motion.")
    parser.add_argument("--data", type=Path, required=True, help="folder made by `facewire prepare`")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures, charts and extracted motion")
    parser.add_argument("--split", default="val", help="set of clips (default val)")
    parser.add_argument("--weights", type=Path, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--clips", type=int, help="the first so many clips only")
    parser.add_argument("--frames", type=int, default=sys.maxsize, help="of each clip at most (default: all)")
    parser.add_argument(
        "--pictures", type=int, default=8, help="frames a clip to render for LPIPS, 0 for none (default 8)"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of call a clip and link (default 20)")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=list(TABLES),
        default=list(TABLES),
        help="measure these; the others stay as they are",
    )
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.frames < 2 or options.seconds < 2 or options.pictures < 0 or (options.clips or 1) < 1:
        parser.error("expected --frames and --seconds of 2 or more, --clips of 1 or more, --pictures of 0 or more")
    return options


if __name__ == "__main__":
    main()
