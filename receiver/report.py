"""What the receiver has to tell when the call is over."""

from dataclasses import dataclass, field

from receiver.pipeline import ReceiverPipeline
from signaling.report import CallReport
from signaling.stages import Percentiles, StageTimes, no_samples


@dataclass
class ReceiveReport(CallReport):
    """Counters of one call: received = shown + dropped, once all is rendered."""

    messages_received: int = 0
    messages_late: int = 0
    messages_duplicate: int = 0
    messages_missing: int = 0
    messages_dropped: int = 0
    """Because decoding was slower than the wire."""
    bad_messages: int = 0
    """Media messages that do not decode."""
    frames_announced: int | None = None
    """Frames that the sender says it sent; None when it did not say goodbye."""
    frames_received: int = 0
    frames_shown: int = 0
    frames_dropped: int = 0
    """Too late, twice, or because rendering was slower than the wire for longer than its queue is."""
    crop_moves: list[list[float]] = field(default_factory=list)
    """The sender's crop as it told: [capture time in s, left, top, side] in sides of the first one."""
    decode_ms: Percentiles = field(default_factory=no_samples)
    render_ms: Percentiles = field(default_factory=no_samples)

    def take_counts(self, pipeline: ReceiverPipeline) -> None:
        """Note what has come and gone."""
        inbox, collector = pipeline.inbox, pipeline.collector
        self.messages_received = inbox.waiting.put_count
        self.messages_dropped = inbox.waiting.dropped
        self.payload_bytes = inbox.payload_bytes
        self.bad_messages = pipeline.decoder.bad_messages
        self.messages_late = collector.late
        self.messages_duplicate = collector.duplicate
        self.messages_missing = collector.missing
        self.frames_received = pipeline.decoder.frames
        self.frames_shown = pipeline.frames_shown
        self.crop_moves = [list(move) for move in pipeline.crops.moves]
        self.frames_dropped = collector.frames_dropped + pipeline.motions.dropped

    def take_times(self, times: StageTimes) -> None:
        """Note how long the stages took."""
        self.decode_ms = times.percentiles_ms("decode")
        self.render_ms = times.percentiles_ms("render")

    def line(self) -> str:
        """Say how the call goes, in one line."""
        return (
            f"{self.duration_s:.0f} s: received {self.frames_received} frames, shown {self.frames_shown}, "
            f"dropped {self.frames_dropped}, messages missing {self.messages_missing} | {self.rates()}"
        )
