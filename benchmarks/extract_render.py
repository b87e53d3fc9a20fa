"""Times extract (H and Δ, once a frame at the sender) and render (T, M, warp, G, once a frame at the receiver).

    python benchmarks/extract_render.py [--frames 200] [--threads N] [--weights FOLDER | --preset tiny] [--json]

Wall milliseconds p50 and p95, CPU milliseconds (all threads), and GMAC counted by torch's own counter. Timed
outputs are compared with the plain networks on the same input, outside the clock; a difference over the bound is an
error.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from models.geometry import HeadMotion
from models.renderer import Renderer
from models.weights import Model, build_model, load_model

PORTRAIT = Path(__file__).parents[1] / "replay" / "assets" / "portrait.jpg"
WARM_UP = 10
LARGEST_DIFFERENCE = 0.02  # of a picture in [0,1], and of a keypoint in crop units: room for bf16, not for a wrong net


@dataclass(frozen=True)
class Timing:
    """One stage on this machine, a frame."""

    p50_ms: float
    p95_ms: float
    cpu_ms: float
    gmac: float
    largest_difference: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its table or JSON."""
    options = _parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device
    model = build_model(options.preset) if options.preset else load_model(options.weights, device)
    model.networks.to(device)
    stages = measure(model, options.frames)
    result = {
        "stages": {name: asdict(timing) for name, timing in stages.items()},
        "frames": options.frames,
        "preset": model.config.preset,
        "size_px": model.config.size,
        "machine": describe_machine(model.device),
    }
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        Console().print(_table(result))


def measure(model: Model, frames: int) -> dict[str, Timing]:
    """Time and check both stages over `frames` frames of a head that turns and talks."""
    image = load_portrait(model.config.size)
    x_c = model.canonical(image)
    motions = [_moved(model.extract(image, x_c).motion, frame / 25) for frame in range(frames)]
    images = [(image + 0.01 * np.sin(frame)).clamp(0, 1) for frame in range(frames)]
    renderer = Renderer(model)
    renderer.set_source(image)

    def extract(frame: int) -> Tensor:
        return _keypoint_numbers(model.extract(images[frame], x_c).motion)

    def render(frame: int) -> Tensor:
        return renderer.render(motions[frame])

    return {
        "extract": _time(extract, _plain_extract(model, images, x_c), frames),
        "render": _time(render, _plain_render(model, image, motions), frames),
    }


def _time(run: Callable[[int], Tensor], plain: Callable[[int], Tensor], frames: int) -> Timing:
    """Time `run` over all frames; compare some of its results, first and last among them, with `plain`'s."""
    for frame in range(min(WARM_UP, frames)):
        run(frame)
    wall_ms, cpu_ms = [], []
    checked = {0, frames // 3, 2 * frames // 3, frames - 1}
    differences = []
    for frame in range(frames):
        _synchronise()
        cpu, wall = time.process_time(), time.perf_counter()
        result = run(frame)
        _synchronise()
        wall_ms.append((time.perf_counter() - wall) * 1e3)
        cpu_ms.append((time.process_time() - cpu) * 1e3)
        if frame in checked:
            differences.append(float((result.float() - plain(frame).float()).abs().max()))
    largest = float(np.max(differences))  # unlike max(), keeps NaN
    if not largest <= LARGEST_DIFFERENCE:  # so that NaN is an error, too
        raise SystemExit(f"expected the plain networks' output to within {LARGEST_DIFFERENCE}, got {largest:.4f} off")
    p50, p95 = (round(float(np.percentile(wall_ms, share)), 2) for share in (50, 95))
    return Timing(p50, p95, round(float(np.mean(cpu_ms)), 2), round(_count_gmac(lambda: run(0)), 3), largest)


def _plain_extract(model: Model, images: Sequence[Tensor], x_c: Tensor) -> Callable[[int], Tensor]:
    @torch.no_grad()
    def run(frame: int) -> Tensor:
        return _keypoint_numbers(model.networks.extractor(images[frame].to(model.device), x_c).motion)

    return run


def _plain_render(model: Model, image: Tensor, motions: Sequence[HeadMotion]) -> Callable[[int], Tensor]:
    networks = model.networks
    image = image.to(model.device)

    @torch.no_grad()
    def run(frame: int) -> Tensor:
        x_c = networks.canonical(image)
        source = networks.place(x_c, networks.extractor(image, x_c).motion)
        picture: Tensor = networks.draw(networks.appearance(image), source, networks.place(x_c, motions[frame])).image
        return picture.clamp(0, 1)

    return run


def _keypoint_numbers(motion: HeadMotion) -> Tensor:
    """What extract says, with angles in half turns so that one bound fits all: [B,3K+6]."""
    angles = torch.stack((motion.yaw_deg, motion.pitch_deg, motion.roll_deg), -1) / 180
    return torch.cat((angles, motion.t, motion.delta.flatten(1)), -1)


def _moved(motion: HeadMotion, at_s: float) -> HeadMotion:
    """The portrait's own motion, turning by up to 20 degrees and opening its mouth."""
    turn, nod = 20 * np.sin(2 * at_s), 8 * np.sin(3 * at_s)
    delta = motion.delta.clone()
    delta[:, -1, 1] += 0.03 * (1 + np.sin(9 * at_s))
    return motion._replace(yaw_deg=motion.yaw_deg + turn, pitch_deg=motion.pitch_deg + nod, delta=delta)


def load_portrait(size: int) -> Tensor:
    """The repository's portrait as [1,3,size,size] RGB in [0,1]."""
    bgr = cv2.imread(str(PORTRAIT))
    if bgr is None:
        raise SystemExit(f"expected the portrait {PORTRAIT}, found none")
    rgb = cv2.cvtColor(cv2.resize(bgr, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255


def _count_gmac(run: Callable[[], Any]) -> float:
    """Multiply-adds of convolutions and matrix products in 1e9 (sampling and activations are not counted)."""
    with FlopCounterMode(display=False) as counter:
        run()
    return float(counter.get_total_flops() / 2e9)


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def describe_machine(device: torch.device) -> dict[str, Any]:
    """What the figures hang on."""
    on_gpu = device.type == "cuda"
    return {
        "processor": torch.cuda.get_device_name(device) if on_gpu else _processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _table(result: dict[str, Any]) -> Table:
    machine = result["machine"]
    title = f"{result['preset']}, {result['size_px']} px, {machine['threads']} threads, {machine['processor']}"
    table = Table("stage", "p50 ms", "p95 ms", "CPU ms", "GMAC", "off by", title=title)
    for name, timing in result["stages"].items():
        times = (f"{timing[key]:.2f}" for key in ("p50_ms", "p95_ms", "cpu_ms", "gmac"))
        table.add_row(name, *times, f"{timing['largest_difference']:.1e}")
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time extract and render on this machine.")
    parser.add_argument("--frames", type=int, default=200, help="frames to time (default 200)")
    parser.add_argument("--threads", type=int, default=0, help="torch threads (default: torch's own choice)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--weights", type=Path, help="folder of the weights (default: the shipped ones)")
    parser.add_argument("--preset", help="random weights of this preset instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    if options.frames < 1:
        parser.error(f"expected at least one frame, got {options.frames}")
    return options


if __name__ == "__main__":
    main()
