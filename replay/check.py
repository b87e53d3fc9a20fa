"""A folder of recordings as a regression suite: each is played again and held against what it came to before.

A call got worse where fewer frames can be read, more of them come late, or motion is read as another; and where its
pictures are further from what the camera saw (NAME.mp4 beside NAME.fwr, frames as they were cropped), or, without
that, further from the pictures of before than rounding and picture coding explain.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from codec.errors import CodecError
from models.weights import Model
from receiver.errors import ReceiverError
from receiver.show import Image
from replay.errors import CheckError, ClipError, ReplayError
from replay.pairs import shown_frames
from replay.play import Playing, Wish
from replay.showing import OnScreen
from replay.side_by_side import Figure, Layout, SideBySide

BASELINE_VERSION: Final = 1
PICTURES: Final = 4
"""Pictures of each recording that are kept and compared, evenly spread."""
WEBP_QUALITY: Final = 80
LESS_DB: Final = 0.5
"""By so much less PSNR than before a picture is another one; against what the camera saw it is a worse one. Rounding on
another machine moves it by under 0.01 dB."""
LESS_ON_TIME: Final = 0.005
LONGER_MS: Final = 34.0
"""Of the longest freeze: one picture of the screen."""
SAME_S: Final = 0.02


@dataclass
class Figures:
    """What one recording comes to. Those of time are of a screen with 30 pictures a second."""

    frames: int
    seconds: float
    unreadable: int
    on_time: float
    longest_freeze_ms: float
    integers_sha256: str
    damage: str | None
    times_s: list[float]
    """Of the pictures that are compared."""
    kept_db: list[float] = field(default_factory=list)
    """PSNR of each against the picture that is kept of it."""
    camera_db: list[float] = field(default_factory=list)
    """PSNR of each against what the camera saw; nothing where that is not at hand."""


@dataclass
class Verdict:
    """One recording against the baseline. worse: in words, nothing where all is well."""

    name: str
    worse: list[str]
    better: list[str]
    before: Figures | None
    now: Figures | None
    sheet: Path | None = None
    """The pictures of before beside those of now."""


def make_baseline(folder: Path, baseline: Path, model: Model) -> dict[str, Figures]:
    """Play all recordings of a folder and write down what they come to; pictures go beside the file.

    Raises CheckError for a folder without recordings, and what playing raises.
    """
    found: dict[str, Figures] = {}
    pictures = baseline.with_suffix("")
    for path in recordings(folder):
        figures, images = play(path, model)
        for index, image in enumerate(images):
            file = pictures / f"{path.stem}_{index}.webp"
            file.parent.mkdir(parents=True, exist_ok=True)
            Pillow.fromarray(image).save(file, "WEBP", quality=WEBP_QUALITY, method=6)
            figures.kept_db.append(round(psnr(image, read(file)), 2))
        found[path.name] = figures
    content = {
        "version": BASELINE_VERSION,
        "model_id": model.model_id,
        "calls": {name: asdict(one) for name, one in found.items()},
    }
    baseline.write_text(json.dumps(content, indent=1) + "\n")
    return found


def check(
    folder: Path, baseline: Path, model: Model, out: Path | None = None, tell: Callable[[str], None] = lambda name: None
) -> list[Verdict]:
    """Hold every recording of a folder against a baseline; returns a verdict for each, by name.

    Args: out: folder for the sheets of calls that got worse. tell: hears the name of each as it is begun.
    Raises: CheckError for a folder without recordings or a baseline that is none.
    """
    before = read_baseline(baseline)
    names = {path.name: path for path in recordings(folder)}
    verdicts = []
    for name in sorted({*names, *before}):
        tell(name)
        if name not in names:
            verdicts.append(Verdict(name, ["the recording is gone"], [], before[name], None))
        else:
            verdicts.append(_judge(names[name], before.get(name), baseline.with_suffix(""), model, out))
    return verdicts


def recordings(folder: Path) -> list[Path]:
    """The recordings of a folder by name. Raises CheckError where there are none."""
    found = sorted(folder.glob("*.fwr")) if folder.is_dir() else []
    if not found:
        raise CheckError(f"{folder}: expected a folder with recordings (.fwr) in it, found none")
    return found


def read_baseline(path: Path) -> dict[str, Figures]:
    """Read what `make_baseline` wrote. Raises CheckError."""
    try:
        content = json.loads(path.read_text())
        if content["version"] != BASELINE_VERSION:
            raise CheckError(f"{path}: expected a baseline of version {BASELINE_VERSION}, got {content['version']}")
        return {str(name): Figures(**figures) for name, figures in content["calls"].items()}
    except OSError as error:
        raise CheckError(f"{path}: expected a baseline, got none ({error.strerror}): make one with --update") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckError(f"{path}: expected a baseline, got something else ({error!r:.120})") from None


def play(path: Path, model: Model) -> tuple[Figures, list[Image]]:
    """Play one recording: its figures, without PSNR against kept pictures, and the pictures that are compared."""
    playing = Playing(path, model, Wish())
    shown = list(playing.shown())
    screen = OnScreen(playing.frames)
    for _ in screen:
        pass
    chosen = [shown[round(place)] for place in np.linspace(0, len(shown) - 1, min(PICTURES, len(shown)))]
    images = [image for image, _ in playing.pictures(chosen)]
    places = [motion.capture_time_s for motion, _ in chosen]
    figures = Figures(
        frames=len(shown),
        seconds=round(shown[-1].time_s, 3),
        unreadable=playing.face.unreadable,
        on_time=round(screen.smoother.on_time_share or 0.0, 4),
        longest_freeze_ms=round(1000 * screen.smoother.longest_freeze_s, 1),
        integers_sha256=playing.face.integers_sha256,
        damage=playing.call.damage,
        times_s=[round(place, 3) for place in places],
    )
    seen = list(_camera(path.with_suffix(".mp4"), places))
    if len(seen) == len(images):
        figures.camera_db = [round(psnr(image, camera), 2) for image, camera in zip(images, seen, strict=True)]
    return figures, images


def _camera(path: Path, times_s: list[float]) -> Iterator[Image]:
    """What the camera saw at these times, which rise; nothing for what it did not."""
    wanted = list(times_s)
    if not path.is_file():
        return
    for frame in shown_frames(path):
        if wanted and abs(frame.capture_time_s - wanted[0]) <= SAME_S:
            wanted.pop(0)
            yield frame.image


def _judge(path: Path, before: Figures | None, pictures: Path, model: Model, out: Path | None) -> Verdict:
    try:
        now, images = play(path, model)
    except (CodecError, ReplayError, ReceiverError) as error:
        return Verdict(path.name, [f"it cannot be played any more: {error}"], [], before, None)
    if before is None:
        return Verdict(path.name, ["it is not in the baseline: take it in with --update"], [], None, now)
    kept = [_kept(pictures / f"{path.stem}_{index}.webp") for index in range(len(images))]
    now.kept_db = [
        round(psnr(image, old), 2) if old is not None and old.shape == image.shape else 0.0
        for image, old in zip(images, kept, strict=True)
    ]
    worse, better = compare(before, now)
    verdict = Verdict(path.name, worse, better, before, now)
    if worse and out is not None:
        verdict.sheet = _draw(out / f"{path.stem}.png", verdict, kept, images)
    return verdict


def compare(before: Figures, now: Figures) -> tuple[list[str], list[str]]:
    """In words what got worse and what got better."""
    worse, better = [], []
    if now.integers_sha256 != before.integers_sha256:
        worse.append("its messages are read as other motion (integers differ)")
    if now.damage is not None and before.damage is None:
        worse.append(f"the recording is damaged: {now.damage}")
    steps: list[tuple[str, float, float, float]] = [
        ("frames", before.frames, now.frames, 0.5),
        ("messages that cannot be read", -before.unreadable, -now.unreadable, 0.5),
        ("share on time", before.on_time, now.on_time, LESS_ON_TIME),
        ("longest freeze in ms", -before.longest_freeze_ms, -now.longest_freeze_ms, LONGER_MS),
    ]
    if before.camera_db and len(before.camera_db) == len(now.camera_db):
        steps.append(("PSNR to the camera in dB", _mean(before.camera_db), _mean(now.camera_db), LESS_DB))
    for what, was, is_, by in steps:
        words = f"{what}: {abs(is_):g}, was {abs(was):g}"
        worse += [words] if is_ < was - by else []
        better += [words] if is_ > was + by else []
    changed = len(now.kept_db) != len(before.kept_db) or any(
        is_ < was - LESS_DB for was, is_ in zip(before.kept_db, now.kept_db, strict=False)
    )
    if changed and not any("camera" in words for words in (*worse, *better)):
        lowest = f"{min(now.kept_db, default=0.0):g} dB to those of before, {min(before.kept_db, default=0.0):g} then"
        (better if now.camera_db and before.camera_db else worse).append(f"its pictures changed: {lowest}")
    return worse, better


def _draw(file: Path, verdict: Verdict, kept: list[Image | None], images: list[Image]) -> Path:
    """A sheet: the pictures of before, those of now, and ten times their difference, a row each."""
    assert verdict.now is not None
    drawer = SideBySide(("before", "now", "10 times the difference"), Layout(panel=256, footer=60, panels=3))
    rows = []
    for index, (old, new) in enumerate(zip(kept, images, strict=True)):
        same = old is not None and old.shape == new.shape
        far = np.clip(10 * np.abs(new.astype(int) - old), 0, 255).astype(np.uint8) if same and old is not None else None
        figures = [
            Figure("time", f"{verdict.now.times_s[index]:.2f} s"),
            Figure("PSNR to before", f"{verdict.now.kept_db[index]:.1f} dB"),
        ]
        if verdict.now.camera_db:
            figures.append(Figure("PSNR to the camera", f"{verdict.now.camera_db[index]:.1f} dB"))
        rows.append(drawer.draw_all((old, new, far), figures))
    file.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.vstack(rows)).save(file)
    return file


def _kept(path: Path) -> Image | None:
    try:
        return read(path)
    except ClipError:
        return None


def read(path: Path) -> Image:
    """Read a picture, RGB [H,W,3]. Raises ClipError."""
    try:
        return np.array(Pillow.open(io.BytesIO(path.read_bytes())).convert("RGB"), np.uint8)
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: expected a picture, got none ({error})") from None


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """PSNR in dB of two pictures of one size; 99 where they are equal, or nearly."""
    mse = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 99.0 if mse < 1e-5 else min(99.0, 10 * float(np.log10(255**2 / mse)))


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 2)


def as_dict(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """For JSON."""
    return [asdict(verdict) | {"sheet": str(verdict.sheet) if verdict.sheet else None} for verdict in verdicts]
