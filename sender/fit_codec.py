"""`facewire models fit-codec`: codec tables for a model, from the motion that its own networks see in clips.

Both profiles need tables made for a model, on motion as this model extracts it: `paper` the frequencies of bytes (FV2V
C.1), `predictive` a transform, steps and frequencies. They travel with the weights and are part of the model id: two
peers with other tables are two models.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from codec.codec_tables import CodecTables
from codec.predictive_fit import ClipMotion, fit_tables
from codec.tables import ByteTables
from models.training.data import read_frames
from models.training.dataset_index import read_index
from models.weights import OWN_ENTRIES, Model, load_model, save_model
from sender.camera import Image
from sender.extract import Extractor

group = typer.Typer(no_args_is_help=True, help="What is fitted to a model and travels with its weights.")

FRAMES_EACH = 48
"""Frames taken from a clip, one after another: 145 clips then take some four minutes on one core."""


@group.command("fit-codec")
def fit_codec(
    weights: Annotated[
        Path, typer.Argument(help="Folder or manifest of the weights, as `facewire train` leaves them.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the weights with their tables; may be the same.")],
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")],
    split: Annotated[str, typer.Option(help="Set of clips to count on.")] = "train",
    frames: Annotated[int, typer.Option(help="Frames of each clip, from its middle.", min=6)] = FRAMES_EACH,
    about: Annotated[Path | None, typer.Option(help="JSON with source and licence for the manifest.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Fit the codec's tables on clips and write weights, tables and manifest together."""
    torch.set_num_threads(threads)
    console = Console()
    model = load_model(weights)
    clips = [clip for clip in read_index(data).of_split(split) if clip.kind == "video"]
    watched = track(clips, "motion", console=console, transient=True)
    motions = [motion_of(model, data / clip.video, frames) for clip in watched]
    vectors = np.concatenate([motion.vectors for motion in motions])
    tables = CodecTables(ByteTables.fit(vectors), fit_tables(motions, model.codec_tables.predictive.scaled))
    kept = {key: value for key, value in model.manifest.items() if key not in OWN_ENTRIES}
    if about is not None:
        kept |= json.loads(about.read_text())
    kept["tables_fitted_on"] = {"split": split, "clips": len(clips), "frames": len(vectors)}
    path = save_model(model.networks, tables, out, kept)
    console.print(f"{path}: model {load_model(path).model_id[:12]}, tables from {len(vectors)} frames")


def motion_of(model: Model, clip: Path, most: int | None = None) -> ClipMotion:
    """Motion of a prepared clip as the sender would extract it, its first frame the source picture.

    Args: most: no more frames than this, from the clip's middle.
    """
    extractor = Extractor(model)
    try:
        frames = read_frames(clip, model.config.size)
        extractor.set_source(frames[0])
        skipped = max(len(frames) - most, 0) // 2 if most else 0
        chosen = frames[skipped : skipped + (most or len(frames))]
        return ClipMotion(np.stack(list(_vectors(extractor, chosen))), extractor.canonical)
    finally:
        extractor.close()


def _vectors(extractor: Extractor, frames: Sequence[Image]) -> Iterator[NDArray[np.float32]]:
    return (extractor.extract_now(frame, 0.0).motion.as_vector() for frame in frames)
