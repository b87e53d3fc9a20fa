"""The receiver's half of a model: one source image once, then one picture a motion."""

from typing import Any

import torch
from torch import Tensor

from models.config import ModelConfig
from models.geometry import HeadMotion, View, fill_tail
from models.interface import Keypoints
from models.resize import resize
from models.sharpen import load_sharpen
from models.weights import Model


def picture_sizes(model: Model) -> tuple[int, ...]:
    """Sides in px of the pictures that a model renders: its own, and in `compact` twice that."""
    size = model.config.size
    return (size, 2 * size) if isinstance(model.config, ModelConfig) else (size,)


class Renderer:
    """`set_source(image)` runs F and L once; `render(motion, view)` runs T, M, the warp and G, nothing else.

    size: side S of the pictures, the model's own or, with `compact`, twice that: the networks work at their size, the
    source image itself is warped at S and G's colours and mask are brought up to it. Raises ValueError for others.
    sharpen: whether the sharpening network goes over those, where the model has one.
    """

    def __init__(self, model: Model, size: int | None = None, sharpen: bool = True) -> None:
        self._networks = model.networks
        self._device = model.device
        self._own_size = model.config.size
        self._size = size or self._own_size
        sizes = picture_sizes(model)
        if self._size not in sizes:
            raise ValueError(f"size: expected {' or '.join(map(str, sizes))} px for this model, got {size}")
        self._sharpen = load_sharpen(model) if sharpen and self._size != self._own_size else None
        self._appearance: Any = None  # what F gives, each preset its own
        self._x_c: Tensor | None = None
        self._source: Keypoints | None = None
        self._runner = model.runners.get("render") if self._size == self._own_size else None
        self._fixed: tuple[Tensor, ...] = ()  # what the runner takes of a source

    @torch.inference_mode()
    def set_source(self, image: Tensor) -> None:
        """Take a source image [1,3,P,P] RGB in [0,1], P the model's size or twice that. Raises ValueError for another
        shape.
        """
        expected = [(1, 3, side, side) for side in (self._own_size, 2 * self._own_size)]
        if tuple(image.shape) not in expected:
            raise ValueError(f"source image: expected shape {expected[0]} or {expected[1]}, got {tuple(image.shape)}")
        given = image.to(self._device)
        image = resize(given, self._own_size)
        self._appearance = self._networks.appearance(image)
        if self._size != self._own_size:
            self._appearance = self._appearance._replace(image=resize(given, self._size))
        self._x_c = self._networks.canonical(image)
        self._source = self._networks.place(self._x_c, self._networks.extractor(image, self._x_c).motion)
        self._fixed = (*self._appearance, *self._source)
        if self._runner is not None:
            self._x_c = self._x_c.cpu()  # where T then runs: small sums, no launch on a GPU for each

    @property
    def source_rotation(self) -> Tensor:
        """Pose R_s [3,3] of the head in the source image. Raises RuntimeError before the first `set_source`."""
        if self._source is None:
            raise RuntimeError("source_rotation: expected set_source to be called first")
        return self._source.R[0]

    @property
    def canonical(self) -> Tensor:
        """Canonical keypoints x_c [K,3] of the source image. Raises RuntimeError before the first `set_source`."""
        if self._x_c is None:
            raise RuntimeError("canonical: expected set_source to be called first")
        return self._x_c[0]

    @torch.inference_mode()
    def render(self, motion: HeadMotion, view: View | None = None) -> Tensor:
        """The source's face under `motion` (batch 1), seen from `view`: [1,3,S,S] in [0,1].

        A delta of fewer keypoints than the model's is a prefix of them. Raises RuntimeError before the first
        `set_source`, ValueError for more keypoints.
        """
        if self._appearance is None or self._x_c is None or self._source is None:
            raise RuntimeError("render: expected set_source to be called first")
        motion = fill_tail(motion, self._networks.config.keypoints)
        if self._runner is not None:
            return self._runner(self._fixed, tuple(self._networks.place(self._x_c, motion, view)))
        motion = HeadMotion(*(part.to(self._device) for part in motion))
        view = View(*(part.to(self._device) for part in view)) if view else None
        driving = self._networks.place(self._x_c, motion, view)
        picture = self._networks.draw(self._appearance, self._source, driving)
        image = self._sharpen(picture) if self._sharpen else picture.image
        return image.clamp(0.0, 1.0)
