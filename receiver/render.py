"""Motion becomes a picture. With sender/extract.py the only place that knows both tensors and Motion."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from codec.motion import Motion
from models.geometry import HeadMotion
from models.renderer import Renderer
from models.weights import Model
from receiver.show import Image
from signaling.stages import StageTimes

T = TypeVar("T")


class FaceRenderer:
    """Runs the renderer in one thread of its own, so that the event loop never waits for it."""

    def __init__(self, model: Model, times: StageTimes | None = None) -> None:
        self._renderer = Renderer(model)
        self._keypoints = model.config.keypoints
        self._times = times or StageTimes("render")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")

    async def set_source(self, picture: Image) -> None:
        """Take the source picture uint8 RGB [S,S,3], S the model's size, and render once: the first time is slow."""
        await self.in_thread(lambda: self._set_source(picture))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in the renderer's thread, after what it has to do already."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def render_now(self, motion: Motion) -> Image:
        """Render a frame here and now, in the caller's thread: uint8 RGB [S,S,3]."""
        with self._times.measure("render"):
            return to_image(self._renderer.render(to_head_motion(motion)))

    def _set_source(self, picture: Image) -> None:
        self._renderer.set_source(to_tensor(picture))
        delta = np.zeros((self._keypoints, 3), np.float32)
        still = Motion(0.0, 0.0, 0.0, np.zeros(3, np.float32), delta, 0.0)
        self._renderer.render(to_head_motion(still))

    def close(self) -> None:
        """Wait for the frame under way and end the thread."""
        self._thread.shutdown()


def to_tensor(picture: Image) -> Tensor:
    """Turn uint8 RGB [S,S,3] into float RGB [1,3,S,S] in [0,1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def to_image(rendered: Tensor) -> Image:
    """Turn float RGB [1,3,S,S] in [0,1] into uint8 RGB [S,S,3], rounded."""
    scaled = (rendered[0].permute(1, 2, 0) * 255).round_().clamp_(0, 255).to(torch.uint8)
    return np.asarray(scaled.cpu().numpy(), np.uint8)


def to_head_motion(motion: Motion) -> HeadMotion:
    """Turn what travels into the networks' motion, a batch of 1."""
    numbers = torch.from_numpy(motion.as_vector())[None]  # [1, 3K+6]
    yaw_deg, pitch_deg, roll_deg = numbers[:, :3].unbind(1)
    return HeadMotion(yaw_deg, pitch_deg, roll_deg, numbers[:, 3:6], numbers[:, 6:].reshape(1, -1, 3))
