"""A recorded call shown again: as it was or as it would have been, from another place, on another picture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codec.codec_tables import CodecTables
from codec.motion import Motion
from codec.recording import RecordingReader
from codec.recording_records import Direction
from models.weights import Model, load_model
from receiver.look import Look
from receiver.motion_path import SAME_S
from receiver.render import FaceRenderer
from receiver.show import Image, VideoWriter
from replay.animate import carry_over
from replay.conditions import Conditions, resend
from replay.decompress import face_pictures
from replay.digests import PictureDigest
from replay.errors import ModelMismatch
from replay.motions import crop_face, read_picture
from replay.recorded_call import Came, Face, RecordedCall, read_call
from replay.render import Pictures, Sound, SoundBeside, decoded_sounds, usual_rate, video_crf
from replay.showing import SCREEN_FPS, OnScreen, Shown, every_frame
from sender.extract import Extractor
from sender.settings import SendSettings
from signaling.settings import read_settings

Progress = Callable[[Iterable[Shown], int], Iterable[Shown]]


@dataclass(frozen=True)
class Wish:
    """How a recording is to be played.

    direction: whose face, None for the other side's, or the one that there is. live: what a screen showed, by the
    times of arrival, in place of every frame. show_fps: pictures a second. source: another picture; relative: the
    change since a frame like it is carried over, not pose and expression as they are. conditions: another link.
    """

    direction: Direction | None = None
    live: bool = False
    show_fps: float | None = None
    look: Look = field(default_factory=Look)
    source: Path | None = None
    relative: bool = True
    conditions: Conditions = field(default_factory=Conditions)


@dataclass
class Played:
    """What came of it. The digests are equal on every run (`integers` on every machine)."""

    frames: int = 0
    seconds: float = 0.0
    """From the first picture to the last."""
    integers_sha256: str = ""
    pictures_sha256: str = ""
    frames_lost: int = 0
    """By the simulated link."""
    screen: dict[str, int] = field(default_factory=dict)
    """Of a live replay: pictures by how they came about, as in the reports of calls."""
    screen_on_time: float | None = None
    longest_freeze_ms: float = 0.0
    unreadable: int = 0
    damage: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


class Playing:
    """One recording, opened to be played as wished.

    Raises RecordingError, ModelMismatch, DamagedRecording where nothing can be shown, SourceError, ClipError.
    """

    def __init__(self, path: Path, model: Model, wish: Wish, recorded_with: Path | None = None) -> None:
        """Read the recording. Args: recorded_with: folder of the model that it was made with, where it is another."""
        reader = RecordingReader(path)
        tables = recorded_tables(path, reader, model, recorded_with)
        self.call: RecordedCall = read_call(reader, tables)
        self.face: Face = self.call.face(path, wish.direction)
        self.frames: Sequence[Came] = self.face.frames
        self.played = Played(integers_sha256=self.face.integers_sha256, unreadable=self.face.unreadable)
        self.played.damage = self.call.damage
        self._model, self._wish = model, wish
        if wish.conditions.given:
            resent = resend(self.face, tables, wish.conditions)
            self.frames, self.played.frames_lost = resent.frames, resent.lost
        self._pictures: Image | Pictures
        self._own: Motion | None = None
        if wish.source is not None:
            self._pictures, self._own = other_picture(wish.source, model, wish.relative)
        else:
            self._pictures = face_pictures(path, self.face, model)

    @property
    def live(self) -> bool:
        """Whether arrivals count."""
        return self._wish.live or self._wish.conditions.given

    @property
    def rate(self) -> float:
        """Pictures a second, as far as that is known before."""
        return self._wish.show_fps or (SCREEN_FPS if self.live else usual_rate(self.face.motions))

    @property
    def total(self) -> int:
        """About how many pictures there will be."""
        first, last = self.face.motions[0].capture_time_s, self.face.motions[-1].capture_time_s
        return round((last - first) * self.rate) + 1 if self.live or self._wish.show_fps else len(self.frames)

    def shown(self) -> Iterator[Shown]:
        """What is shown when, in its order; a live replay leaves its counts in `played` at the end."""
        if not self.frames:
            return
        if not self.live:
            yield from every_frame(self.frames, self._wish.show_fps)
            return
        screen = OnScreen(self.frames, self._wish.show_fps or SCREEN_FPS)
        yield from screen
        smoother = screen.smoother
        self.played.screen = {how.value: count for how, count in smoother.counts.items()}
        self.played.screen_on_time = smoother.on_time_share
        self.played.longest_freeze_ms = round(1000 * smoother.longest_freeze_s, 1)

    def driven(self, shown: Iterable[Shown]) -> Iterator[Shown]:
        """The same with the motion that is rendered: on another picture it is carried over."""
        times: list[float] = []
        for motion in carry_over(self._own, _motions(shown, times)):
            yield Shown(motion, times.pop(0))

    def painter(self) -> "Painter":
        """What renders this recording's motion. Raises ViewError."""
        return Painter(FaceRenderer(self._model, look=self._wish.look), self._pictures, self._wish.look)

    def pictures(self, shown: Iterable[Shown]) -> Iterator[tuple[Image, float]]:
        """Yield each picture [S,S,3] with its time, rendered one after the other."""
        with closing(self.painter()) as painter:
            for motion, time_s in self.driven(shown):
                yield painter.paint(motion), time_s

    def sounds(self) -> Iterator[Sound] | None:
        """Its sound on the clock of what is shown; None without any."""
        if not self.face.sounds or not self.frames:
            return None
        first_s = self.frames[0].motion.capture_time_s
        return ((at_s - first_s, samples) for at_s, samples in decoded_sounds(self.face.sounds))

    def write(self, output: Path, speed: float = 1.0, progress: Progress = lambda shown, total: shown) -> Played:
        """Play into a video file, `speed` times as fast; sound only at its own pace. Raises OutputError, ViewError."""
        sounds = self.sounds() if speed == 1.0 else None
        digest = PictureDigest()
        with closing(VideoWriter(output, self.rate * speed, video_crf(), sound=sounds is not None)) as writer:
            beside = SoundBeside(sounds or ())
            for image, time_s in self.pictures(progress(self.shown(), self.total)):
                beside.hear_until(writer, time_s)
                writer.write(image, time_s / speed)
                self._count(digest, image, time_s)
        return self._done(digest)

    def measure(self, progress: Progress = lambda shown, total: shown) -> Played:
        """Play for the digests alone."""
        digest = PictureDigest()
        for image, time_s in self.pictures(progress(self.shown(), self.total)):
            self._count(digest, image, time_s)
        return self._done(digest)

    def _count(self, digest: PictureDigest, image: Image, time_s: float) -> None:
        digest.add(image, time_s)
        self.played.frames += 1
        self.played.seconds = round(time_s, 3)

    def _done(self, digest: PictureDigest) -> Played:
        self.played.pictures_sha256 = digest.sha256
        return self.played


class Painter:
    """Renders motion from the source picture of its time; times may go back, for who leafs through a recording."""

    def __init__(self, renderer: FaceRenderer, pictures: Image | Pictures, look: Look) -> None:
        self._renderer = renderer
        self._pictures: Pictures = [(0.0, pictures)] if isinstance(pictures, np.ndarray) else pictures
        self._look = look
        self._used = -1
        self._turned = False

    def paint(self, motion: Motion, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Image:
        """The picture uint8 RGB [S,S,3] of a motion; the head is turned by so much more than the look asks for."""
        later = [from_s for from_s, _ in self._pictures[1:] if from_s <= motion.capture_time_s + SAME_S]
        if len(later) != self._used:
            self._used = len(later)
            self._renderer.set_source_now(self._pictures[self._used][1])
        if yaw_deg or pitch_deg or self._turned:
            yaw, pitch, roll = self._look.view_deg
            self._renderer.look_from((yaw + yaw_deg, pitch + pitch_deg, roll), self._look.frontalise)
            self._turned = True
        return self._renderer.render_now(motion)

    def close(self) -> None:
        """End the renderer."""
        self._renderer.close()


def recorded_tables(
    path: Path, reader: RecordingReader, model: Model, recorded_with: Path | None = None
) -> CodecTables:
    """The tables that a recording is decoded with: those of `model`, of `recorded_with`, or of the shipped model.

    Raises ModelMismatch where none of them are the recording's, or the models have other keypoints; WeightsError.
    """
    header = reader.header
    if header.tables_sha256 == model.codec_tables.sha256 and recorded_with is None:
        return model.codec_tables
    other = load_model(recorded_with)
    if header.tables_sha256 != other.codec_tables.sha256:
        raise ModelMismatch(
            f"{path}: expected the model that it was recorded with, {header.model_id[:12]}, got {other.model_id[:12]} "
            f"and {model.model_id[:12]}: name its folder with --recorded-with, or with --weights to render with it"
        )
    if other.config.keypoints != model.config.keypoints:
        raise ModelMismatch(
            f"{path}: expected a model of {other.config.keypoints} keypoints to render with, as it was recorded, "
            f"{model.model_id[:12]} has {model.config.keypoints}"
        )
    return other.codec_tables


def other_picture(path: Path, model: Model, relative: bool) -> tuple[Image, Motion | None]:
    """The face of a picture to put the motion on, and, for relative motion, what is seen in it. Raises ClipError."""
    with closing(Extractor(model)) as extractor:
        picture = crop_face(read_picture(path), str(path), model, extractor, read_settings(SendSettings))
        extractor.set_source(picture)
        return picture, extractor.extract_now(picture, 0.0).motion if relative else None


def _motions(shown: Iterable[Shown], times: list[float]) -> Iterator[Motion]:
    """Pass motions through and keep their times."""
    for motion, time_s in shown:
        times.append(time_s)
        yield motion
