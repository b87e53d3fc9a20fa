"""The sender's loop: one frame from the camera's queue to the wire, a line each."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from codec.motion import Motion
from codec.sound import SoundPacket
from sender.camera import Frame
from sender.crop import Cropper
from sender.crop_report import CropReporter
from sender.extract import Extracted, Extractor
from sender.packetise import Packetiser
from sender.rate import Plan, RateController
from sender.send import MediaSender
from sender.steady import Steady
from signaling.control_messages import CropMoved
from signaling.dropping_queue import DroppingQueue

IDLE_AFTER_S = 1.0
THINNED = 0.75
"""Of the spacing wanted, what there is at least between two frames where some are left out."""
MOST_PLANS = 1000
NEAR_BORDER = 0.3
"""Translation of a head in crop units (1 is the border for its middle) from which it is looked after more often."""


@dataclass
class SenderPipeline:
    """crop -> extract -> steady -> packetise -> send, until the queue ends."""

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
    say_voice: Callable[[int], None] = lambda bits_per_s: None
    """Tells whoever codes the sound how many bits a second it may take."""
    rate: RateController | None = None
    """None: the packetiser goes on as it was made."""
    wire_sent: Callable[[], int] | None = None
    """Bytes that have left at the socket; None where they are not counted."""
    steady: Steady | None = None
    """Takes the tremble out of the motion; None sends it as it was measured."""
    now: Callable[[], float] = time.monotonic
    frames_no_face: int = 0
    frames_thinned: int = 0
    """Left out on purpose: the receiver interpolates."""
    frames_congested: int = 0

    def __post_init__(self) -> None:
        self._crop_reporter = CropReporter(self.cropper.follower.square)
        self.plans: list[tuple[float, Plan]] = []
        """What the rate control said, in seconds since the first time, at each change; the first thousand."""
        self.repeats = 0
        """Earlier messages of which messages carried frames again, all together."""
        self._plan: Plan | None = None
        self._began_s = 0.0
        self._kept_s = -1.0
        self._sent_s = 0.0

    def hear(self, opus: bytes, time_s: float) -> None:
        """Take a packet of 60 ms of sound, captured from `time_s` on by the frames' clock. Raises PeerGone."""
        if time_s >= 0:
            self.packetiser.add_sound(SoundPacket(round(1000 * time_s), opus), self.now())
            self._follow()
            self.flush()

    async def run(self) -> None:
        """Send every frame that can be sent. Raises PeerGone."""
        said_s = self._sent_s = self.now()
        while not self.frames.ended:
            # no longer than the gathered frames, or the other side, can wait
            frame = await self.frames.get(self._patience_s())
            self._follow()
            if frame is not None:
                await self._take(frame)
            self.flush()
            if self.now() - max(said_s, self._sent_s) >= IDLE_AFTER_S:
                self.say_idle("no face" if self.frames_no_face else "no frames")
                said_s = self.now()
        self.flush(at_once=True)

    def _patience_s(self) -> float:
        due_s = self.packetiser.due_s
        return IDLE_AFTER_S if due_s is None else max(0.0, due_s - self.now())

    def _follow(self) -> None:
        """Go on as the rate control says."""
        if self.rate is not None:
            if self.wire_sent is not None:
                self.rate.take_wire(self.wire_sent(), self.now())
            plan = self.rate.plan(self.now())
            self.packetiser.follow(plan)
            self.say_voice(plan.voice_bps)
            if plan != self._plan and len(self.plans) < MOST_PLANS:
                self._began_s = self._began_s if self.plans else self.now()
                self.plans.append((self.now() - self._began_s, plan))
            self._plan = plan

    def _left_out(self, frame: Frame) -> bool:
        """Whether this frame comes sooner after the last one that was sent than frames are to."""
        plan = self._plan
        if plan is not None and plan.thin and frame.capture_time_s - self._kept_s < THINNED / plan.frame_rate:
            return True
        self._kept_s = frame.capture_time_s
        return False

    async def _take(self, frame: Frame) -> None:
        crop = self.cropper.crop(frame)
        for moved in self._crop_reporter.add(self.cropper.follower.square, frame.capture_time_s):
            self.say_crop(moved)
        if self._left_out(frame):
            self.frames_thinned += 1
            return
        extracted = await self.extractor.extract(crop, frame.capture_time_s)
        if extracted.face_score < self.face_threshold or _near_border(extracted):
            self.cropper.worry()
        if extracted.face_score >= self.face_threshold and not self.cropper.nobody:
            self.cropper.head(self.extractor.drift(extracted.motion), frame.capture_time_s)
            self.packetiser.add(self._calmed(extracted.motion), self.now())
        else:
            self.frames_no_face += 1

    def _calmed(self, motion: Motion) -> Motion:
        return self.steady(motion, self.cropper.follower.square) if self.steady is not None else motion

    def flush(self, at_once: bool = False) -> None:
        """Send what has gathered, if it is time. Raises PeerGone."""
        if not (at_once and self.packetiser.due_s is not None or self.packetiser.due(self.now())):
            return
        if self.channel.congested:
            self.frames_congested += self.packetiser.discard()
            return
        message, frames, sound_bytes = self.packetiser.pack(self.now())
        self.channel.send(message, frames)
        self._sent_s = self.now()
        if self.rate is not None:
            self.rate.sent(len(message), frames, self.now(), sound_bytes)
            self.repeats += self._plan.repeat if self._plan is not None else 0


def _near_border(extracted: Extracted) -> bool:
    return max(abs(float(extracted.motion.t[0])), abs(float(extracted.motion.t[1]))) > NEAR_BORDER
