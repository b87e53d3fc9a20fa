"""The receiver's loops: from the inbox to ordered motion, from motion to the file, and at the pace of a screen."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from codec.acknowledgement import Acknowledgement
from codec.decoder import MediaMessage
from codec.motion import Motion
from receiver.acknowledge import Acknowledger
from receiver.channel import Inbox
from receiver.collect import Collector
from receiver.crop_track import CropTrack
from receiver.decode import CountingDecoder
from receiver.hear import Hearing
from receiver.render import FaceRenderer
from receiver.show import VideoWriter
from receiver.smooth import Smoother
from receiver.steady_rate import SteadyRate, Ticker, Timed
from signaling.dropping_queue import DroppingQueue

SCREEN_FPS = 30.0


@dataclass
class ReceiverPipeline:
    """channel -> decode -> collect -> render -> show, every frame that came: `collect` and `show`.

    channel -> decode -> smooth -> render -> show, what a screen shows at its own pace: `collect` and `play`. Where the
    file holds every frame, `play` renders nothing and still tells how well motion came in time.

    Sound waits until the picture of its time is written (hear.py).
    """

    inbox: Inbox
    decoder: CountingDecoder
    collector: Collector
    motions: DroppingQueue[Motion]
    renderer: FaceRenderer
    writer: VideoWriter
    live: bool = False
    """Whether `play` renders, and `show` has nothing to do."""
    show_fps: float | None = None
    """Pictures a second: of a file that would else hold the frames as they were sent; of a screen that has else 30."""
    answer: Callable[[Acknowledgement], None] = lambda acknowledgement: None
    """Tells the sender what has come."""
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    smoother: Smoother = field(default_factory=Smoother, init=False)
    ticker: Ticker = field(init=False)
    frames_shown: int = field(default=0, init=False)
    acknowledger: Acknowledger = field(default_factory=Acknowledger, init=False)
    crops: CropTrack = field(default_factory=CropTrack, init=False)
    """Where the sender's crop is, for what shows the pictures."""

    def __post_init__(self) -> None:
        self.ticker = Ticker(self.show_fps or SCREEN_FPS)
        self.hearing = Hearing(self.writer)
        self.decoder.hear = self.hearing.take
        self._ended = False

    async def collect(self) -> None:
        """Decode and order what comes, until the inbox has ended and is empty."""
        while not self.inbox.waiting.ended:
            received = await self.inbox.waiting.get(self._patience_s())
            for message in self.decoder.decode(received.message) if received else ():
                self._take(message, self.now() if received is None else received.received_s)
            if received:
                self._acknowledge()
            self._put(self.collector.pop(self.now()))
        self._put(self.collector.flush())
        self.motions.end()
        self._ended = True

    def _acknowledge(self) -> None:
        told = self.decoder.acknowledgement()
        if told is not None and self.acknowledger.due(told, self.now()):
            self.answer(told)

    def _take(self, message: MediaMessage, received_s: float) -> None:
        """The screen waits for no order: what is there when its time comes is shown."""
        for motion in (*message.repeated, *message.motions):
            self.smoother.push(motion, received_s)
        self.collector.push(message, received_s)

    def _put(self, motions: list[Motion]) -> None:
        if not self.live:
            for motion in motions:
                self.motions.put(motion)

    def _patience_s(self) -> float | None:
        due_s = self.collector.due_s
        return None if due_s is None else max(0.0, due_s - self.now())

    async def show(self) -> None:
        """Render and write every frame, until the motions end. Raises OutputError."""
        steady = SteadyRate(self.show_fps) if self.show_fps else None
        while (motion := await self.motions.get()) is not None:
            for timed in steady.push(motion) if steady else [Timed(motion, motion.capture_time_s)]:
                await self._show(*timed)
        if not self.live:
            await self.renderer.in_thread(self.hearing.write_rest)

    async def play(self) -> None:
        """Take the motion of each of the screen's times; render and write it if live, at the time since the first.

        Ends when all has been received, and played if live. What is held is not rendered again. Raises OutputError.
        """
        first_s, last = None, None
        while not (self._ended and (self.smoother.dry or not self.live)):
            due_s = self.ticker.next_s(self.now())
            await self.sleep(max(0.0, due_s - self.now()))
            shown = self.smoother.sample(due_s)
            if not self.live or shown is None:
                continue
            first_s = due_s if first_s is None else first_s
            if shown.motion is not last:
                last = shown.motion
                await self._show(last, due_s - first_s)
            await self._hear(self.smoother.capture_time_s(due_s), due_s - first_s)

    async def _show(self, motion: Motion, time_s: float) -> None:
        if not self.live:
            await self._hear(motion.capture_time_s, time_s)
        await self.renderer.in_thread(partial(self._show_now, motion, time_s))
        self.frames_shown += 1

    def _show_now(self, motion: Motion, time_s: float) -> None:
        self.hearing.in_step.picture(motion.capture_time_s, self.writer.write(self.renderer.render_now(motion), time_s))

    async def _hear(self, capture_time_s: float, time_s: float) -> None:
        """Write the sound up to a capture time, that stands at `time_s` in the file."""
        packets = self.hearing.store.until(capture_time_s)
        if packets:
            await self.renderer.in_thread(partial(self.hearing.write, packets, time_s - capture_time_s))
