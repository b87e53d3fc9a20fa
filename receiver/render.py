"""Motion becomes a picture. With sender/extract.py the only place that knows both tensors and Motion."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codec.motion import Motion
from models.geometry import HeadMotion
from models.renderer import Renderer
from models.runtime.cuda_graph import HostCopies
from models.view import FreeView, load_limits, neck_of
from models.weights import Model
from receiver.errors import ViewError
from receiver.look import Look, Turn
from receiver.show import Image
from signaling.stages import StageTimes

T = TypeVar("T")


class FaceRenderer:
    """Runs the renderer in one thread of its own, so that the event loop never waits for it.

    Raises ViewError for a size that the model does not render at.
    """

    def __init__(self, model: Model, times: StageTimes | None = None, look: Look | None = None) -> None:
        self._look = look or Look()
        try:
            self._renderer = Renderer(model, self._look.size)
        except ValueError as error:
            raise ViewError(f"--{error}") from None
        self._limits, self._neck = load_limits(model), neck_of(model)
        self._free_view: FreeView | None = None
        self._keypoints = model.config.keypoints
        self._times = times or StageTimes("render")
        self._copies = HostCopies()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")

    async def set_source(self, picture: Image) -> None:
        """Take the source picture uint8 RGB [P,P,3], P the model's size or twice that, and render once: the first time
        is slow.
        """
        await self.in_thread(lambda: self.set_source_now(picture))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in the renderer's thread, after what it has to do already."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def render_now(self, motion: Motion) -> Image:
        """Render a frame here and now, in the caller's thread: uint8 RGB [S,S,3]."""
        with self._times.measure("render"):
            head = to_head_motion(motion)
            view = self._free_view(head, motion.capture_time_s) if self._free_view else None
            return to_image(self._renderer.render(head, view), self._copies)

    def set_source_now(self, picture: Image) -> None:
        """Do the same as `set_source` here and now, in the caller's thread."""
        self._renderer.set_source(to_tensor(picture))
        if self._look.free:
            look = self._look
            R_s = self._renderer.source_rotation
            self._free_view = FreeView(look.view_deg, look.frontalise, self._limits, R_s, self._neck)
        delta = np.zeros((self._keypoints, 3), np.float32)
        still = Motion(0.0, 0.0, 0.0, np.zeros(3, np.float32), delta, 0.0)
        self._renderer.render(to_head_motion(still))

    @property
    def canonical(self) -> NDArray[np.float32]:
        """Canonical keypoints x_c [K,3] of the source picture. RuntimeError before the first `set_source`."""
        return self._renderer.canonical.float().cpu().numpy()

    @property
    def source_rotation(self) -> NDArray[np.float64]:
        """Pose [3,3] of the head in the source picture. RuntimeError before the first `set_source`."""
        return np.asarray(self._renderer.source_rotation.cpu().numpy(), np.float64)

    def look_from(self, view_deg: Turn, frontalise: bool) -> None:
        """Look from another place from the next frame on, in the caller's thread, which must be the one that renders.

        Raises RuntimeError before the first `set_source`.
        """
        look = Look(view_deg, frontalise, self._look.size)
        if self._free_view is None or frontalise != self._look.frontalise or not look.free:
            R_s = self._renderer.source_rotation
            view = FreeView(view_deg, frontalise, self._limits, R_s, self._neck)
            self._free_view = view if look.free else None
        else:
            self._free_view.turn_to(view_deg)
        self._look = look

    def close(self) -> None:
        """Wait for the frame under way and end the thread."""
        self._thread.shutdown()


def to_tensor(picture: Image) -> Tensor:
    """Turn uint8 RGB [S,S,3] into float RGB [1,3,S,S] in [0,1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


def to_image(rendered: Tensor, copies: HostCopies | None = None) -> Image:
    """Turn float RGB [1,3,S,S] in [0,1] into uint8 RGB [S,S,3], rounded."""
    scaled = (rendered[0].permute(1, 2, 0) * 255).round_().clamp_(0, 255).to(torch.uint8)
    if copies is None:
        return np.asarray(scaled.cpu().numpy(), np.uint8)
    on_gpu = scaled.device.type == "cuda"  # then it lies in memory that later frames overwrite
    return np.array(copies.to_host(scaled).numpy(), np.uint8, copy=on_gpu or None)


def to_head_motion(motion: Motion) -> HeadMotion:
    """Turn what travels into the networks' motion, a batch of 1."""
    numbers = torch.from_numpy(motion.as_vector())[None]  # [1, 3K+6]
    yaw_deg, pitch_deg, roll_deg = numbers[:, :3].unbind(1)
    return HeadMotion(yaw_deg, pitch_deg, roll_deg, numbers[:, 3:6], numbers[:, 6:].reshape(1, -1, 3))
