"""What the sender has to tell when the call is over."""

from dataclasses import dataclass, field

from sender.camera import Frame
from sender.pipeline import SenderPipeline
from signaling.dropping_queue import DroppingQueue
from signaling.report import CallReport
from signaling.stages import Percentiles, StageTimes, no_samples


@dataclass
class SendReport(CallReport):
    """Counters of one call: captured = sent + no_face + dropped, once the call is over."""

    frames_captured: int = 0
    frames_no_face: int = 0
    frames_sent: int = 0
    frames_dropped: int = 0
    """Because the networks, or the link, were slower than the camera."""
    messages_sent: int = 0
    crop_px: list[list[float]] = field(default_factory=list)
    """Where the crop was in the camera's picture: [capture time in s, left, top, side] at each change."""
    extract_ms: Percentiles = field(default_factory=no_samples)
    encode_ms: Percentiles = field(default_factory=no_samples)

    def take_counts(self, queue: DroppingQueue[Frame], pipeline: SenderPipeline) -> None:
        """Note what has come and gone."""
        self.frames_captured = queue.put_count
        self.frames_no_face = pipeline.frames_no_face
        self.frames_dropped = queue.dropped + pipeline.frames_congested
        self.frames_sent = pipeline.channel.frames
        self.messages_sent = pipeline.channel.messages
        self.payload_bytes = pipeline.channel.payload_bytes
        path = pipeline.cropper.follower.path
        for time_s, square in path[len(self.crop_px) :]:
            self.crop_px.append([time_s, square.left, square.top, square.side])

    def take_times(self, times: StageTimes) -> None:
        """Note how long the stages took."""
        self.extract_ms = times.percentiles_ms("extract")
        self.encode_ms = times.percentiles_ms("encode")

    def line(self) -> str:
        """Say how the call goes, in one line."""
        return (
            f"{self.duration_s:.0f} s: sent {self.frames_sent} of {self.frames_captured} frames, "
            f"no face {self.frames_no_face}, dropped {self.frames_dropped} | {self.rates()}"
        )
