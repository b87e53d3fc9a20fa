"""Rate against LPIPS, AKD and PSNR, all codecs and ours: one picture a set."""

import math
from collections.abc import Sequence
from typing import Final

from PIL import Image

from replay.chart import PAPER, Axis, Mark, Panel, Series, draw
from replay.compare.anchors import ANCHORS
from replay.compare.summary import Group, Way
from replay.compare.work import REPEAT

LPIPS: Final = ("lpips", "LPIPS (less is better)", True)
AKD: Final = ("akd_px", "AKD, px of 256 (less is better)", True)
PAYLOAD: Final = ("steady_kbps", "payload")
WIRE: Final = ("steady_wire_kbps", "wire (RTP)")
ROWS: Final = (
    ((PAYLOAD, LPIPS), (PAYLOAD, AKD)),
    ((WIRE, LPIPS), (WIRE, AKD)),
    ((PAYLOAD, ("psnr_db", "PSNR, dB", False)), (PAYLOAD, ("akd_mouth_px", "AKD of the mouth, px of 256", True))),
)
_ROUND: Final = (1.0, 2.0, 5.0)


def rate_plots(group: Group) -> Image.Image:
    """Three rows of two plots; figures that were not measured are left out."""
    known = {name for way in group.ways for name in way.mean.figures}
    chosen = [[one for one in row if one[1][0] in known] for row in ROWS]
    rows = [draw([_panel(group, *rate, figure) for rate, figure in row]) for row in chosen if row]
    size = max(row.width for row in rows), sum(row.height for row in rows)
    sheet = Image.new("RGB", size, PAPER)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _panel(group: Group, rate: str, kind: str, figure: tuple[str, str, bool]) -> Panel:
    name, label, log = figure
    series = [_series(f"facewire {size}", _ours(group, size), rate, name) for size in _sizes(group)]
    for index, anchor in enumerate(ANCHORS):
        steps = [way for way in group.ways if way.family == anchor.name]
        series.append(_series(anchor.name, steps, rate, name, dashed=index > 0))
    shown = [one for one in series if one.points]
    xs = [x for one in shown for x, _ in one.points]
    ys = [y for one in shown for _, y in one.points]
    marks = []
    repeated = next((way.mean.figures.get(name) for way in group.ways if way.name == REPEAT), None)
    if repeated is not None:
        marks.append(Mark("y", repeated, "the source repeated, 0 kbps"))
        ys.append(repeated)
    y = Axis(label, log_ticks(ys) if log else _even_ticks(ys), log)
    title = f"{group.name}, {group.size_px} px, {len(group.clips)} clips: {kind} without the first picture"
    return Panel(title, Axis(f"kbps, {kind}", log_ticks(xs), log=True), y, shown, marks)


def _sizes(group: Group) -> list[str]:
    return list(dict.fromkeys(name.split()[1] for name in group.ours))


def _ours(group: Group, size: str) -> list[Way]:
    """The levels of profile `predictive` at one size."""
    return [way for way in group.ways if way.name.startswith(f"facewire {size} predictive")]


def _series(name: str, ways: Sequence[Way], rate: str, figure: str, dashed: bool = False) -> Series:
    known = [
        way for way in ways if way.mean.figures.get(figure, 0.0) > 0
    ]  # what is exactly 0 has no place on a log axis
    points = sorted((way.mean.rates[rate], way.mean.figures[figure]) for way in known)
    return Series(name, points, dashed=dashed)


def log_ticks(values: Sequence[float]) -> list[float]:
    """1, 2, 5, 10 ... from at most the least to at least the largest of positive values."""
    low, high = min(values), max(values)
    ticks = [digit * 10.0**power for power in range(-4, 7) for digit in _ROUND]
    first = max(index for index, tick in enumerate(ticks) if tick <= low)
    last = min(index for index, tick in enumerate(ticks) if tick >= high)
    return ticks[first : max(last, first + 1) + 1]


def _even_ticks(values: Sequence[float]) -> list[float]:
    low, high = math.floor(min(values) / 4) * 4, math.ceil(max(values) / 4) * 4
    return [float(tick) for tick in range(low, max(high, low + 4) + 1, 4)]
