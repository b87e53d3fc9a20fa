"""`facewire train-finder`: trains the face finder on pictures that are composed as they are needed.

Half an hour of one core is enough. The state (DIR/finder-state.safetensors) is written every two minutes and at the
end, `--resume` goes on from it; DIR/weights holds the averaged weights.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from torch import Tensor
from torch.optim import AdamW

from models.face_finder import FinderConfig, FinderNetwork
from models.face_finder_weights import save_finder
from models.training.checkpoint import MovingAverage, load_state, save_state
from models.training.errors import DataError
from models.training.finder_faces import load_people
from models.training.finder_loss import Targets, finder_loss, targets_of
from models.training.finder_pictures import Boxes, Composer, Composite

RATE = 2e-3
KEPT = 2048
"""Composed pictures that are kept: half of a batch is new, half is drawn from them and mirrored by chance."""
SAVE_EVERY_S = 120.0
HEAT_RAISED = 0.3
"""Added to the logit of the heat after training, so that callers can ask for 0.5: at 0.43 of the scores as learned real
faces with hats, or half turned away, are still found, and a crop is confirmed by H before it is sent."""


class Batches:
    """Batches of composed pictures with their targets."""

    def __init__(self, composer: Composer, size: int, seed: int) -> None:
        self._composer = composer
        self._size = size
        self._random = np.random.default_rng(seed)
        self._kept: list[Composite] = []

    def draw(self, number: int) -> tuple[Tensor, Targets]:
        """Draw pictures [B,3,S,S] in [0,1] and their targets."""
        fresh = [self._composer.draw() for _ in range(number - min(number // 2, len(self._kept)))]
        again = (self._kept[int(self._random.integers(len(self._kept)))] for _ in range(number - len(fresh)))
        drawn = fresh + [self._seen_again(one) for one in again]
        self._kept = (self._kept + fresh)[-KEPT:]
        pictures = torch.from_numpy(np.stack([one.picture for one in drawn])).permute(0, 3, 1, 2).float() / 255
        return pictures, targets_of([one.boxes for one in drawn], self._size)

    def _seen_again(self, one: Composite) -> Composite:
        picture, boxes = one.picture, one.boxes
        if self._random.random() < 0.5:
            picture, boxes = picture[:, ::-1], mirror(boxes, self._size)
        light = np.clip(np.arange(256) * self._random.uniform(0.8, 1.2) + self._random.uniform(-15, 15), 0, 255)
        return Composite(np.asarray(cv2.LUT(np.ascontiguousarray(picture), light.astype(np.uint8)), np.uint8), boxes)


def mirror(boxes: Boxes, size: int) -> Boxes:
    """Boxes [n,4] (left, top, right, bottom) in the mirrored picture of `size` pixels."""
    return boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32) + np.array([size, 0, size, 0], np.float32)


def rate_at(progress: float, step: int) -> float:
    """Learning rate: 50 steps of warm-up, then a cosine from RATE to a hundredth of it."""
    return RATE * min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, progress)))))


def train_finder(
    data: Annotated[Path, typer.Option(help="Folder made by `facewire prepare`.")],
    out: Annotated[Path, typer.Option(help="Folder for state and weights.")],
    minutes: Annotated[float | None, typer.Option(help="Training time, over all runs.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps instead of minutes.")] = None,
    batch: Annotated[int, typer.Option(help="Pictures a step.")] = 32,
    split: Annotated[str, typer.Option(help="Splits to train on, comma between.")] = "train,stills",
    resume: Annotated[bool, typer.Option(help="Go on from the state in --out.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and pictures.")] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Train the face finder: faces of any size, place and tilt, on any background, or none at all."""
    if (minutes is None) == (steps is None):
        raise DataError("expected --minutes or --steps, one of them")
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    network = FinderNetwork(FinderConfig())
    out.mkdir(parents=True, exist_ok=True)
    reached = _train(network, data, out, minutes, steps, batch, split.split(","), resume, seed)
    with torch.no_grad():
        network.heat.bias.add_(HEAT_RAISED)  # type: ignore[union-attr]
    about = {
        "source": "facewire train-finder",
        "licence": "as the clips",
        "training": {"steps": reached, "pictures": reached * batch, "splits": split.split(",")},
    }
    typer.echo(f"weights: {save_finder(network.eval(), out / 'weights', about)}")


def _train(
    network: FinderNetwork,
    data: Path,
    out: Path,
    minutes: float | None,
    steps: int | None,
    batch: int,
    splits: Sequence[str],
    resume: bool,
    seed: int,
) -> int:
    """Train until time or steps are over and leave the averaged weights in `network`; returns the steps done."""
    state = out / "finder-state.safetensors"
    optimizer = AdamW(network.parameters(), RATE, weight_decay=1e-4)
    average, generator = MovingAverage(network, 0.998), torch.Generator()
    step, before_s = 0, 0.0
    if resume:
        numbers = load_state(state, network, average, optimizer, generator)
        step, before_s = int(numbers["step"]), float(numbers["elapsed_s"])
    people = load_people(data, splits)
    size = network.config.size
    batches = Batches(Composer(people, size, seed + step), size, seed + step)
    network.train()
    began_s = saved_s = time.monotonic()
    total = 0.0

    def save() -> None:
        elapsed_s = before_s + time.monotonic() - began_s
        save_state(state, network, average, optimizer, generator.get_state(), {"step": step, "elapsed_s": elapsed_s})

    while True:
        elapsed_s = before_s + time.monotonic() - began_s
        progress = step / steps if steps else elapsed_s / (60 * (minutes or 1.0))
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate_at(progress, step)
        pictures, target = batches.draw(batch)
        loss = finder_loss(network(pictures), target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network)
        total += loss.item()
        step += 1
        if step % 50 == 0:
            typer.echo(f"step {step}, {elapsed_s:.0f} s: loss {total / 50:.3f}")
            total = 0.0
        if time.monotonic() - saved_s > SAVE_EVERY_S:
            save()
            saved_s = time.monotonic()
    save()
    network.load_state_dict(average.state)
    return step
