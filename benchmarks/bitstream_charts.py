"""The figures of the bitstream benchmark as tables and charts."""

from collections.abc import Sequence
from typing import Any, Final

from PIL import Image
from rich.table import Table

from benchmarks.bitstream_loss import PLAYOUT_S, POLICIES, RTT_S
from benchmarks.chart import Axis, Mark, Panel, Series, draw

Rows = Sequence[dict[str, Any]]
BARS: Final = {"high": 10.0, "medium": 7.0}
LPIPS_BAR: Final = 0.01
MS_BAR: Final = 1.0
ON_TIME_BAR: Final = 0.99
_BYTES: Final = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
_PX: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_LPIPS: Final = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


def size_table(rows: Rows) -> Table:
    """FV2V's Table 5, with its own figures beside ours."""
    table = Table(title="bytes of one frame, coded by itself (FV2V, Table 5; its figures in brackets)")
    table.add_column("method")
    for name in ("before coding", "mean", "least", "most", "median"):
        table.add_column(name, justify="right")
    for row in rows:
        published = row["published"]
        cells = (f"{row[name]:.2f} ({published[name]:g})" for name in ("before", "mean", "min", "max", "median"))
        table.add_row(row["method"], *cells)
    return table


def way_table(rows: Rows) -> Table:
    """Every way over all clips; a bar that is missed is marked."""
    table = Table(title="messages of 60 ms at 25 fps, everything in them counted; error in px of 256, times in CPU ms")
    for name in (
        "way",
        "B a frame",
        "kbps",
        "error mean",
        "p95",
        "max",
        "LPIPS mean",
        "p95",
        "encode p50, p95",
        "decode",
    ):
        table.add_column(name, justify="left" if name == "way" else "right")
    for row in rows:
        error, lpips = row["error_px"], row.get("lpips")
        bar = BARS.get(row["level"], 1e9) if row["profile"] == "predictive" else 1e9
        cells = [_marked(row["bytes_per_frame"], 2, bar), f"{row['kbps']:.2f}"]
        cells += [f"{error[name]:.3f}" for name in ("mean", "p95", "max")]
        limit = LPIPS_BAR if row["way"] == "predictive, high" else 1e9
        cells += [
            _marked(lpips[name], 4, limit if name == "mean" else 1e9) if lpips else "-" for name in ("mean", "p95")
        ]
        cells += [
            f"{row[what]['p50']:.2f}, {_marked(row[what]['p95'], 2, MS_BAR)}" for what in ("encode_ms", "decode_ms")
        ]
        table.add_row(row["way"], *cells)
    return table


def loss_table(rows: Rows) -> Table:
    """Every link and policy."""
    title = f"round trip {1000 * RTT_S:g} ms, messages of 60 ms, shown {1000 * PLAYOUT_S:g} ms after capture"
    table = Table(title=title)
    heads = (
        "link",
        "policy",
        "on time",
        "worst clip",
        "longest freeze",
        "payload B",
        "times",
        "wire times",
        "recovery most",
    )
    for name in heads:
        table.add_column(name, justify="left" if name in heads[:2] else "right")
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


def _marked(value: float, digits: int, bar: float) -> str:
    return f"{value:.{digits}f}{' !' if value > bar else ''}"
