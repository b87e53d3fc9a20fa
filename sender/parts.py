"""The parts of one call's sender, made to fit its settings and its model."""

from collections.abc import Callable
from dataclasses import dataclass

from codec.encoder import Encoder
from codec.wire import Level, Profile
from models.config import ModelConfig
from models.weights import Model
from sender.camera import Frame
from sender.crop import Cropper
from sender.crop_watch import FaceWatch
from sender.extract import Extractor
from sender.packetise import Packetiser
from sender.pipeline import SenderPipeline
from sender.rate import RateController
from sender.send import MediaSender
from sender.settings import SendSettings
from sender.sound_out import SoundOut
from sender.source import Source
from sender.steady import Steady
from signaling.control_messages import Idle
from signaling.dropping_queue import DroppingQueue
from signaling.peer import Peer
from signaling.stages import StageTimes


@dataclass(frozen=True)
class Parts:
    """Makes them; owns none."""

    settings: SendSettings
    model: Model
    extractor: Extractor
    """Holds the source picture that the motion is told against."""
    watch: FaceWatch
    times: StageTimes
    say_voice: Callable[[int], None]
    now: Callable[[], float]

    def encoder(self) -> Encoder:
        """The codec's encoder for these settings."""
        settings = self.settings
        encoder = Encoder(self.model.codec_tables, self._profile, Level[settings.level.upper()])
        encoder.set_source(self.extractor.canonical)
        return encoder

    def rate(self, frame_rate: float) -> RateController:
        """Rate control for so many frames a second; 0 where unknown."""
        settings = self.settings
        interval_ms = settings.message_interval_ms
        return RateController(
            frame_rate,
            self.model.codec_tables.keypoints,
            settings.max_kbps,
            Level[settings.level.upper()],
            fewer_keypoints=self._profile is Profile.PAPER,
            interval_s=None if interval_ms is None else interval_ms / 1000,
        )

    @property
    def _profile(self) -> Profile:
        return Profile[self.settings.profile.upper()]

    def pipeline(
        self,
        peer: Peer,
        queue: DroppingQueue[Frame],
        frame_rate: float,
        source: Source,
        encoder: Encoder,
        rate: RateController,
    ) -> SenderPipeline:
        """The loop from the camera's queue to the peer."""
        return SenderPipeline(
            frames=queue,
            cropper=Cropper(source.square, self.model.config.size, self.watch),
            extractor=self.extractor,
            packetiser=Packetiser(
                encoder,
                interval_s=self.settings.usual_interval_ms / 1000,
                frame_period_s=1 / frame_rate if frame_rate else 0.0,
                times=self.times,
                sound=SoundOut(rate),
            ),
            channel=MediaSender(peer),
            face_threshold=self.settings.face_threshold,
            steady=self._steady(source),
            say_idle=lambda reason: peer.control.send(Idle(reason=reason)),
            say_crop=peer.control.send,
            say_voice=self.say_voice,
            rate=rate,
            wire_sent=(lambda: peer.tap.sent.bytes) if peer.tap.attached else None,
            now=self.now,
        )

    def _steady(self, source: Source) -> Steady | None:
        if not self.settings.steady:
            return None
        return Steady(self.extractor.canonical, isinstance(self.model.config, ModelConfig), source.square)
