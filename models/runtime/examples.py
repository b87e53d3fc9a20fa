"""Real frames to measure with: the repository's portrait, as it is moved by a head that turns and talks."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from models.geometry import HeadMotion
from models.runtime.base import Graph
from models.runtime.graphs import extract_graph, render_graph
from models.weights import Model

PORTRAIT = Path(__file__).parents[2] / "replay" / "assets" / "portrait.jpg"
FRAMES = 4


@torch.inference_mode()
def example(model: Model, path: str) -> tuple[Graph, list[tuple[Tensor, ...]]]:
    """The graph of `path` ("extract" or "render") for the portrait, and the inputs of a few frames."""
    image = portrait(model.config.size).to(model.device)
    x_c = model.networks.canonical(image)
    if path == "extract":
        frames: list[tuple[Tensor, ...]] = [(filmed(image, step),) for step in range(FRAMES)]
        return extract_graph(model.networks, x_c, image), frames
    own = model.networks.extractor(image, x_c).motion
    # T runs on the CPU, as in Renderer
    x_c, own = x_c.cpu(), HeadMotion(*(part.cpu() for part in own))
    poses: list[tuple[Tensor, ...]] = [tuple(model.networks.place(x_c, moved(own, step / 3))) for step in range(FRAMES)]
    source = model.networks.place(x_c, own)
    graph = render_graph(model.networks, model.networks.appearance(image), source, source)
    return graph, poses


def portrait(size: int) -> Tensor:
    """The portrait as [1,3,size,size] RGB in [0,1]; without the file, a picture of smooth noise."""
    bgr = cv2.imread(str(PORTRAIT)) if PORTRAIT.is_file() else None
    if bgr is None:
        bgr = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    enlarged = bgr.shape[0] < size
    bgr = cv2.resize(bgr, (size, size), interpolation=cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA)
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].float().div(255).contiguous()


def filmed(image: Tensor, step: int) -> Tensor:
    """The portrait as another frame of a camera: a few pixels aside, a little darker or lighter."""
    aside = torch.roll(image, (step, -2 * step), (2, 3))
    return (aside * (1.0 - 0.04 * step) + 0.01 * step).clamp(0.0, 1.0).contiguous()


def moved(motion: HeadMotion, at_s: float) -> HeadMotion:
    """The portrait's own motion, turning by up to 20 degrees and opening its mouth."""
    turn, nod = 20 * float(np.sin(2 * at_s)), 8 * float(np.sin(3 * at_s))
    delta = motion.delta.clone()
    delta[:, -1, 1] += 0.03 * (1 + float(np.sin(9 * at_s)))
    return motion._replace(yaw_deg=motion.yaw_deg + turn, pitch_deg=motion.pitch_deg + nod, delta=delta)
