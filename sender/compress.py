"""A clip becomes a recording, with the parts of a sender and no network between: crop, extract, hear, packetise."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from codec.encoder import Encoder
from codec.errors import SoundError
from codec.motion import Motion
from codec.recording import RecordingWriter
from codec.recording_header import RecordingHeader
from codec.recording_records import Direction, SourceRecord
from codec.sound import MOST_PACKETS, SoundPacket, pack_sound
from codec.wire import MAX_FRAMES, Level, Profile, message_cost
from models.config import ModelConfig
from models.face_finder_weights import load_finder
from models.weights import Model
from sender.camera import Clip
from sender.clip_sound import PACKET_S, clip_sound, voice_packets
from sender.crop import Cropper
from sender.crop_watch import FaceWatch
from sender.errors import InputError
from sender.extract import Extractor
from sender.keypoints import KeypointChoice, read_choice
from sender.settings import SendSettings
from sender.source import MIME, Source, decode_picture, find_source
from sender.steady import Steady
from sender.voice import Voice

MESSAGE_S: Final = 0.06
"""Frames captured within this time share a message, as in a call; a file has no link that would ask for another."""
Shown = Callable[[Iterable[Motion], int], Iterable[Motion]]
"""Passes motion through and shows how far it is, of so many frames (0: unknown)."""


@dataclass(frozen=True)
class Coding:
    """How a clip is coded; keypoints: all, adaptive or a number, of which profile `predictive` takes `all` alone."""

    profile: Profile = Profile.PREDICTIVE
    level: Level = Level.HIGH
    keypoints: str = "all"


@dataclass
class Compressed:
    """What came of a clip."""

    frames: int = 0
    frames_held: int = 0
    """Frames without a face: they repeat the motion before them."""
    messages: int = 0
    media_bytes: int = 0
    """Of all messages, their sound left out."""
    sound_bytes: int = 0
    sound_error: str = ""
    """Why the sound ends before the clip does."""
    source_bytes: int = 0


def compress_clip(
    path: Path,
    output: Path,
    model: Model,
    settings: SendSettings,
    coding: Coding,
    shown: Shown = lambda motions, total: motions,
) -> Compressed:
    """Write a recording of every frame of a clip, each at its own time, with its sound, and return what it holds.

    Raises InputError, NoFace, RecordingError. Of a damaged clip the frames before the damage are written.
    """
    check_output(output)
    choice = read_choice(coding.keypoints, coding.profile, model.config, coding.level)
    with closing(Extractor(model)) as extractor:
        source = _find_source(path, model, extractor, settings)
        extractor.set_source(decode_picture(source.picture))
        encoder = Encoder(model.codec_tables, coding.profile, coding.level)
        encoder.set_source(extractor.canonical)
        done = Compressed(source_bytes=len(source.picture))
        header = RecordingHeader(model.model_id, model.codec_tables.sha256)
        with closing(Clip(path)) as clip, RecordingWriter(output, header) as writer:
            writer.add(SourceRecord(0.0, Direction.RECEIVED, source.picture, MIME))
            motions = shown(_motions(clip, source, model, extractor, settings, done), clip.frames)
            period_s = 1 / clip.frame_rate if clip.frame_rate else 0.0
            packets = _packets(path, done) if settings.sound else ()
            for time_s, message in encode_motions(motions, encoder, choice, MESSAGE_S, period_s, packets):
                writer.write(time_s, message)
                sound = message_cost(message).sound_bytes
                done.messages += 1
                done.sound_bytes += sound
                done.media_bytes += len(message) - sound
    return done


def check_output(path: Path) -> None:
    """Raise InputError for a name that no recording should have; a clip would be written over by a slip."""
    if path.suffix.lower() != ".fwr":
        raise InputError(f"{path}: expected a name that ends in .fwr for the recording")
    if not path.parent.is_dir():
        raise InputError(f"{path}: expected a folder {path.parent} to write into, found none")


def encode_motions(
    motions: Iterable[Motion],
    encoder: Encoder,
    choice: KeypointChoice,
    interval_s: float,
    period_s: float,
    packets: Iterable[tuple[float, bytes]] = (),
) -> Iterator[tuple[float, bytes]]:
    """Messages of frames that are `period_s` apart (0: unknown), as a sender would make them while they are captured.

    Args: packets: the sound, as (time in s, Opus); what was heard until then leaves with the frames.
    Yields: seconds at which the message would leave, the message.
    """
    heard, frames = _Heard(packets), list[Motion]()
    leave_s = 0.0
    for motion in motions:
        frames.append(motion)
        leave_s = motion.capture_time_s
        if len(frames) == MAX_FRAMES or leave_s + period_s >= frames[0].capture_time_s + interval_s:
            yield from heard.crowded(leave_s, encoder)
            yield leave_s, encoder.encode(frames, sound=heard.section(), keypoints=choice.choose(frames))
            frames = []
    if frames:
        yield from heard.crowded(leave_s, encoder)
        yield leave_s, encoder.encode(frames, sound=heard.section(), keypoints=choice.choose(frames))
    yield from heard.rest(leave_s, encoder)


class _Heard:
    """Packets of sound that wait for a message; where no message of frames has room for them they get their own."""

    def __init__(self, packets: Iterable[tuple[float, bytes]]) -> None:
        self._packets = iter(packets)
        self._next = next(self._packets, None)
        self._waiting: list[SoundPacket] = []

    def section(self) -> bytes:
        """The packets that wait, as a section; they wait no longer."""
        waiting, self._waiting = self._waiting, []
        return pack_sound(waiting)

    def crowded(self, until_s: float, encoder: Encoder) -> Iterator[tuple[float, bytes]]:
        """Let what was heard by a time wait; yields messages of sound alone until the rest has room in one."""
        while self._next is not None and self._next[0] + PACKET_S <= until_s:
            time_s, opus = self._next
            if len(self._waiting) == MOST_PACKETS:
                yield time_s, encoder.encode((), sound=self.section())
            self._waiting.append(SoundPacket(round(1000 * time_s), opus))
            self._next = next(self._packets, None)

    def rest(self, last_s: float, encoder: Encoder) -> Iterator[tuple[float, bytes]]:
        """Messages of what is heard after the last picture."""
        while self._next is not None:
            leave_s = max(self._next[0] + PACKET_S, last_s)
            yield from self.crowded(self._next[0] + PACKET_S, encoder)
            yield leave_s, encoder.encode((), sound=self.section())


def _packets(path: Path, done: Compressed) -> Iterator[tuple[float, bytes]]:
    """The clip's sound from its first picture on; sound that cannot be read or coded ends, and the clip goes on."""
    voice = Voice()
    try:
        for time_s, samples in clip_sound(path):
            yield from (packet for packet in voice_packets(voice, samples, time_s) if packet[0] >= 0)
    except (InputError, SoundError) as error:
        done.sound_error = str(error)


def _find_source(path: Path, model: Model, extractor: Extractor, settings: SendSettings) -> Source:
    find, size, threshold = load_finder(model.folder).find, model.config.size, settings.face_threshold
    with closing(Clip(path)) as clip:
        seen, quality = extractor.face_score, settings.source_quality
        return find_source(clip, str(path), size, threshold, settings.search_s, find, seen, quality)


def _motions(
    clip: Clip, source: Source, model: Model, extractor: Extractor, settings: SendSettings, done: Compressed
) -> Iterator[Motion]:
    """The motion of every frame; where no face is, that of the frame before, and first that of the source picture."""
    find = load_finder(model.folder).find
    cropper = Cropper(source.square, model.config.size, FaceWatch(find, settings.face_threshold))
    scaled = isinstance(model.config, ModelConfig)
    steady = Steady(extractor.canonical, scaled, source.square) if settings.steady else None
    motion = extractor.extract_now(decode_picture(source.picture), 0.0).motion
    while (frame := clip.read()) is not None:
        extracted = extractor.extract_now(cropper.crop(frame), frame.capture_time_s)
        if extracted.face_score >= settings.face_threshold and not cropper.nobody:
            cropper.head(extractor.drift(extracted.motion), frame.capture_time_s)
            motion = steady(extracted.motion, cropper.follower.square) if steady else extracted.motion
        else:
            cropper.worry()
            motion = replace(motion, capture_time_s=frame.capture_time_s)
            done.frames_held += 1
        done.frames += 1
        yield motion
