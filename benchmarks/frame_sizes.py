"""Bytes of single frames before and after coding: the table of FV2V (Table 5), for our motion and its rivals'."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.rivals import RIVALS, coded_sizes
from benchmarks.val_motion import ClipMotion
from codec import ByteTables, Level, Profile
from codec.paper import byte_count, motions_to_bytes
from codec.symbols import SymbolWriter
from models.training.dataset_index import read_index, read_track
from models.weights import Model
from sender.keypoints import ALLOWED_PX, read_choice

PUBLISHED: Final = {
    "few-shot vid2vid": (504, 231.42, 158, 599, 238),
    "FOMM": (240, 171.09, 159, 210, 169),
    "20 keypoints": (132, 84.44, 78, 104, 84),
    "adaptive": (81.16, 53.03, 25, 102, 45),
}
"""FV2V, Table 5: before coding, then mean, least, most and median after it, on 222 clips of 512 px."""
COUNT_BYTES: Final = 1
"""What says how many keypoints there are, where that changes."""


def rival_rows(data: Path, split: str, clips: Sequence[str]) -> list[dict[str, Any]]:
    """FOMM and few-shot vid2vid on the same clips, tables counted on the train clips. Raises DataError."""
    index = read_index(data)
    train = [read_track(data, clip) for clip in index.of_split("train") if clip.kind == "video"]
    tracks = [read_track(data, clip) for clip in index.of_split(split) if clip.name in clips]
    rows = []
    for rival in RIVALS:
        before, sizes = coded_sizes(rival, train, tracks)
        rows.append(_row(rival.name, PUBLISHED[rival.name], [before] * len(sizes), sizes))
    return rows


def our_rows(clips: Sequence[ClipMotion], model: Model) -> list[dict[str, Any]]:
    """Profile `paper` with all keypoints, and with as many as keep the error within each level's pixels."""
    tables = model.codec_tables.paper
    count = model.config.keypoints
    every = [[count] * len(clip.motions) for clip in clips]
    rows = [_our_row(f"ours, {count} keypoints", PUBLISHED["20 keypoints"], clips, every, tables, 0)]
    for level in Level:
        numbers = [_adaptive(clip, model, level) for clip in clips]
        mean = float(np.mean(np.concatenate(numbers)))
        name = f"ours, adaptive to {ALLOWED_PX[level]:g} px ({mean:.2f} keypoints)"
        rows.append(_our_row(name, PUBLISHED["adaptive"], clips, numbers, tables, COUNT_BYTES))
    return rows


def _adaptive(clip: ClipMotion, model: Model, level: Level) -> list[int]:
    choice = read_choice("adaptive", Profile.PAPER, model.config, level)
    return [choice.choose([motion]) or model.config.keypoints for motion in clip.motions]


def _our_row(
    name: str,
    published: tuple[float, ...],
    clips: Sequence[ClipMotion],
    numbers: Sequence[Sequence[int]],
    tables: ByteTables,
    more: int,
) -> dict[str, Any]:
    before: list[int] = []
    after: list[int] = []
    for clip, counts in zip(clips, numbers, strict=True):
        for row, count in zip(motions_to_bytes(clip.motions).tolist(), counts, strict=True):
            used = byte_count(count)
            writer = SymbolWriter()
            for symbol, coding in zip(row[:used], tables.models[:used], strict=True):
                writer.code(symbol, coding)
            before.append(used + more)
            after.append(len(writer.finish()) + more)
    return _row(name, published, before, after)


def _row(name: str, published: tuple[float, ...], before: Sequence[int], after: Sequence[int]) -> dict[str, Any]:
    figures = (np.mean(before), np.mean(after), np.min(after), np.max(after), np.median(after))
    names = ("before", "mean", "min", "max", "median")
    return {
        "method": name,
        **{key: round(float(figure), 2) for key, figure in zip(names, figures, strict=True)},
        "published": dict(zip(names, published, strict=True)),
    }
