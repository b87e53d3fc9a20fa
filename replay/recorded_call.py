"""A recording read whole: for each direction its frames with their times, its pictures and its sound.

Places are seconds since the recording began: a frame's is its capture time on the clock of its connection.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from codec.codec_tables import CodecTables
from codec.decoder import Decoder, MediaMessage
from codec.errors import CodecError, MissingReference, WireError
from codec.motion import Motion
from codec.recording import RecordingReader
from codec.recording_header import RecordingHeader
from codec.recording_records import (
    MAX_RECEIVED_TIME_S,
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
    StatisticsRecord,
)
from codec.sound import SoundPacket
from codec.wire import Profile
from receiver.sound_in import SoundReader
from replay.errors import DamagedRecording
from signaling.control_messages import SourceUse, parse_control_message
from signaling.errors import ControlError


class SourceFrom(NamedTuple):
    """A source picture and the place from which on motion is told against it."""

    from_s: float
    picture: bytes
    mime: str


class Came(NamedTuple):
    """A frame at its place, and when it crossed, in seconds since the recording began."""

    motion: Motion
    arrival_s: float


@dataclass
class Face:
    """One direction of a recording: the other side's face (received), or one's own (sent)."""

    frames: list[Came] = field(default_factory=list)
    """In the order of capture, each once."""
    sources: list[SourceFrom] = field(default_factory=list)
    sounds: list[SoundPacket] = field(default_factory=list)
    """Packets of sound with their places, oldest first, each once."""
    messages: int = 0
    media_bytes: int = 0
    sound_bytes: int = 0
    codings: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    """Messages with motion of each profile and level."""
    unreadable: int = 0
    """Messages that build on one which is not in the recording, or are none."""
    integers_sha256: str = ""
    """Of everything that the messages say of motion, in integers: the same on every machine."""

    @property
    def motions(self) -> list[Motion]:
        """The frames alone."""
        return [came.motion for came in self.frames]


@dataclass
class RecordedCall:
    """All of a recording, up to its end or the first damaged place. About 1 kB of memory a frame: an hour is 90 MB."""

    header: RecordingHeader
    faces: dict[Direction, Face]
    connections: list[ConnectionRecord] = field(default_factory=list)
    pictures: list[SourceRecord] = field(default_factory=list)
    control: Counter[str] = field(default_factory=Counter)
    """Control messages by their type, "?" where it is not known."""
    statistics: list[StatisticsRecord] = field(default_factory=list)
    end_s: float = 0.0
    """Time of the last record."""
    complete: bool = False
    """Whether whoever wrote it closed it."""
    damage: str | None = None
    """Where and why it ends early."""

    @property
    def shown(self) -> Direction:
        """The direction that is shown where nobody says which: the other side's face, or the one that there is."""
        received, sent = (self.faces[direction].frames for direction in Direction)
        return Direction.RECEIVED if received or not sent else Direction.SENT

    def face(self, path: Path, direction: Direction | None = None) -> Face:
        """One direction with frames in it. Raises DamagedRecording where there are none."""
        direction = self.shown if direction is None else direction
        face = self.faces[direction]
        if not face.frames:
            whose = "" if direction is self.shown else f" of {'them' if direction is Direction.RECEIVED else 'me'}"
            raise DamagedRecording(
                f"{path}: expected a recorded call with frames{whose} in it: "
                f"{self.damage or 'it ends before the first frame'}"
            )
        return face


def read_call(reader: RecordingReader, tables: CodecTables) -> RecordedCall:
    """Read and decode a recording. What is damaged is told, not raised."""
    reading = {direction: _Reading(tables) for direction in Direction}
    call = RecordedCall(reader.header, {direction: one.face for direction, one in reading.items()})
    try:
        for record in reader:
            call.end_s = max(call.end_s, record.time_s)
            _take(record, call, reading)
    except CodecError as error:
        call.damage = str(error)
    call.complete = reader.complete
    for one in reading.values():
        one.finish()
    return call


def _take(record: Record, call: RecordedCall, reading: dict[Direction, _Reading]) -> None:
    match record:
        case MediaRecord():
            reading[record.direction].message(record)
        case SourceRecord():
            call.pictures.append(record)
            reading[record.direction].picture(record)
        case ControlRecord():
            call.control[_type_of(record, reading)] += 1
        case StatisticsRecord():
            call.statistics.append(record)
        case ConnectionRecord():
            call.connections.append(record)
            for one in reading.values():
                one.connect(record)


def _type_of(record: ControlRecord, reading: dict[Direction, _Reading]) -> str:
    try:
        message = parse_control_message(record.text)
    except ControlError:
        return "?"
    if isinstance(message, SourceUse):
        reading[record.direction].use(message)
    return str(message.type)


class _Reading:
    """Decodes one direction as it goes by."""

    def __init__(self, tables: CodecTables) -> None:
        self.face = Face()
        self._tables = tables
        self._decoder = Decoder(tables)
        self._clock_s = 0.0
        self._frames: dict[int, Came] = {}
        self._pictures: dict[str, SourceRecord] = {}
        self._uses: list[tuple[float, str]] = []
        self._digest = hashlib.sha256()
        self._hearing = SoundReader()

    def connect(self, record: ConnectionRecord) -> None:
        self._decoder, self._hearing = Decoder(self._tables), SoundReader()
        self._clock_s = record.clock_s

    def picture(self, record: SourceRecord) -> None:
        self._pictures[record.sha256] = record

    def use(self, message: SourceUse) -> None:
        self._uses.append((self._clock_s + message.from_s, message.sha256))

    def message(self, record: MediaRecord) -> None:
        face = self.face
        face.messages += 1
        face.media_bytes += len(record.message)
        for index, one in enumerate(self._decode(record.message)):
            if index == 0:  # those that had to wait for it were heard when they came
                self._hear(one, record.time_s)
            self._digest.update(_integers(one))
            if one.motions:
                level = one.level.name.lower() if one.profile is Profile.PREDICTIVE else None
                face.codings[one.profile.name.lower(), level] += 1
            for motion in (*one.repeated, *one.motions):
                self._keep(motion, record.time_s)

    def _hear(self, message: MediaMessage, at_s: float) -> None:
        self.face.sound_bytes += len(message.sound)
        for _, packet in self._hearing.take(message, at_s):
            time_ms = packet.time_ms + round(1000 * self._clock_s)
            self.face.sounds.append(replace(packet, time_ms=time_ms))

    def _decode(self, message: bytes) -> Iterator[MediaMessage]:
        try:
            yield self._decoder.decode(message)
        except MissingReference as missing:
            self.face.unreadable += 1
            yield replace(missing.message, motions=(), repeated=())
        except WireError:
            self.face.unreadable += 1
            return
        for late in self._decoder.unblocked():
            self.face.unreadable -= 1
            yield late

    def _keep(self, motion: Motion, arrival_s: float) -> None:
        place_s = self._clock_s + motion.capture_time_s
        place_ms = round(1000 * place_s)
        if place_ms >= 0 or self._clock_s >= 0:  # else it restates what was before the recording
            self._frames.setdefault(place_ms, Came(replace(motion, capture_time_s=place_s), arrival_s))

    def finish(self) -> None:
        face = self.face
        face.frames = [self._frames[place] for place in sorted(self._frames)]
        face.sounds.sort(key=lambda packet: packet.time_ms)
        # The first picture is in use until another one is: what said so may have crossed before the recording began.
        first = [(-MAX_RECEIVED_TIME_S, sha256) for sha256 in list(self._pictures)[:1]]
        uses = [use for use in first + sorted(self._uses) if use[1] in self._pictures]
        for (from_s, sha256), (_, before) in zip(uses, [(0.0, ""), *uses], strict=False):
            if sha256 != before:
                face.sources.append(SourceFrom(from_s, self._pictures[sha256].picture, self._pictures[sha256].mime))
        face.integers_sha256 = self._digest.hexdigest()


def _integers(message: MediaMessage) -> bytes:
    """All that a message says of motion, without a rounding in it: integers, or the fp16 numbers of `paper`."""
    head = bytes((message.profile, message.level)) + message.sequence.to_bytes(2, "big")
    if message.profile is Profile.PAPER:
        return head + b"".join(motion.as_vector().astype(">f2").tobytes() for motion in message.motions)
    frames = (
        frame.time_ms.to_bytes(4, "big") + b"".join(number.to_bytes(2, "big", signed=True) for number in frame.integers)
        for frame in message.frames
    )
    return head + b"".join(frames)
