"""What the receiver has to tell when the call is over."""

from dataclasses import dataclass, field

from receiver.pipeline import ReceiverPipeline
from signaling.report import CallReport
from signaling.stages import Percentiles, StageTimes, no_samples


@dataclass
class ReceiveReport(CallReport):
    """Counters of one call: received = shown + dropped once all is rendered, in a file with every frame as sent."""

    messages_received: int = 0
    messages_late: int = 0
    messages_duplicate: int = 0
    messages_missing: int = 0
    messages_dropped: int = 0
    """Because decoding was slower than the wire."""
    messages_lacking: int = 0
    """Messages that came and could not be read at once, for what they build on had not come."""
    acknowledgements: int = 0
    """Packets in which the sender was told what had come."""
    bad_messages: int = 0
    """Media messages that do not decode."""
    frames_announced: int | None = None
    """Frames that the sender says it sent; None when it did not say goodbye."""
    frames_received: int = 0
    frames_recovered: int = 0
    """Of these, those whose own message did not come: a later one repeated them."""
    frames_shown: int = 0
    frames_dropped: int = 0
    """Too late, twice, or because rendering was slower than the wire for longer than its queue is."""
    crop_moves: list[list[float]] = field(default_factory=list)
    """The sender's crop as it told: [capture time in s, left, top, side] in sides of the first one."""
    screen: dict[str, int] = field(default_factory=dict)
    """What a screen shows at its own pace: how many of its pictures were received, interpolated, held and easing."""
    screen_on_time: float | None = None
    """Share of them with the motion of their time: received, or between two frames that were."""
    screen_frames_late: int = 0
    """Frames that came after the picture had passed their time."""
    screen_skipped: int = 0
    """Pictures left out because rendering was slower than the screen, or the machine too busy."""
    longest_freeze_ms: float = 0.0
    playout_delay_ms: float = 0.0
    """By how much a screen runs behind the quickest frames, at the end."""
    sound_late: int = 0
    """Packets of sound that came when the picture had passed them."""
    sound_after_picture: dict[str, float] | None = None
    """By how much later than its picture sound is heard, in ms: least, median, most, and the share within -45 to 125;
    None without sound."""
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
        self.messages_lacking = pipeline.decoder.lacking_messages
        self.acknowledgements = pipeline.acknowledger.told
        self.frames_received = pipeline.decoder.frames
        self.frames_recovered = pipeline.decoder.frames_recovered
        self.profile = pipeline.decoder.profile.name.lower() if pipeline.decoder.profile is not None else ""
        self.level = pipeline.decoder.level.name.lower() if pipeline.decoder.level is not None else ""
        self.frames_shown = pipeline.frames_shown
        self.crop_moves = [list(move) for move in pipeline.crops.moves]
        hearing = pipeline.hearing
        self.sound_bytes, self.sound_packets = hearing.reader.section_bytes, hearing.reader.packets
        self.sound_late, self.sound_after_picture = hearing.store.late, hearing.in_step.figures()
        self.frames_dropped = collector.frames_dropped + pipeline.motions.dropped
        smoother = pipeline.smoother
        self.screen = {how.value: count for how, count in smoother.counts.items()}
        self.screen_on_time = None if smoother.on_time_share is None else round(smoother.on_time_share, 4)
        self.screen_frames_late = smoother.frames_late
        self.screen_skipped = pipeline.ticker.skipped
        self.longest_freeze_ms = round(1000 * smoother.longest_freeze_s, 1)
        self.playout_delay_ms = round(smoother.delay_ms, 1)

    @property
    def frames_crossed(self) -> int:
        """Frames in the media messages that came."""
        return self.frames_received

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
