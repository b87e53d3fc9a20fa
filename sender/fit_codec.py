"""`facewire fit-codec`: codec tables for a model, from the motion that its own networks see in clips.

The tables of the `paper` profile are static (FV2V C.1), so they have to be counted once, on motion as this model
extracts it. They travel with the weights and are part of the model id: two peers with other tables are two models.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from codec.codec_tables import CodecTables
from codec.tables import ByteTables
from models.training.data import read_frames
from models.training.dataset_index import read_index
from models.weights import Model, load_model, save_model
from sender.extract import Extractor


def fit_codec(
    weights: Annotated[
        Path, typer.Argument(help="Folder or manifest of the weights, as `facewire train` leaves them.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the weights with their tables.")],
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")],
    split: Annotated[str, typer.Option(help="Set of clips to count on.")] = "val",
    about: Annotated[Path | None, typer.Option(help="JSON with source and licence for the manifest.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Fit the codec's tables on clips and write weights, tables and manifest together."""
    torch.set_num_threads(threads)
    console = Console()
    model = load_model(weights)
    clips = [clip for clip in read_index(data).of_split(split) if clip.kind == "video"]
    vectors = [motion_of(model, data / clip.video) for clip in track(clips, "motion", console=console, transient=True)]
    tables = CodecTables(ByteTables.fit(np.concatenate(vectors)), model.codec_tables.predictive)
    kept: dict[str, Any] = {
        key: model.manifest[key] for key in ("source", "licence", "training") if key in model.manifest
    }
    if about is not None:
        kept |= json.loads(about.read_text())
    kept["tables_fitted_on"] = {"split": split, "clips": len(clips), "frames": sum(map(len, vectors))}
    path = save_model(model.networks, tables, out, kept)
    console.print(
        f"{path}: model {load_model(path).model_id[:12]}, tables from {kept['tables_fitted_on']['frames']} frames"
    )


def motion_of(model: Model, clip: Path) -> NDArray[np.float32]:
    """Motion vectors [N,3K+6] of every frame of a prepared clip, as the sender would extract them."""
    extractor = Extractor(model)
    try:
        frames = read_frames(clip, model.config.size)
        extractor.set_source(frames[0])
        return np.stack([extractor.extract_now(frame, 0.0).motion.as_vector() for frame in frames])
    finally:
        extractor.close()
