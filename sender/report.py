"""What the sender has to tell when the call is over."""

from dataclasses import dataclass, field

from sender.camera import Frame
from sender.feedback import Feedback
from sender.pipeline import SenderPipeline
from sender.rate import RateController
from signaling.dropping_queue import DroppingQueue
from signaling.report import CallReport
from signaling.stages import Percentiles, StageTimes, no_samples


@dataclass
class SendReport(CallReport):
    """Counters of one call: captured = sent + no_face + dropped + thinned, once the call is over."""

    frames_captured: int = 0
    frames_no_face: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    """Because the networks, or the link, were slower than the camera."""
    frames_thinned: int = 0
    """Left out by the rate control: the receiver interpolates."""
    messages_sent: int = 0
    messages_lost: int = 0
    """Of those of which the receiver has told."""
    loss: float = 0.0
    """Share of the messages that was lost of late."""
    rtt_ms: float | None = None
    repeats: float = 0.0
    """Earlier messages' frames in a message, in the mean."""
    acknowledgements: int = 0
    acknowledgements_lacking: int = 0
    """Of these, those that told of a missing reference."""
    bad_messages: int = 0
    """Media messages from the receiver that do not decode."""
    plans: list[list[float | str]] = field(default_factory=list)
    """What the rate control chose: [s, message interval in ms, repeats, frames a second, level] at each change."""
    crop_px: list[list[float]] = field(default_factory=list)
    """Where the crop was in the camera's picture: [capture time in s, left, top, side] at each change."""
    extract_ms: Percentiles = field(default_factory=no_samples)
    encode_ms: Percentiles = field(default_factory=no_samples)

    def take_counts(self, queue: DroppingQueue[Frame], pipeline: SenderPipeline) -> None:
        """Note what has come and gone."""
        self.frames_captured = queue.put_count
        self.frames_no_face = pipeline.frames_no_face
        self.frames_dropped = queue.dropped + pipeline.frames_congested
        self.frames_thinned = pipeline.frames_thinned
        self.frames_sent = pipeline.channel.frames
        self.messages_sent = pipeline.channel.messages
        self.payload_bytes = pipeline.channel.payload_bytes
        self.sound_bytes, self.sound_packets = pipeline.packetiser.sound.bytes, pipeline.packetiser.sound.packets
        self.repeats = round(pipeline.repeats / max(1, self.messages_sent), 2)
        for at_s, plan in pipeline.plans[len(self.plans) :]:
            told = [round(at_s, 2), round(1000 * plan.interval_s), plan.repeat, round(plan.frame_rate, 2)]
            self.plans.append([*told, plan.level.name.lower()])
        path = pipeline.cropper.follower.path
        for time_s, square in path[len(self.crop_px) :]:
            self.crop_px.append([time_s, square.left, square.top, square.side])

    @property
    def frames_crossed(self) -> int:
        """Frames in our media messages."""
        return self.frames_sent

    def take_link(self, rate: RateController, feedback: Feedback) -> None:
        """Note what is known of the link, and what was made of it."""
        self.messages_lost, self.loss = rate.link.losses.lost, round(rate.link.losses.loss, 4)
        self.rtt_ms = None if rate.link.rtt_s is None else round(1000 * rate.link.rtt_s, 1)
        self.acknowledgements, self.acknowledgements_lacking = feedback.acknowledgements, feedback.lacking
        self.bad_messages = feedback.bad_messages

    def take_times(self, times: StageTimes) -> None:
        """Note how long the stages took."""
        self.extract_ms = times.percentiles_ms("extract")
        self.encode_ms = times.percentiles_ms("encode")

    def line(self) -> str:
        """Say how the call goes, in one line."""
        return (
            f"{self.duration_s:.0f} s: sent {self.frames_sent} of {self.frames_captured} frames, "
            f"no face {self.frames_no_face}, dropped {self.frames_dropped} | {self.rates()}, "
            f"loss {100 * self.loss:.0f} %"
        )
