"""What `facewire validate` leaves behind: report.json for programs, two tables for people."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from models.training.comparison import FOLLOWS, Figures, mean_figures, median_figures
from models.training.same_person import SamePerson

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
_KINDS = {
    "model": "model",
    "plain": "not sharpened",
    "scaled_up": "own size scaled up",
    "repeat_source": "source repeated",
}


@dataclass(frozen=True)
class ClipResult:
    """Figures of one clip: the model's, and those of its source repeated. scaled_up: pictures of the model's own size
    brought up to a larger one; plain: larger pictures without the sharpening network; None where that is not asked.
    """

    name: str
    identity: str
    static_camera: bool
    frames: int  # measured
    model: Figures
    repeat_source: Figures
    scaled_up: Figures | None = None
    plain: Figures | None = None


@dataclass(frozen=True)
class Identity:
    """How well canonical keypoints know people again: among all sources, and without that of the frame's own clip."""

    all_sources: SamePerson
    other_clips: SamePerson


def write_report(path: Path, about: dict[str, Any], results: list[ClipResult], identity: Identity) -> None:
    """Write what was measured, each clip, and means and medians over clips of equal weight."""
    kinds = kinds_of(results)
    report = about | {
        "mean": {name: asdict(mean_figures(figures)) for name, figures in kinds.items()},
        "median": {name: asdict(median_figures(figures)) for name, figures in kinds.items()},
        "same_person": asdict(identity),
        "clips": [asdict(result) for result in results],
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def kinds_of(results: list[ClipResult]) -> dict[str, list[Figures]]:
    """What there are figures of, each with those of all clips."""
    kinds = {"model": [result.model for result in results]}
    for name in ("plain", "scaled_up", "repeat_source"):
        known = [figures for result in results if (figures := getattr(result, name)) is not None]
        if known:
            kinds[name] = known
    return kinds


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
    """A line a figure: mean over clips, of the model and of what stands beside it, and the model's median."""
    kinds = kinds_of(results)
    columns = [*(mean_figures(figures) for figures in kinds.values()), median_figures(kinds["model"])]
    titles = [f"mean, {_KINDS[name]}" for name in kinds]
    table = Table("", *titles, "median, model", title=f"{len(results)} clips")
    for title, field, digits in _COLUMNS:
        table.add_row(title, *(_words(getattr(figures, field), digits) for figures in columns))
    return table


def following_table(results: list[ClipResult]) -> Table:
    """A line a clip: how the curves of mouth and lids correlate with the input's; below the bar in red."""
    table = Table(title=f"output follows input: correlation, bar {FOLLOWS:g}")
    table.add_column("clip", no_wrap=True)
    fields = ("mouth_correlation", "blink_correlation")
    for title in ("mouth opening", "blink"):
        table.add_column(title, justify="right")
    for result in results:
        table.add_row(result.name, *(_judged(getattr(result.model, field)) for field in fields))
    table.add_section()
    columns = [[getattr(result.model, field) for result in results] for field in fields]
    known = [[value for value in column if value is not None] for column in columns]
    table.add_row("at the bar", *(f"{sum(value >= FOLLOWS for value in column)} of {len(column)}" for column in known))
    return table


def identity_table(identity: Identity) -> Table:
    """A line for each way of asking: how often the nearest source shows the right person."""
    table = Table("nearest source by canonical keypoints", "right", "chance", "times chance", "frames")
    for title, figures in (("all clips", identity.all_sources), ("without the own clip", identity.other_clips)):
        shares = (_words(figures.right, 2), _words(figures.chance, 2), _words(figures.times_chance, 1))
        table.add_row(title, *shares, str(figures.frames))
    return table


def _judged(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} *" if value >= FOLLOWS else f"[red]{value:.2f}[/red]  "


def _cell(result: ClipResult, field: str, digits: int) -> str:
    ours, theirs = (_words(getattr(figures, field), digits) for figures in (result.model, result.repeat_source))
    return f"{ours} [dim]{theirs}[/dim]"


def _words(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
