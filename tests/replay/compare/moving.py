"""A clip that moves, without a face in it, and rows of results as a run would leave them."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from receiver.show import VideoWriter
from replay.compare.clip import ClipFile, Picture, Reference
from replay.compare.measure import Figures
from replay.compare.rates import Rates
from replay.compare.work import Row

RATE = Fraction(25)


def picture(size: int, number: int) -> Picture:
    """Soft patches under a square that moves to the right."""
    patches = np.random.default_rng(7).integers(40, 200, (4, 4, 3)).astype(np.uint8)
    ground = cv2.resize(patches, (size, size), interpolation=cv2.INTER_CUBIC)
    left = size // 8 + number * size // 64
    cv2.rectangle(ground, (left, size // 3), (left + size // 4, size // 2), (250, 240, 90), -1)
    return np.asarray(ground, np.uint8)


def reference(size: int = 64, frames: int = 13) -> Reference:
    """The clip as it is compared."""
    made = [av.VideoFrame.from_ndarray(picture(size, number), format="rgb24") for number in range(frames)]
    file = ClipFile(Path("moving.mp4"), "made", "moving", "0" * 64)
    return Reference(file, tuple(frame.reformat(format="yuv420p") for frame in made), RATE)


def write_clip(path: Path, size: int = 64, frames: int = 13, height: int | None = None) -> Path:
    """The clip as a file; `height` makes it less high than wide."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = VideoWriter(path, float(RATE), 12)
    for number in range(frames):
        writer.write(np.ascontiguousarray(picture(size, number)[: height or size]), float(number / RATE))
    writer.close()
    return path


def rates(kbps: float) -> Rates:
    """Rates of which all follow from one, each kind another multiple of it."""
    return Rates(1.5 * kbps, 2 * kbps, kbps, 1.4 * kbps, 1.1 * kbps, 1.6 * kbps, 3 * kbps, 1000, kbps / 1000)


def row(way: str, kbps: float, lpips: float, akd_px: float, clip: str = "a", step: int | None = None) -> Row:
    """One result; the way's family is its name without the step."""
    family = way.rsplit(" ", 1)[0] if step is not None else way
    figures: Figures = {"l1": 5.0, "psnr_db": 40 - 60 * lpips, "ssim": 0.9, "ms_ssim": 0.9}
    figures |= {"lpips": lpips, "akd_px": akd_px}
    extra = {"bytes_per_frame": kbps * 5, "frame_bytes": [[132, 110], [132, 112]]} if step is None else {}
    return Row("made", clip, family, way, step, 256, 150, 6.0, rates(kbps), figures, extra)


def results() -> list[Row]:
    """Two clips gone through x264 and through us: at our LPIPS x264 needs 20 kbps, at our AKD 40."""
    rows = []
    for clip in ("a", "b"):
        rows.append(row("repeat the source", 0.0, 0.15, 12.0, clip))
        rows.append(row("facewire 256 predictive high", 2.0, 0.10, 1.0, clip))
        rows.append(row("facewire 256 paper", 20.0, 0.09, 0.9, clip))
        for crf, kbps, lpips, akd_px in ((24, 80.0, 0.02, 0.4), (36, 40.0, 0.05, 1.0), (48, 10.0, 0.15, 4.0)):
            rows.append(row(f"x264 medium {crf}", kbps, lpips, akd_px, clip, crf))
    return rows
