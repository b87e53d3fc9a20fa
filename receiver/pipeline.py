"""The receiver's two loops: from the inbox to ordered motion, and from motion to the file, a line each."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from codec.motion import Motion
from receiver.channel import Inbox
from receiver.collect import Collector
from receiver.crop_track import CropTrack
from receiver.decode import CountingDecoder
from receiver.render import FaceRenderer
from receiver.show import VideoWriter
from signaling.dropping_queue import DroppingQueue


@dataclass
class ReceiverPipeline:
    """channel -> decode -> collect, and collect -> render -> show."""

    inbox: Inbox
    decoder: CountingDecoder
    collector: Collector
    motions: DroppingQueue[Motion]
    renderer: FaceRenderer
    writer: VideoWriter
    now: Callable[[], float] = time.monotonic
    frames_shown: int = field(default=0, init=False)
    crops: CropTrack = field(default_factory=CropTrack, init=False)
    """Where the sender's crop is, for what shows the pictures."""

    async def collect(self) -> None:
        """Decode and order what comes, until the inbox has ended and is empty."""
        while not self.inbox.waiting.ended:
            received = await self.inbox.waiting.get(self._patience_s())
            for message in self.decoder.decode(received.message) if received else ():
                self.collector.push(message, self.now() if received is None else received.received_s)
            for motion in self.collector.pop(self.now()):
                self.motions.put(motion)
        for motion in self.collector.flush():
            self.motions.put(motion)
        self.motions.end()

    def _patience_s(self) -> float | None:
        due_s = self.collector.due_s
        return None if due_s is None else max(0.0, due_s - self.now())

    async def show(self) -> None:
        """Render and write, until the motions end. Raises OutputError."""
        while (motion := await self.motions.get()) is not None:
            await self.renderer.in_thread(partial(self._show_now, motion))
            self.frames_shown += 1

    def _show_now(self, motion: Motion) -> None:
        self.writer.write(self.renderer.render_now(motion), motion.capture_time_s)
