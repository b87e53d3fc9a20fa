"""H and Δ: a crop becomes Motion. With receiver/render.py the only place that knows both tensors and Motion."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codec.motion import Motion
from models.config import ModelConfig
from models.geometry import HeadMotion
from models.resize import resize
from models.weights import Model
from sender.camera import Image
from sender.crop_follow import Drift
from signaling.stages import StageTimes


@dataclass(frozen=True)
class Extracted:
    """Motion of one frame and how surely its crop holds one face of the right size, in [0,1]."""

    motion: Motion
    face_score: float


class Extractor:
    """Runs the networks in one thread of its own, so that the event loop never waits for them."""

    def __init__(self, model: Model, times: StageTimes | None = None) -> None:
        self._model = model
        self._x_c: Tensor | None = None
        self._source: Tensor | None = None
        self._home: Motion | None = None
        self._times = times or StageTimes("extract")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="extract")

    def set_source(self, picture: Image) -> None:
        """Take the source picture uint8 RGB [P,P,3] as the receiver has it, P the model's size or twice that: delta is
        told against its shape (L).
        """
        self._source = resize(to_tensor(picture), self._model.config.size)
        self._x_c, self._home = self._model.canonical(self._source), None

    @property
    def canonical(self) -> NDArray[np.float32]:
        """Canonical keypoints x_c [K,3] of the source picture. RuntimeError before the first `set_source`."""
        if self._x_c is None:
            raise RuntimeError("canonical: expected set_source to be called first")
        return self._x_c[0].cpu().numpy()

    async def extract(self, crop: Image, capture_time_s: float) -> Extracted:
        """Find the motion in a crop uint8 RGB [S,S,3], S the model's size."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.extract_now, crop, capture_time_s)

    def extract_now(self, crop: Image, capture_time_s: float) -> Extracted:
        """Do the same here and now, in the caller's thread; a picture of twice the size is taken down first.

        Raises RuntimeError before the first `set_source`.
        """
        if self._x_c is None:
            raise RuntimeError("extract: expected set_source to be called first")
        with self._times.measure("extract"):
            found = self._model.extract(resize(to_tensor(crop), self._model.config.size), self._x_c)
            return Extracted(to_motion(found.motion, capture_time_s), float(found.face_score))

    def drift(self, motion: Motion) -> Drift:
        """Where a motion's head is against where it is in the source picture. RuntimeError before `set_source`.

        In the model's units half a side is 1; only models whose t_z is a logarithm of the size tell that apart.
        """
        if self._source is None or self._x_c is None:
            raise RuntimeError("drift: expected set_source to be called first")
        if self._home is None:
            self._home = to_motion(self._model.extract(self._source, self._x_c).motion, 0.0)
        x, y, size = (float(part) for part in motion.t - self._home.t)
        return Drift(x / 2, y / 2, size if isinstance(self._model.config, ModelConfig) else 0.0)

    def face_score(self, crop: Image) -> float:
        """How surely H sees a face in a crop uint8 RGB [S,S,3], before there is a source picture."""
        image = to_tensor(crop)
        return float(self._model.extract(image, self._model.canonical(image)).face_score)

    def close(self) -> None:
        """Wait for the frame under way and end the thread."""
        self._thread.shutdown()


def to_tensor(crop: Image) -> Tensor:
    """Turn uint8 RGB [S,S,3] into float RGB [1,3,S,S] in [0,1]."""
    return torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)[None].float() / 255


def to_motion(motion: HeadMotion, capture_time_s: float) -> Motion:
    """Turn the networks' motion (batch of 1) into what travels."""
    return Motion(
        yaw_deg=float(motion.yaw_deg[0]),
        pitch_deg=float(motion.pitch_deg[0]),
        roll_deg=float(motion.roll_deg[0]),
        t=motion.t[0].cpu().numpy(),
        delta=motion.delta[0].cpu().numpy(),
        capture_time_s=capture_time_s,
    )
