"""The sender's loop: one frame from the camera's queue to the wire, a line each."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sender.camera import Frame
from sender.crop import Cropper
from sender.extract import Extractor
from sender.packetise import Packetiser
from sender.send import MediaSender
from signaling.dropping_queue import DroppingQueue

IDLE_AFTER_S = 1.0


@dataclass
class SenderPipeline:
    """crop -> extract -> packetise -> send, until the queue ends."""

    frames: DroppingQueue[Frame]
    cropper: Cropper
    extractor: Extractor
    packetiser: Packetiser
    channel: MediaSender
    face_threshold: float
    say_idle: Callable[[str], None]
    """Tells the other side that we are still here, at most once a second."""
    now: Callable[[], float] = time.monotonic
    frames_no_face: int = 0
    frames_congested: int = 0

    async def run(self) -> None:
        """Send every frame that can be sent. Raises PeerGone."""
        said_s = self.now()
        while not self.frames.ended:
            # no longer than the gathered frames, or the other side, can wait
            frame = await self.frames.get(self._patience_s())
            if frame is not None:
                await self._take(frame)
            if self._flush():
                said_s = self.now()
            elif self.now() - said_s >= IDLE_AFTER_S:
                self.say_idle("no face" if self.frames_no_face else "no frames")
                said_s = self.now()
        self._flush(at_once=True)

    def _patience_s(self) -> float:
        due_s = self.packetiser.due_s
        return IDLE_AFTER_S if due_s is None else max(0.0, due_s - self.now())

    async def _take(self, frame: Frame) -> None:
        crop = self.cropper.crop(frame.image)
        extracted = await self.extractor.extract(crop, frame.capture_time_s)
        if extracted.face_score >= self.face_threshold:
            self.packetiser.add(extracted.motion, self.now())
        else:
            self.frames_no_face += 1

    def _flush(self, at_once: bool = False) -> bool:
        """Send what has gathered, if it is time; returns whether something was sent."""
        if not (at_once and self.packetiser.due_s is not None or self.packetiser.due(self.now())):
            return False
        if self.channel.congested:
            self.frames_congested += self.packetiser.discard()
            return False
        self.channel.send(*self.packetiser.pack())
        return True
