"""A part of a recording, as a recording of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from codec.codec_tables import CodecTables
from codec.decoder import Decoder
from codec.errors import RecordingError, WireError
from codec.recording import RecordingReader, RecordingWriter, check_recording
from codec.recording_records import (
    ConnectionRecord,
    ControlRecord,
    Direction,
    MediaRecord,
    Record,
    SourceRecord,
)
from replay.errors import ClipError, DamagedRecording
from signaling.control_messages import SourceUse, parse_control_message
from signaling.errors import ControlError

RESTATED = 16
"""States of either direction that a part begins with: a second of messages, further back is rarely built on."""


def cut_recording(path: Path, output: Path, from_s: float, to_s: float, tables: CodecTables) -> int:
    """Write what crossed from `from_s` on and before `to_s`, and what is needed to read it; returns how many records.

    Raises RecordingError, ClipError for times between which nothing crossed, and DamagedRecording after what is good
    before the damage was written.
    """
    check_recording(output)
    if not 0 <= from_s < to_s:
        raise ClipError(f"expected to cut from a time on to a later one, got {from_s:g} to {to_s:g} s")
    if output.exists() and output.samefile(path):
        raise ClipError(f"{output}: expected another file for the part than the recording itself")
    reader = RecordingReader(path)
    begin, damage = _Begin(tables, from_s), None
    records = _until(reader, to_s)
    count = 0
    try:
        first = begin.pass_over(records)
        if first is None:
            raise ClipError(f"{path}: expected something between {from_s:g} and {to_s:g} s, nothing crossed then")
        with RecordingWriter(output, reader.header) as writer:
            for record in begin.records():
                writer.add(record)
            writer.add(_shifted(first, from_s))
            count = 1
            try:
                for record in records:
                    writer.add(_shifted(record, from_s))
                    count += 1
            except RecordingError as error:
                damage = error
    except RecordingError as error:
        damage = error
    if damage is not None:
        raise DamagedRecording(f"{path}: {damage}; the {count} records before that are in {output}")
    return count


def _until(reader: RecordingReader, to_s: float) -> Iterator[Record]:
    for record in reader:
        if record.time_s >= to_s:
            return
        yield record


@dataclass
class _Begin:
    """What a part needs of all that came before it: connection, pictures, and what the decoders hold."""

    tables: CodecTables
    from_s: float
    connection: ConnectionRecord | None = None
    pictures: dict[tuple[Direction, str], SourceRecord] = field(default_factory=dict)
    uses: list[tuple[float, ControlRecord, str]] = field(default_factory=list)
    decoders: dict[Direction, Decoder] = field(default_factory=dict)

    def pass_over(self, records: Iterator[Record]) -> Record | None:
        """Take in records up to the first of the part, which is returned; None where there is none."""
        self._connect(None)
        for record in records:
            if record.time_s >= self.from_s:
                return record
            match record:
                case ConnectionRecord():
                    self._connect(record)
                case SourceRecord():
                    self.pictures[record.direction, record.sha256] = record
                case ControlRecord():
                    self._note_use(record)
                case MediaRecord():
                    self._decode(record)
                case _:
                    pass
        return None

    def _connect(self, record: ConnectionRecord | None) -> None:
        self.connection = record
        self.decoders = {direction: Decoder(self.tables) for direction in Direction}

    def _note_use(self, record: ControlRecord) -> None:
        try:
            message = parse_control_message(record.text)
        except ControlError:
            return
        if isinstance(message, SourceUse):
            clock_s = self.connection.clock_s if self.connection else 0.0
            self.uses.append((clock_s + message.from_s, record, message.sha256))

    def _decode(self, record: MediaRecord) -> None:
        decoder = self.decoders[record.direction]
        try:
            decoder.decode(record.message)
        except WireError:
            return
        decoder.unblocked()

    def records(self) -> Iterator[Record]:
        """The beginning of the part."""
        clock_s = self.connection.clock_s if self.connection else 0.0
        yield ConnectionRecord(0.0, clock_s - self.from_s)
        for direction in Direction:
            in_use = [sha256 for at_s, one, sha256 in self.uses if one.direction is direction and at_s <= self.from_s]
            known = [picture for (way, _), picture in self.pictures.items() if way is direction]
            for picture in sorted(known, key=lambda one: one.sha256 not in in_use[-1:]):  # the one in use first
                yield replace(picture, time_s=0.0)
        for at_s, record, _ in self.uses:
            if at_s > self.from_s:
                yield replace(record, time_s=0.0)
        for direction, decoder in self.decoders.items():
            for message in decoder.restate(RESTATED):
                yield MediaRecord(0.0, direction, message)


def _shifted(record: Record, by_s: float) -> Record:
    time_s = round(record.time_s - by_s, 6)
    if isinstance(record, ConnectionRecord):
        return replace(record, time_s=time_s, clock_s=round(record.clock_s - by_s, 6))
    return replace(record, time_s=time_s)
