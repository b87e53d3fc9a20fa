"""A piece of work: one clip and one family of ways. It can run in any process, on any machine of a cluster."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from codec import Profile
from models.metrics import find_lpips_weights
from models.renderer import picture_sizes
from replay.compare.anchors import ANCHORS, BY_NAME
from replay.compare.clip import EVERY, FIRST, ClipFile, Picture, Reference, read_reference
from replay.compare.coding import decode, encode
from replay.compare.measure import CAMERA, Figures, Instruments, Measured, measure
from replay.compare.ours import WAYS, Ours, choose_square, model_at
from replay.compare.rates import Rates, codec_rates, motion_rates

REPEAT: Final = "repeat the source"
VERSION: Final = 1
"""Of what is measured: results of another version are measured again."""


@dataclass(frozen=True)
class Settings:
    """What every piece of work is done with. Paths are those of the machine that does it."""

    weights: Path | None = None
    lpips: Path | None = None
    mediapipe_python: Path | None = None
    inception: Path | None = None
    first: int = FIRST
    every: int = EVERY

    def about(self) -> dict[str, Any]:
        """What results hang on: those of other settings are not taken up again."""
        return {
            "version": VERSION,
            "model_id": model_at(self.weights).model_id,
            "first": self.first,
            "every": self.every,
            "lpips": self.lpips is not None,
            "landmarks": self.mediapipe_python is not None,
            "fid": self.inception is not None,
        }


@dataclass(frozen=True)
class Task:
    """A clip and the family of ways that it goes through: a codec's name, `repeat the source`, `facewire SIZE` (profile
    `predictive`) or `facewire SIZE paper`.
    """

    file: ClipFile
    family: str

    @property
    def path(self) -> Path:
        """Where its results lie in the folder of results."""
        return Path(self.file.group) / self.file.name / f"{self.family.replace(' ', '_').replace(',', '')}.json"


@dataclass(frozen=True)
class Row:
    """One clip gone one way. step: of a codec; rates None for a source that is repeated and costs nothing more.

    extra: what only some ways have (bytes a frame, the frame that was the source).
    """

    group: str
    clip: str
    family: str
    way: str
    step: int | None
    size_px: int
    frames: int
    seconds: float
    rates: Rates
    figures: Figures
    extra: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """Rows of a task, and inception features [N,2048] by way, where they were asked for."""

    rows: list[Row]
    features: dict[str, NDArray[np.float32]]


def families(sizes: tuple[int, ...]) -> list[str]:
    """All families with a model that renders these sizes, most wanted first."""
    ours = [f"facewire {size}" for size in reversed(sizes)]
    return [REPEAT, *ours, *(anchor.name for anchor in ANCHORS), *(f"{name} paper" for name in ours)]


def fits(family: str, side_px: int) -> bool:
    """Whether a family is for clips of this side: facewire's size is never larger."""
    return not family.startswith("facewire") or int(family.split()[1]) <= side_px


def do(task: Task, settings: Settings) -> Result:
    """Do a piece of work in this process. Raises CompareError."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    reference = reference_of(task.file, settings)
    instruments = _instruments(settings.lpips, settings.mediapipe_python, settings.inception)
    if task.family in BY_NAME:
        return _anchor(task, reference, instruments)
    if task.family == REPEAT:
        return _repeated(task, reference, settings, instruments)
    return _facewire(task, reference, settings, instruments)


def do_with_content(task: Task, content: bytes, settings: Settings) -> Result:
    """Do the same where the clip's file is not at hand: elsewhere on a cluster. Finds LPIPS and MediaPipe there."""
    from models.training.mediapipe_env import default_folder, make_environment

    python = settings.mediapipe_python
    if python is not None and not python.exists():
        python = make_environment(default_folder())
    lpips = settings.lpips if settings.lpips is None or settings.lpips.is_file() else find_lpips_weights()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / task.file.path.name
        path.write_bytes(content)
        here = replace(settings, mediapipe_python=python, lpips=lpips)
        return do(replace(task, file=replace(task.file, path=path)), here)


def write_result(folder: Path, task: Task, result: Result, about: Mapping[str, Any]) -> None:
    """Keep results in a folder; a file is there whole or not at all."""
    path = folder / task.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if result.features:
        np.savez_compressed(path.with_suffix(".npz"), **result.features)  # type: ignore[arg-type]
    rows = [asdict(row) for row in result.rows]
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"about": dict(about), "sha256": task.file.sha256, "rows": rows}, indent=1) + "\n")
    part.replace(path)


def read_result(folder: Path, task: Task, about: Mapping[str, Any]) -> Result | None:
    """Results that are there already for this very clip and these settings, else None."""
    path = folder / task.path
    try:
        kept = json.loads(path.read_text())
        if kept["about"] != dict(about) or kept["sha256"] != task.file.sha256:
            return None
        rows = [Row(**{**row, "rates": Rates(**row["rates"])}) for row in kept["rows"]]
        if not about["fid"]:
            return Result(rows, {})
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            return Result(rows, {name: stored[name] for name in stored.files})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _anchor(task: Task, reference: Reference, instruments: Instruments) -> Result:
    anchor = BY_NAME[task.family]
    rates: dict[str, Rates] = {}
    pictures: dict[str, dict[int, Picture]] = {}
    steps: dict[str, int | None] = {}
    for step in anchor.steps:
        way = f"{anchor.name} {step}"
        stream = encode(anchor, step, reference.frames, reference.rate)
        rates[way] = codec_rates(stream.counted, reference.seconds, reference.size)
        pictures[way] = decode(anchor, stream, reference.size, reference.wanted)
        steps[way] = step
    return _result(task, reference, instruments, pictures, rates, steps, {})


def _facewire(task: Task, reference: Reference, settings: Settings, instruments: Instruments) -> Result:
    if not fits(task.family, reference.size):
        return Result([], {})
    _, size_px, *profile = task.family.split()
    ours = Ours(model_at(settings.weights), reference, int(size_px))
    rates: dict[str, Rates] = {}
    pictures: dict[str, dict[int, Picture]] = {}
    extra: dict[str, dict[str, Any]] = {}
    for way in WAYS:
        if (way.profile is Profile.PAPER) != bool(profile):
            continue
        name = f"facewire {size_px} {way.name}"
        sent = ours.send(way)
        frames = len(reference.frames)
        size = len(ours.source.content)
        rates[name] = motion_rates(sent.messages, size, frames, reference.seconds, reference.size)
        pictures[name] = dict(ours.render(sent.motions, reference.wanted))
        extra[name] = {"source_frame": ours.source.frame, "options": way.words(), "messages": len(sent.messages)}
        extra[name]["bytes_per_frame"] = sum(map(len, sent.messages)) / frames
        if sent.frame_bytes:
            extra[name]["frame_bytes"] = [list(sizes) for sizes in sent.frame_bytes]
    return _result(task, reference, instruments, pictures, rates, dict.fromkeys(pictures), extra)


def _repeated(task: Task, reference: Reference, settings: Settings, instruments: Instruments) -> Result:
    """The source picture as received, and the clip's first frame as it is, again and again."""
    model = model_at(settings.weights)
    ours = Ours(model, reference, reference.size)
    first = reference.pictures[0]
    shown = {REPEAT: ours.repeated(), "repeat the first frame, undistorted": first}
    pictures = {name: dict.fromkeys(reference.wanted, picture) for name, picture in shown.items()}
    nothing = motion_rates([], len(ours.source.content), len(reference.frames), reference.seconds, reference.size)
    extra = {name: {"source_frame": number} for name, number in zip(shown, (ours.source.frame, 0), strict=True)}
    return _result(task, reference, instruments, pictures, dict.fromkeys(shown, nothing), dict.fromkeys(shown), extra)


def _result(
    task: Task,
    reference: Reference,
    instruments: Instruments,
    pictures: Mapping[str, Mapping[int, Picture]],
    rates: Mapping[str, Rates],
    steps: Mapping[str, int | None],
    extra: Mapping[str, dict[str, Any]],
) -> Result:
    measured: dict[str, Measured] = measure(reference, pictures, instruments)
    rows = [
        Row(
            group=task.file.group,
            clip=task.file.name,
            family=task.family,
            way=way,
            step=steps[way],
            size_px=reference.size,
            frames=len(reference.frames),
            seconds=reference.seconds,
            rates=rates[way],
            figures=one.figures,
            extra=extra.get(way, {}),
        )
        for way, one in measured.items()
        if way != CAMERA
    ]
    features = {way: one.inception for way, one in measured.items() if one.inception is not None}
    return Result(rows, features)


@cache
def _instruments(lpips: Path | None, python: Path | None, inception: Path | None) -> Instruments:
    """One set a process, for as long as it lives."""
    return Instruments(lpips, python, inception)


def reference_of(file: ClipFile, settings: Settings) -> Reference:
    """The frames of a clip, as these settings want them. Raises CompareError."""
    model = model_at(settings.weights)
    sizes = picture_sizes(model)
    return read_reference(file, lambda path: choose_square(path, model), sizes, settings.first, settings.every)
