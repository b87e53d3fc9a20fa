"""What `facewire validate` leaves behind: report.json for programs, two tables for people."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from models.training.comparison import Figures, mean_figures, median_figures

# Title, field, digits; the first ones are shown for each clip, all of them for the means.
_COLUMNS = (
    ("PSNR", "psnr_db", 1),
    ("face PSNR", "face_psnr_db", 1),
    ("LPIPS", "lpips", 3),
    ("AKD", "akd_px", 1),
    ("AKD mouth", "akd_mouth_px", 1),
    ("AKD eyes", "akd_eyes_px", 1),
    ("SSIM", "ssim", 3),
    ("face SSIM", "face_ssim", 3),
    ("MS-SSIM", "ms_ssim", 3),
    ("face LPIPS", "face_lpips", 3),
    ("mouth correlation", "mouth_correlation", 2),
    ("blink correlation", "blink_correlation", 2),
    ("faces found", "faces_found", 2),
)
_SHOWN_PER_CLIP = 6


@dataclass(frozen=True)
class ClipResult:
    """Figures of one clip: the model's, and those of its source repeated."""

    name: str
    identity: str
    static_camera: bool
    frames: int  # measured
    model: Figures
    repeat_source: Figures


def write_report(path: Path, about: dict[str, Any], results: list[ClipResult]) -> None:
    """Write what was measured, each clip, and means and medians over clips of equal weight."""
    ours, theirs = [result.model for result in results], [result.repeat_source for result in results]
    report = about | {
        "mean": {"model": asdict(mean_figures(ours)), "repeat_source": asdict(mean_figures(theirs))},
        "median": {"model": asdict(median_figures(ours)), "repeat_source": asdict(median_figures(theirs))},
        "clips": [asdict(result) for result in results],
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def clip_table(results: list[ClipResult]) -> Table:
    """A line a clip: the model's figure and, dim, that of the repeated source."""
    table = Table(title="model and, dim, source repeated; AKD in px at 256")
    table.add_column("clip", no_wrap=True)
    for title, _, _ in _COLUMNS[:_SHOWN_PER_CLIP]:
        table.add_column(title, justify="right")
    for result in results:
        cells = [_cell(result, field, digits) for _, field, digits in _COLUMNS[:_SHOWN_PER_CLIP]]
        table.add_row(result.name + ("" if result.static_camera else " ~"), *cells)
    if not all(result.static_camera for result in results):
        table.caption = "~ the camera moves"
    return table


def mean_table(results: list[ClipResult]) -> Table:
    """A line a figure: mean and median over clips, of the model and of the source repeated."""
    ours, theirs = [result.model for result in results], [result.repeat_source for result in results]
    columns = (mean_figures(ours), mean_figures(theirs), median_figures(ours), median_figures(theirs))
    table = Table(
        "", "mean, model", "source repeated", "median, model", "source repeated", title=f"{len(results)} clips"
    )
    for title, field, digits in _COLUMNS:
        table.add_row(title, *(_words(getattr(figures, field), digits) for figures in columns))
    return table


def _cell(result: ClipResult, field: str, digits: int) -> str:
    ours, theirs = (_words(getattr(figures, field), digits) for figures in (result.model, result.repeat_source))
    return f"{ours} [dim]{theirs}[/dim]"


def _words(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
