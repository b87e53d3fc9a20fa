"""The figures of the bitstream benchmark as tables and charts."""

from collections.abc import Sequence
from typing import Any, Final

from PIL import Image
from rich.table import Table

from benchmarks.bitstream_loss import PLAYOUT_S, POLICIES, RTT_S
from replay.chart import Axis, Mark, Panel, Series, draw

Rows = Sequence[dict[str, Any]]
BARS: Final = {"high": 10.0, "medium": 7.0}
LPIPS_BAR: Final = 0.01
MS_BAR: Final = 1.0
ON_TIME_BAR: Final = 0.99
_BYTES: Final = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
_PX: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_LPIPS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


def size_table(rows: Rows) -> Table:
    """FV2V's Table 5, with its own figures beside ours."""
    names = ("before", "mean", "min", "max", "median")
    heads = ("method", "before coding", "mean", "least", "most", "median")
    table = _table("bytes of one frame, coded by itself (FV2V, Table 5; its figures in brackets)", heads, words=1)
    for row in rows:
        published = row["published"]
        cells = (f"{row[name]:.2f} ({published[name]:g})" for name in names)
        table.add_row(row["method"], *cells)
    return table


def way_table(rows: Rows) -> Table:
    """Every way over all clips; a bar that is missed is marked with "!"."""
    heads = ("way", "B a frame", "kbps", "rms x, y", "mean", "p95", "max", "LPIPS", "p95", "encode p50, p95", "decode")
    title = "messages of 60 ms at 25 fps, everything in them counted; keypoint error in px of 256, times in CPU ms"
    table = _table(title, heads, words=1)
    for row in rows:
        error, lpips = row["error_px"], row["lpips"]
        predictive = row["profile"] == "predictive"
        cells = [_marked(row["bytes_per_frame"], 2, BARS.get(row["level"]) if predictive else None)]
        cells += [f"{row['kbps']:.2f}", *(f"{error[name]:.3f}" for name in ("rms_x_y", "mean", "p95", "max"))]
        bar = LPIPS_BAR if predictive and row["level"] == "high" else None
        cells += [_marked(lpips["mean"], 4, bar), f"{lpips['p95']:.4f}"] if lpips else ["-", "-"]
        for times_ms in (row["encode_ms"], row["decode_ms"]):
            cells.append(f"{times_ms['p50']:.2f}, {_marked(times_ms['p95'], 2, MS_BAR)}")
        table.add_row(row["way"], *cells)
    return table


def loss_table(rows: Rows) -> Table:
    """Every link and policy; bytes as multiples of those without loss and repeats."""
    heads = (
        "link",
        "policy",
        "on time",
        "worst clip",
        "longest freeze",
        "payload B",
        "times",
        "wire times",
        "recovery",
    )
    title = f"round trip {1000 * RTT_S:g} ms, messages of 60 ms, shown {1000 * PLAYOUT_S:g} ms after capture"
    table = _table(title, heads, words=2)
    for index, row in enumerate(rows):
        recovery = row["recovery_ms"]["max"]
        table.add_row(
            row["link"],
            row["policy"],
            f"{row['on_time']:.2%}",
            f"{row['on_time_worst_clip']:.2%}",
            f"{row['longest_freeze_ms']:.0f} ms",
            f"{row['payload_bytes_per_frame']:.2f}",
            f"{row['payload_ratio']:.2f}",
            f"{row['wire_ratio']:.2f}",
            "-" if recovery is None else f"{recovery:.0f} ms",
            end_section=index % len(POLICIES) == len(POLICIES) - 1,
        )
    return table


def error_chart(ways: Rows, pictures: bool) -> Image.Image:
    """Bytes against keypoint error, and against LPIPS where `pictures` were measured."""
    panels = [_way_panel("Keypoint error against bytes", Axis("px of 256, mean", _PX, log=True), ways, "error_px", [])]
    if pictures:
        bar = [Mark("y", LPIPS_BAR, "bar of level high: 0.01")]
        panels.append(_way_panel("Picture against bytes", Axis("LPIPS, mean", _LPIPS, log=True), ways, "lpips", bar))
    return draw(panels)


def loss_chart(rows: Rows) -> Image.Image:
    """Frames on time, payload and wire bytes against loss."""
    at_random = [row for row in rows if row["loss"] >= 0]
    lost, on_time = Axis("packets lost, %", (0, 10, 20, 30, 40)), Axis("%", (0, 20, 40, 60, 80, 100))
    bar = [Mark("y", 100 * ON_TIME_BAR, "")]
    panels = [Panel("Frames shown on time (bar at 20 %: 99)", lost, on_time, _curves(at_random, "on_time", 100), bar)]
    for title, name in (
        ("Bytes of motion", "payload_ratio"),
        ("Bytes on the wire, acknowledgements too", "wire_ratio"),
    ):
        most = int(max(row[name] for row in at_random)) + 1
        times = Axis("times those without loss and repeats", [1 + step / 4 for step in range(4 * most - 3)])
        panels.append(Panel(title, lost, times, _curves(at_random, name), [Mark("y", 1.8, "bar at 20 %: 1.8")]))
    return draw(panels)


def _curves(rows: Rows, name: str, unit: float = 1.0) -> list[Series]:
    return [
        Series(
            policy, [(100 * row["loss"], unit * row[name]) for row in rows if row["policy"] == policy], dashed=index > 0
        )
        for index, policy in enumerate(POLICIES)
    ]


def _way_panel(title: str, y: Axis, ways: Rows, error: str, more: Sequence[Mark]) -> Panel:
    """Curves of `predictive` by level, and of `paper` by number of keypoints, fixed and adaptive."""
    chosen = {
        "predictive, by level": [row for row in ways if row["profile"] == "predictive"],
        "paper, first n keypoints": [row for row in ways if row["keypoints"].isdecimal() or _all_of_paper(row)],
        "paper, adaptive": [row for row in ways if row["keypoints"] == "adaptive"],
    }
    words = {"predictive, by level": "level", "paper, first n keypoints": "keypoints", "paper, adaptive": "adaptive"}
    series = []
    for name, rows in chosen.items():
        ordered = sorted(rows, key=lambda row: float(row["bytes_per_frame"]))
        points = [(row["bytes_per_frame"], row[error]["mean"]) for row in ordered]
        texts = [
            row["way"].split("adaptive ")[-1] if words[name] == "adaptive" else row[words[name]] for row in ordered
        ]
        dashed, below = name != "predictive, by level", words[name] == "adaptive"
        series.append(Series(name, points, dict(enumerate(texts)), dashed, below))
    marks = [Mark("x", BARS["high"], "bar of high: 10"), Mark("x", 84.44, "FV2V: 84.4"), Mark("x", 53.03, "FV2V: 53.0")]
    return Panel(title, Axis("bytes a frame, everything in the message", _BYTES, log=True), y, series, [*marks, *more])


def _all_of_paper(row: dict[str, Any]) -> bool:
    return (row["profile"], row["keypoints"]) == ("paper", "all")


def _table(title: str, heads: Sequence[str], words: int) -> Table:
    """A table whose first so many columns hold words."""
    table = Table(title=title)
    for index, head in enumerate(heads):
        table.add_column(head, justify="left" if index < words else "right")
    return table


def _marked(value: float, digits: int, bar: float | None) -> str:
    return f"{value:.{digits}f}{' !' if bar is not None and value > bar else ''}"
