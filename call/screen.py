"""The other side's face: the motion of the moment, rendered again and again in one thread, as often as it manages.

A picture to render from is prepared in that thread while the one before it is still in use, and used from the capture
time on that its sender names. Nothing jumps: motion that is told against the new picture's shape is told against one
shape for the whole call as it comes, so that the way between two frames is none between two shapes, and for BLEND_S
the two pictures are rendered both and blended.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

import cv2
import numpy as np

from call.memory import give_back
from codec.motion import Motion
from models.placing import Points, retell
from models.renderer import picture_sizes
from models.weights import Model
from receiver.errors import SourceError, ViewError
from receiver.look import Look
from receiver.render import FaceRenderer
from receiver.show import Image
from receiver.smooth import Smoother
from receiver.source import decode_source
from signaling.stages import StageTimes

T = TypeVar("T")
MOST_PREPARED: Final = 3
EASE_S: Final = 0.12
"""In which the view follows the mouse."""
BLEND_S: Final = 0.4
"""In which one source picture gives way to another."""
SAME_S: Final = 1e-4


class _Change(NamedTuple):
    from_s: float
    sha256: str


class _Fading(NamedTuple):
    renderer: FaceRenderer
    began_s: float


class Screen:
    """Shows one call, over all of its connections."""

    def __init__(
        self,
        model: Model,
        show: Callable[[Image, float], None],
        frame_rate: float = 30.0,
        size: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: show: takes uint8 RGB [S,S,3] and its capture time in seconds, in the render thread. size: S, None for
        the model's own. Raises ViewError for a size that the model does not render at.
        """
        sizes = picture_sizes(model)
        if size is not None and size not in sizes:
            raise ViewError(f"--size: expected {' or '.join(map(str, sizes))} px for this model, got {size}")
        self.times = StageTimes("render")
        self.frames = 0
        self.first_s: float | None = None
        """When the first picture was shown, by `now`."""
        self.smoother: Smoother | None = None
        """The motion of the present connection; None: the last picture stays."""
        self._model = model
        self._show = show
        self._period_s = 1.0 / frame_rate
        self._size = size
        self._now = now
        self._prepared: dict[str, FaceRenderer] = {}
        self._changes: list[_Change] = []
        self._used: list[tuple[float, Points]] = []
        """The shapes that motion is told against: from when on, canonical keypoints."""
        self._shape: Points | None = None
        """The one that all motion on its way to the screen is told against."""
        self._fading: _Fading | None = None
        self._current: FaceRenderer | None = None
        self.current_sha256: str | None = None
        self._look = Look(size=size)
        self._view = (0.0, 0.0)
        self._last: tuple[Motion, tuple[float, float], bool, str | None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="render")

    def look(self, yaw_deg: float, pitch_deg: float, frontalise: bool) -> None:
        """Turn the face, from the next picture on; the way there is smooth."""
        self._look = Look((yaw_deg, pitch_deg, 0.0), frontalise, self._size)

    @property
    def frontalise(self) -> bool:
        """Whether the face is turned to the viewer."""
        return self._look.frontalise

    @property
    def view_deg(self) -> tuple[float, float]:
        """The turn that is asked for: yaw, pitch."""
        return self._look.view_deg[0], self._look.view_deg[1]

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in the render thread, between two pictures."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def prepare(self, picture: bytes, mime: str, sha256: str) -> None:
        """Get ready to render from a picture. Raises SourceError."""
        if sha256 in self._prepared:
            return
        renderer = await self.in_thread(lambda: self._make_renderer(picture, mime))
        self._prepared[sha256] = renderer
        for old in [known for known in self._prepared if known != self.current_sha256][: -MOST_PREPARED + 1]:
            del self._prepared[old]

    def _make_renderer(self, picture: bytes, mime: str) -> FaceRenderer:
        image = decode_source(picture, mime, self._model.config.size)
        renderer = FaceRenderer(self._model, self.times, Look(size=self._size))
        renderer.set_source_now(image)
        give_back()
        return renderer

    def use(self, sha256: str, from_s: float) -> None:
        """Render frames captured from `from_s` on from a prepared picture. Raises SourceError for an unknown one."""
        if sha256 not in self._prepared:
            raise SourceError(f"expected the use of a source picture that was sent, got {sha256[:12]}")
        self._changes = sorted([*self._changes, _Change(from_s, sha256)])
        told = self._prepared[sha256].canonical
        self._shape = told if self._shape is None else self._shape
        self._used = [*self._used, (from_s, told)][-MOST_PREPARED:]

    def retell(self, motion: Motion) -> Motion:
        """Tell motion that has just come against the screen's one shape; its time is the screen's."""
        told = next((x_c for from_s, x_c in reversed(self._used) if motion.capture_time_s >= from_s - SAME_S), None)
        if told is None or self._shape is None or told is self._shape:
            return motion
        return retell(motion, told, self._shape)

    async def run(self) -> None:
        """Show pictures until cancelled."""
        due_s = self._now()
        while True:
            due_s = max(due_s + self._period_s, self._now())
            await asyncio.sleep(max(0.0, due_s - self._now()))
            await self._show_one()

    async def _show_one(self) -> None:
        shown = self.smoother.sample(self._now()) if self.smoother else None
        if shown is None:
            return
        self._change(shown.motion.capture_time_s)
        self._ease()
        state = (shown.motion, self._view, self._look.frontalise, self.current_sha256)
        fading = self._still_fading()
        if self._current is None or (state == self._last and fading is None):
            return
        self._last = state
        renderer = self._current
        await self.in_thread(lambda: self._render(renderer, shown.motion, fading))
        self.frames += 1
        self.first_s = self._now() if self.first_s is None else self.first_s

    def _still_fading(self) -> _Fading | None:
        if self._fading is not None and self._now() - self._fading.began_s >= BLEND_S:
            self._fading = None
        return self._fading

    def _render(self, renderer: FaceRenderer, motion: Motion, fading: _Fading | None) -> None:
        image = self._draw(renderer, motion)
        if fading is not None:
            share = min(max((self._now() - fading.began_s) / BLEND_S, 0.0), 1.0)
            share = share * share * (3 - 2 * share)
            before = self._draw(fading.renderer, motion)
            image = np.asarray(cv2.addWeighted(image, share, before, 1 - share, 0), np.uint8)
        self._show(image, motion.capture_time_s)

    def _draw(self, renderer: FaceRenderer, motion: Motion) -> Image:
        assert self._shape is not None
        renderer.look_from((*self._view, 0.0), self._look.frontalise)
        return renderer.render_now(retell(motion, self._shape, renderer.canonical))

    def _change(self, capture_s: float) -> None:
        while self._changes and (self._current is None or capture_s >= self._changes[0].from_s - SAME_S):
            sha256 = self._changes.pop(0).sha256
            if self._current is not None and sha256 != self.current_sha256:
                self._fading = _Fading(self._current, self._now())
            self._current, self.current_sha256 = self._prepared[sha256], sha256

    def _ease(self) -> None:
        share = min(1.0, self._period_s / EASE_S)
        wanted = self.view_deg
        near = max(abs(a - b) for a, b in zip(wanted, self._view, strict=True)) < 0.1
        yaw, pitch = (at + share * (to - at) for at, to in zip(self._view, wanted, strict=True))
        self._view = wanted if near else (yaw, pitch)

    def close(self) -> None:
        """Wait for the picture under way and end the thread."""
        self._thread.shutdown()
