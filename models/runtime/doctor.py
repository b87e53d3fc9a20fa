"""`facewire doctor`: what this machine is, how quick each way is on it, which one is taken, and what is missing."""

import glob
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

# torch takes seconds to import: not for --help
ALONE_FPS = {"sender": 60.0, "receiver": 30.0, "both": 25.0}
"""What a call asks of two cores."""


def doctor(
    weights: Annotated[Path | None, typer.Option(help="Folder of the model. Default: the shipped one.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of a path. Default: those of `send` and `receive`."),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Measure again, whatever is kept.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show this machine, every way to run the networks on it with its time, which one is taken and what is missing.

    Measures if that was not done before, and keeps what it finds for the calls to come.
    """
    from models.runtime.doctor_tables import show
    from models.weights import default_device, load_model

    model = load_model(weights, default_device())
    report = examine(model, threads, measure, say=lambda line: typer.echo(f"doctor: {line}", err=True))
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        show(report)


def examine(
    model: Any, threads: int | None = None, measure: bool = False, say: Any = lambda line: None
) -> dict[str, Any]:
    """Everything that the doctor says, as plain data. Leaves the number of torch's threads as it was."""
    import torch

    from models.runtime.examples import example
    from models.runtime.machine import cores, describe
    from models.runtime.prepare import PATHS, count_gmac, prepare

    of_path = {"extract": threads or 1, "render": threads or max(1, cores() // 2)}
    before, paths = torch.get_num_threads(), {}
    try:
        for path in PATHS:
            torch.set_num_threads(of_path[path])
            choice = prepare(model, [path], say=say, measure=measure).choices[0]
            gmac = round(count_gmac(example(model, path)[0]), 3)
            paths[path] = {"threads": of_path[path], "gmac": gmac, **asdict(choice)}
    finally:
        torch.set_num_threads(before)
    parameters = sum(parameter.numel() for parameter in model.networks.parameters())
    return {
        "machine": {key: value for key, value in describe().items() if key != "threads"},
        "model": {
            "id": model.model_id,
            "preset": model.config.preset,
            "size_px": model.config.size,
            "parameters": parameters,
            "device": str(model.device),
        },
        "paths": paths,
        "fps": frame_rates(paths, cores(), model.device.type == "cuda"),
        "missing": missing(),
    }


def frame_rates(paths: dict[str, dict[str, Any]], cores: int, one_device: bool = False) -> dict[str, float | None]:
    """Frames a second that the chosen ways allow: a sender, a receiver, both at once on this machine.

    Both at once: each at its own rate where there are cores (or a device each) for both; else they share.
    """
    times_ms = {path: taken_ms(entry) for path, entry in paths.items()}
    extract_ms, render_ms = times_ms["extract"], times_ms["render"]
    if extract_ms is None or render_ms is None:
        return dict.fromkeys(ALONE_FPS)
    if one_device:
        both_ms = extract_ms + render_ms
    else:
        # the slower of the two, unless their work together, in core-milliseconds, is more than the cores do meanwhile
        work_ms = extract_ms * paths["extract"]["threads"] + render_ms * paths["render"]["threads"]
        both_ms = max(extract_ms, render_ms, work_ms / cores)
    return {name: round(1000.0 / ms, 1) for name, ms in zip(ALONE_FPS, (extract_ms, render_ms, both_ms), strict=True)}


def taken_ms(entry: dict[str, Any]) -> float | None:
    """p50 of the way that is taken, None where nothing was measured."""
    return next((result["p50_ms"] for result in entry["measured"] if result["way"] == entry["way"]), None)


def missing(devices: Sequence[str] | None = None) -> list[str]:
    """What a call or a quicker call would need and is not here, a line each."""
    import torch

    from models.runtime.machine import has_fast_bf16, package_version

    lines = []
    if package_version("openvino") is None:
        lines.append("OpenVINO: pip install 'facewire[openvino]' (59 MB) often halves the times on Intel and AMD")
    lines += missing_codecs()
    if not (glob.glob("/dev/video*") if devices is None else devices):
        lines.append("camera: no /dev/video* here; `facewire send --input CLIP` sends a file")
    if not torch.cuda.is_available():
        lines.append("GPU: no CUDA device; 512 px in real time and the `paper` preset need one")
    if not has_fast_bf16():
        lines.append("bf16: this processor has neither avx512_bf16 nor AMX; networks run in fp32")
    return lines


def missing_codecs() -> list[str]:
    """Codecs that PyAV was built without: x264 writes videos, H.264 and VP9 are what clips come in."""
    try:
        import av
    except ImportError as error:
        return [f"PyAV: {error}; no video can be read or written"]
    uses = (("libx264", "w", "videos cannot be written"), ("h264", "r", "most clips cannot be read"))
    lines = []
    for name, mode, consequence in uses:
        try:
            av.Codec(name, mode)  # type: ignore[arg-type]
        except ValueError:
            lines.append(f"PyAV: built without {name}: {consequence}")
    return lines
