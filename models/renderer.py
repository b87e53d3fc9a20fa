"""The receiver's half of a model: one source image once, then one picture a motion."""

import torch
from torch import Tensor

from models.appearance import Appearance
from models.geometry import HeadMotion, View
from models.networks import Keypoints
from models.weights import Model


class Renderer:
    """`set_source(image)` runs F and L once; `render(motion, view)` runs T, M, the warp and G, nothing else."""

    def __init__(self, model: Model) -> None:
        self._networks = model.networks
        self._device = model.device
        self._size = model.config.size
        self._appearance: Appearance | None = None
        self._x_c: Tensor | None = None
        self._source: Keypoints | None = None

    @torch.inference_mode()
    def set_source(self, image: Tensor) -> None:
        """Take a source image [1,3,S,S] RGB in [0,1], S the model's size. Raises ValueError for another shape."""
        expected = (1, 3, self._size, self._size)
        if tuple(image.shape) != expected:
            raise ValueError(f"source image: expected shape {expected}, got {tuple(image.shape)}")
        image = image.to(self._device)
        self._appearance = self._networks.appearance(image)
        self._x_c = self._networks.canonical(image)
        self._source = self._networks.place(self._x_c, self._networks.extractor(image, self._x_c).motion)

    @torch.inference_mode()
    def render(self, motion: HeadMotion, view: View | None = None) -> Tensor:
        """The source's face under `motion` (batch 1), seen from `view`: [1,3,S,S] in [0,1].

        Raises RuntimeError before the first `set_source`.
        """
        if self._appearance is None or self._x_c is None or self._source is None:
            raise RuntimeError("render: expected set_source to be called first")
        motion = HeadMotion(*(part.to(self._device) for part in motion))
        driving = self._networks.place(self._x_c, motion, view)
        return self._networks.draw(self._appearance, self._source, driving).image.clamp(0.0, 1.0)
