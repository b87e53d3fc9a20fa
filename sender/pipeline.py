"""The sender's loop: one frame from the camera's queue to the wire, a line each."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sender.camera import Frame
from sender.crop import Cropper
from sender.crop_report import CropReporter
from sender.extract import Extracted, Extractor
from sender.packetise import Packetiser
from sender.send import MediaSender
from signaling.control_messages import CropMoved
from signaling.dropping_queue import DroppingQueue

IDLE_AFTER_S = 1.0
NEAR_BORDER = 0.3
"""Translation of a head in crop units (1 is the border for its middle) from which it is looked after more often."""


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
    say_crop: Callable[[CropMoved], None] = lambda moved: None
    """Tells the other side where the crop is, while it moves."""
    now: Callable[[], float] = time.monotonic
    frames_no_face: int = 0
    frames_congested: int = 0

    def __post_init__(self) -> None:
        self._crop_reporter = CropReporter(self.cropper.follower.square)

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
        crop = self.cropper.crop(frame)
        for moved in self._crop_reporter.add(self.cropper.follower.square, frame.capture_time_s):
            self.say_crop(moved)
        extracted = await self.extractor.extract(crop, frame.capture_time_s)
        if extracted.face_score < self.face_threshold or _near_border(extracted):
            self.cropper.worry()
        if extracted.face_score >= self.face_threshold and not self.cropper.nobody:
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


def _near_border(extracted: Extracted) -> bool:
    return max(abs(float(extracted.motion.t[0])), abs(float(extracted.motion.t[1]))) > NEAR_BORDER
