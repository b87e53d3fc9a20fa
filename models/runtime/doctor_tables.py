"""The doctor's report as tables."""

from typing import Any

from rich.console import Console
from rich.table import Table

from models.runtime.doctor import ALONE_FPS

NAMES = {"sender": "sender (extract)", "receiver": "receiver (render)", "both": "both at once"}


def show(report: dict[str, Any], console: Console | None = None) -> None:
    """Print machine, model, every way measured, the frame rates and what is missing."""
    console = console or Console()
    console.print(_facts(report["machine"], report["model"]))
    for path, entry in report["paths"].items():
        console.print(_ways(path, entry))
    console.print(_rates(report["fps"]))
    for line in busy(report):
        console.print(f"[yellow]busy[/] {line}", highlight=False)
    for line in report["missing"]:
        console.print(f"[yellow]missing[/] {line}", highlight=False)


def busy(report: dict[str, Any]) -> list[str]:
    """A line for each path that was measured while other programs kept the cores busy."""
    cores = report["machine"]["cores"]
    return [
        f"{path} was measured while {entry['load']} programs wanted {cores} cores: the order of the ways holds, the "
        "times are too long; `facewire doctor --measure` on a quiet machine"
        for path, entry in report["paths"].items()
        if entry["load"] is not None and entry["load"] > cores / 2
    ]


def _facts(machine: dict[str, Any], model: dict[str, Any]) -> Table:
    table = Table(show_header=False, title="this machine and the model")
    rows = {
        "processor": f"{machine['processor']}, {machine['cores']} cores",
        "flags that matter": " ".join(machine["flags"]) or "none known",
        "GPU": machine["gpu"] or "none",
        "torch": machine["torch"],
        "openvino": machine["openvino"] or "not installed",
        "model": f"{model['preset']} {model['id'][:12]}, {model['size_px']} px",
        "parameters": f"{model['parameters'] / 1e6:.1f} M",
        "networks on": model["device"],
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table


def _ways(path: str, entry: dict[str, Any]) -> Table:
    threads = f"{entry['threads']} thread{'s' if entry['threads'] > 1 else ''}"
    title = f"{path}: {entry['gmac']:.3f} GMAC a frame, {threads}. Taken: {entry['way']} ({entry['why']})"
    table = Table("way", "p50 ms", "p95 ms", "off by (worst)", "off by (mean)", "", title=title, title_justify="left")
    for result in entry["measured"]:
        taken = result["way"] == entry["way"]
        table.add_row(
            result["way"],
            *(_number(result[key], ".1f") for key in ("p50_ms", "p95_ms")),
            *(_number(result[key], ".1e") for key in ("largest_difference", "mean_difference")),
            "taken" if taken else result["problem"] or "",
            style="bold green" if taken else "dim" if result["problem"] else "",
        )
    return table


def _rates(rates: dict[str, float | None]) -> Table:
    table = Table("frames a second that follow", "fps", "asked of 2 cores", title="what it is enough for")
    for name, wanted in ALONE_FPS.items():
        rate = rates[name]
        colour = "" if rate is None else "green" if rate >= wanted else "red"
        table.add_row(NAMES[name], _number(rate, ".1f"), f"{wanted:.0f}", style=colour)
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
